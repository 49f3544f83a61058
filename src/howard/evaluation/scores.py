"""The field's scores as one torchmetrics module, for clips and for validation samples alike."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from howard.evaluation import metrics

_OF_ALPHA: dict[str, Callable[[NDArray, NDArray], float]] = {
    "mad": metrics.mad,
    "mse": metrics.mse,
    "grad": metrics.gradient_error,
    "grad_lr": metrics.gradient_error_low_resolution,
    "conn": metrics.connectivity_error,
    "band_mad": metrics.band_mad,
    "person_dropouts": metrics.person_dropouts,
    "background_dropouts": metrics.background_dropouts,
}
_OF_FOREGROUND: dict[str, Callable[[NDArray, NDArray, NDArray], float]] = {
    "foreground_mad": metrics.foreground_mad,
    "foreground_mse": metrics.foreground_mse,
}
_OF_CLIPS = ("dtssd", "dtssd_n")
FRAME_SCORES = (*_OF_ALPHA, *_OF_FOREGROUND)
CLIP_SCORES = (*_OF_ALPHA, *_OF_CLIPS)


class MatteScores(Metric):
    """Scores of mattes against the truth, averaged over the frames that have them.

    Alpha is rounded to 8 bits on both sides first, as published figures are taken from 8-bit files. A score that no
    frame has is NaN, as is ``dtssd_n``, dtSSD over that of a frozen matte, where nothing moves.

    Args:
        names: of :data:`FRAME_SCORES`, and ``dtssd`` and ``dtssd_n`` where all frames are of one clip, in their order.
        kwargs: of torchmetrics' own base class.

    Raises:
        ValueError: a name is unknown.
    """

    full_state_update = False
    higher_is_better = False
    frames: list[Tensor]

    def __init__(self, names: Sequence[str] = CLIP_SCORES, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        unknown = set(names) - {*FRAME_SCORES, *_OF_CLIPS}
        if unknown:
            raise ValueError(f"there is no score {sorted(unknown)[0]!r}")
        self.names = tuple(names)
        self.add_state("frames", default=[], dist_reduce_fx="cat")
        self._neighbours = _Neighbours()

    def update(
        self,
        alpha: Tensor,
        true_alpha: Tensor,
        foreground: Tensor | None = None,
        true_foreground: Tensor | None = None,
    ) -> None:
        """Score a batch.

        Args:
            alpha: (B, 1, H, W) in [0, 1].
            true_alpha: (B, 1, H, W) in [0, 1].
            foreground: (B, 3, H, W) in [0, 1], straight; needed for the foreground's scores only.
            true_foreground: like ``foreground``.
        """
        for index in range(len(alpha)):
            predicted, true = (eight_bit(_plane(image[index])) for image in (alpha, true_alpha))
            scores = {name: score(predicted, true) for name, score in _OF_ALPHA.items() if name in self.names}
            if foreground is not None and true_foreground is not None:
                colours = _picture(foreground[index]), _picture(true_foreground[index])
                scores |= {name: score(*colours, true) for name, score in _OF_FOREGROUND.items() if name in self.names}
            if set(_OF_CLIPS) & set(self.names):
                scores |= self._neighbours.changes(predicted, true)
            row = [scores.get(name, math.nan) for name in (*self.names, "frozen")]
            self.frames.append(torch.tensor([row], device=self.device))

    def compute(self) -> dict[str, Tensor]:
        """Each score's mean, as scalars.

        Raises:
            ValueError: no frame has been added.
        """
        if len(self.frames) == 0:
            raise ValueError("no frame has been added, so there is nothing to average")
        rows = self.frames if isinstance(self.frames, Tensor) else torch.cat(self.frames)  # joined by other processes
        *means, frozen = rows.double().cpu().nanmean(dim=0)
        found = dict(zip(self.names, means, strict=True))
        if "dtssd_n" in found:
            found["dtssd_n"] = found["dtssd_n"] / frozen if frozen > 0 else frozen * math.nan
        return {name: value.float() for name, value in found.items()}

    def reset(self) -> None:
        """Forget all frames; the next one is the first of a clip."""
        super().reset()
        self._neighbours = _Neighbours()


class _Neighbours:
    """What a clip's earlier frames are remembered by."""

    def __init__(self) -> None:
        self.first: NDArray | None = None
        self.previous: tuple[NDArray | None, NDArray | None] = (None, None)

    def changes(self, predicted: NDArray, true: NDArray) -> dict[str, float]:
        self.first = predicted if self.first is None else self.first
        change = metrics.dtssd(predicted, true, *self.previous)
        frozen = metrics.dtssd(self.first, true, self.first, self.previous[1])
        self.previous = (predicted, true)
        return {"dtssd": change, "dtssd_n": change, "frozen": frozen}


def eight_bit(alpha: NDArray) -> NDArray[np.float32]:
    """Round alpha in [0, 1] to steps of 1/255."""
    return np.rint(alpha * np.float32(255)).astype(np.float32) / np.float32(255)


def as_batch(picture: NDArray) -> Tensor:
    """Alpha HxW, or colour HxWx3, as a batch of one: (1, 1 or 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(picture).transpose(2, 0, 1), np.float32))[None]


def _plane(alpha: Tensor) -> NDArray[np.float32]:
    return alpha[0].detach().float().cpu().numpy()


def _picture(image: Tensor) -> NDArray[np.float32]:
    return image.detach().float().cpu().numpy().transpose(1, 2, 0)
