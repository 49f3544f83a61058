"""The metrics of mattes as a torchmetrics module, for clips and for validation samples."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from howard.evaluation import batched_metrics
from howard.evaluation.connectivity import connectivity_error
from howard.machine import count_cores
from howard.parallel import ordered_map

_OF_ALPHA: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mad": batched_metrics.mad,
    "mse": batched_metrics.mse,
    "grad": batched_metrics.gradient_error,
    "grad_lr": batched_metrics.gradient_error_low_resolution,
    "conn": connectivity_error,
    "band_mad": batched_metrics.band_mad,
    "person_dropouts": batched_metrics.person_dropouts,
    "background_dropouts": batched_metrics.background_dropouts,
}
_OF_FOREGROUND: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "foreground_mad": batched_metrics.foreground_mad,
    "foreground_mse": batched_metrics.foreground_mse,
}
# Most pixels that are scored at a time on a CPU: 2 MB of alpha, about the size of a core's cache.
_CHUNK = 2**19
_OF_CLIPS = ("dtssd", "dtssd_n")
FRAME_SCORES = (*_OF_ALPHA, *_OF_FOREGROUND)
CLIP_SCORES = (*_OF_ALPHA, *_OF_CLIPS)


class MatteScores(Metric):
    """Scores of mattes against the true ones, averaged over the frames for which they are defined.

    Predicted and true alpha are rounded to 8 bits first, because published values are computed from 8-bit files. A
    score that is defined for no frame is NaN. ``dtssd_n`` is dtSSD divided by the dtSSD of a matte that repeats the
    first frame; it is NaN if the true matte does not change.

    Args:
        names: from :data:`FRAME_SCORES`; also ``dtssd`` and ``dtssd_n`` if the frames are one clip in order.
        kwargs: for the base class of torchmetrics.

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
        self._changes = _FrameChanges()

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
            foreground: (B, 3, H, W) in [0, 1], straight; needed for the foreground scores only.
            true_foreground: like ``foreground``.
        """
        tensors = [_on_capable_device(each) for each in (alpha, true_alpha, foreground, true_foreground)]
        predicted, true = eight_bit(tensors[0]), eight_bit(tensors[1])
        chunk = _chunk_length(true)
        columns = self._score(_OF_ALPHA, chunk, predicted, true)
        if foreground is not None and true_foreground is not None:
            columns |= self._score(_OF_FOREGROUND, chunk, tensors[2], tensors[3], true)
        if set(_OF_CLIPS) & set(self.names):
            columns |= self._changes.update(predicted, true)
        unknown = true.new_full((len(true),), math.nan)
        rows = torch.stack([columns.get(name, unknown).float() for name in (*self.names, "frozen")], dim=1)
        self.frames += rows.to(self.device).split(1)

    def _score(self, scores: dict[str, Callable[..., Tensor]], chunk: int, *images: Tensor) -> dict[str, Tensor]:
        """The values (B,) of the requested scores, computed in threads if there are several chunks."""
        parts = list(zip(*(each.split(chunk) for each in images), strict=True))
        chosen = {name: score for name, score in scores.items() if name in self.names}

        def score_part(part: tuple[Tensor, ...]) -> dict[str, Tensor]:
            # A thread does not inherit the mode of the one that created it.
            with torch.inference_mode():
                return {name: score(*part) for name, score in chosen.items()}

        if len(parts) == 1:
            return score_part(parts[0])
        # OpenCV and NumPy release the GIL.
        found = list(ordered_map(score_part, parts, workers=min(len(parts), count_cores())))
        return {name: torch.cat([each[name] for each in found]) for name in chosen}

    def compute(self) -> dict[str, Tensor]:
        """The mean of each score, as scalar tensors.

        Raises:
            ValueError: no frame has been added.
        """
        if len(self.frames) == 0:
            raise ValueError("no frame has been added, so there is nothing to average")
        rows = self.frames if isinstance(self.frames, Tensor) else torch.cat(self.frames)  # a tensor after a sync
        *means, frozen = rows.double().cpu().nanmean(dim=0)
        found = dict(zip(self.names, means, strict=True))
        if "dtssd_n" in found:
            found["dtssd_n"] = found["dtssd_n"] / frozen if frozen > 0 else frozen * math.nan
        return {name: value.float() for name, value in found.items()}

    def per_frame(self) -> dict[str, list[float]]:
        """The values of each frame in order, NaN where a score is undefined; without ``dtssd_n``, which clips have."""
        columns = torch.cat(list(self.frames)).double().cpu().T.tolist() if len(self.frames) else []
        return {name: column for name, column in zip(self.names, columns, strict=False) if name != "dtssd_n"}

    def reset(self) -> None:
        """Remove all frames; the next one is the first of a clip."""
        super().reset()
        self._changes = _FrameChanges()


class _FrameChanges:
    """Computes dtSSD of a clip in batches; keeps the last frame for the next batch."""

    def __init__(self) -> None:
        self.previous: tuple[Tensor, Tensor] | None = None

    def update(self, predicted: Tensor, true: Tensor) -> dict[str, Tensor]:
        """dtSSD (T,) of the frames of a batch, and of a matte that repeats the clip's first frame ("frozen")."""
        before = self.previous
        self.previous = (predicted[-1:], true[-1:])
        if before is not None:
            predicted, true = torch.cat([before[0], predicted]), torch.cat([before[1], true])
        first = 0 if before is None else 1
        change = batched_metrics.dtssd(predicted, true)[first:]
        frozen = batched_metrics.dtssd(torch.zeros_like(true), true)[first:]
        return {"dtssd": change, "dtssd_n": change, "frozen": frozen}


def _chunk_length(images: Tensor) -> int:
    """How many images (B, 1, H, W) are scored at a time: on a CPU few, to use its cache and all cores."""
    if images.device.type != "cpu":
        return len(images)
    return max(1, min(_CHUNK // images[0].numel(), -(-len(images) // count_cores())))


def eight_bit(alpha: Tensor) -> Tensor:
    """Alpha in [0, 1] rounded to multiples of 1/255, float32."""
    return (alpha.detach().float() * 255).round_().div_(255)


def _on_capable_device(image: Tensor | None) -> Any:
    """The image as float32, moved to the CPU if its device has no float64; None stays None."""
    if image is None:
        return None
    image = image.detach()
    return (image.cpu() if image.device.type == "mps" else image).float()
