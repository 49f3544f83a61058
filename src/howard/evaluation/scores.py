"""A clip's scores, collected frame by frame: no more than the previous frame is held."""

import math

import numpy as np
from numpy.typing import NDArray

from howard.evaluation import metrics

_PER_FRAME = {
    "mad": metrics.mad,
    "mse": metrics.mse,
    "grad": metrics.gradient_error,
    "grad_lr": metrics.gradient_error_low_resolution,
    "conn": metrics.connectivity_error,
    "band_mad": metrics.band_mad,
    "person_dropouts": metrics.person_dropouts,
    "background_dropouts": metrics.background_dropouts,
}


class ClipScores:
    """Scores of one matte against the truth; add the frames in their order, then ask for the means.

    Alpha is rounded to 8 bits on both sides first, as published figures are taken from 8-bit files.
    """

    def __init__(self) -> None:
        self._frames: list[dict[str, float]] = []
        self._frozen_changes: list[float] = []
        self._first: NDArray | None = None
        self._previous: tuple[NDArray, NDArray] | None = None

    def add(self, predicted: NDArray, true: NDArray) -> None:
        """Score the next frame; HxW alpha in [0, 1], of one size all through the clip."""
        predicted, true = eight_bit(predicted), eight_bit(true)
        scores = {name: score(predicted, true) for name, score in _PER_FRAME.items()}
        self._first = predicted if self._first is None else self._first
        previous_predicted, previous_true = self._previous or (None, None)
        scores["dtssd"] = metrics.dtssd(predicted, true, previous_predicted, previous_true)
        self._frozen_changes.append(metrics.dtssd(self._first, true, self._first, previous_true))
        self._previous = (predicted, true)
        self._frames.append(scores)

    def means(self) -> dict[str, float]:
        """Each score's mean over the frames that have it, and ``dtssd_n``: dtSSD over that of a frozen matte.

        A score that no frame has is NaN, as is ``dtssd_n`` where nothing moves. Raises ValueError without frames.
        """
        if not self._frames:
            raise ValueError("no frame has been added, so there is nothing to average")
        means = {name: _mean_of_known([frame[name] for frame in self._frames]) for name in self._frames[0]}
        frozen = _mean_of_known(self._frozen_changes)
        return means | {"dtssd_n": means["dtssd"] / frozen if frozen > 0 else math.nan}


def eight_bit(alpha: NDArray) -> NDArray[np.float32]:
    """Round alpha in [0, 1] to steps of 1/255."""
    return np.rint(alpha * np.float32(255)).astype(np.float32) / np.float32(255)


def _mean_of_known(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
