"""What an aligned plate is worth, against the truth. Shares are of pixels, lengths in pixels of the source."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.aligning.methods import Attempt

WRONG_LEVELS = 10.0
# Width of the band about the person, and median errors that are no alignment at all, at a long side of 1920.
_BAND_PX, _GROSS_PX, _MENDED_PX, _FULL_SIDE = 32, 20.0, 2.0, 1920
_EMPTY, _SOLID = 0.02, 0.5
# A flow is looked at on this grid, and only where the smaller eigenvalue of the structure tensor says it can be seen.
_FLOW_STEP, _FLOW_WINDOW, _SEEN = 4, 9, 8e-4


@dataclass(frozen=True)
class Truth:
    """``clean`` (H, W, 3) uint8, the source without its person and noise; ``alpha`` (H, W) float32, the person."""

    clean: np.ndarray
    alpha: np.ndarray

    @cached_property
    def background(self) -> np.ndarray:
        """Where there is nothing of the person, (H, W) bool."""
        return self.alpha <= _EMPTY

    @cached_property
    def near(self) -> np.ndarray:
        """Background within 32 px (at 1080p) of the person, (H, W) bool."""
        distance = cv2.distanceTransform(self.background.astype(np.uint8), cv2.DIST_L2, 5)
        return (distance <= _BAND_PX * max(self.alpha.shape) / _FULL_SIDE) & self.background


class Score(NamedTuple):
    """One aligned plate against the truth, NaN where a figure cannot be had.

    ``wrong`` is the share of covered background more than 10 levels off (mean of channels), ``near`` the same within
    32 px of the person, ``behind`` the same where the person is. ``uncovered`` is the share of the picture without a
    plate. ``px`` and ``px95`` are median and 95th percentile of what is left to move, found by dense flow between the
    result and the truth; ``h_px`` and ``h_px95`` those of the homography alone, by the true map. ``failed``: no plate,
    or a homography that is grossly off (median above 20 px at 1080p) and not made good by what follows (above 2 px).
    """

    wrong: float
    near: float
    behind: float
    uncovered: float
    px: float
    px95: float
    h_px: float
    h_px95: float
    failed: bool
    wall_ms: float = float("nan")
    cpu_ms: float = float("nan")


def score(attempt: Attempt, truth: Truth, homography_errors: np.ndarray, remaining: np.ndarray) -> Score:
    """``homography_errors`` and ``remaining`` (N,) are lengths in source pixels, empty where they cannot be known."""
    wrong = cv2.absdiff(attempt.image, truth.clean).mean(axis=2) > WRONG_LEVELS

    def share(where: np.ndarray) -> float:
        where = where & attempt.covered
        return float(wrong[where].mean()) if where.any() else float("nan")

    h_px, h_px95 = _spread(homography_errors)
    px, px95 = _spread(remaining)
    unit = max(truth.alpha.shape) / _FULL_SIDE
    return Score(
        wrong=share(truth.background),
        near=share(truth.near),
        behind=share(truth.alpha > _SOLID),
        uncovered=float("nan") if attempt.failed else float(1 - attempt.covered.mean()),
        px=px,
        px95=px95,
        h_px=h_px,
        h_px95=h_px95,
        failed=attempt.failed or (h_px > _GROSS_PX * unit and px > _MENDED_PX * unit),
    )


def homography_errors(matrix: np.ndarray, positions: np.ndarray, usable: np.ndarray, step: int) -> np.ndarray:
    """Distances in source pixels between where a plate -> source homography puts things and where they are.

    ``positions`` (h, w, 2) are the true plate pixels of every ``step``-th source pixel, taken where ``usable``.
    """
    rows, columns = np.nonzero(usable)
    if not len(rows):
        return np.zeros(0)
    found = cv2.perspectiveTransform(positions[usable][None].astype(np.float64), matrix)[0]
    return np.linalg.norm(found - np.column_stack([columns, rows]) * step, axis=1)


def remaining_errors(image: np.ndarray, clean: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """How far things in ``image`` are from their places in ``clean``, both (H, W, 3) uint8: (N,) in pixels.

    Measured by dense flow (DIS) at half size where ``usable`` (H, W) bool and where there is a corner to see it by.
    """
    size = (clean.shape[1] // 2, clean.shape[0] // 2)
    inside = cv2.erode(usable.astype(np.uint8), np.ones((2 * _FLOW_WINDOW + 1,) * 2, np.uint8))
    inside = cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST) > 0
    # With the truth in both pictures there is no motion in what is left out.
    wanted, found = (cv2.resize(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
                     for each in (clean, image))  # fmt: skip
    found = np.where(inside, found, wanted)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(wanted, found, None)  # type: ignore
    corners = cv2.cornerMinEigenVal(wanted, _FLOW_WINDOW) > _SEEN
    places = (inside & corners)[::_FLOW_STEP, ::_FLOW_STEP]
    return 2 * np.linalg.norm(flow[::_FLOW_STEP, ::_FLOW_STEP][places], axis=1)


class _Spread(NamedTuple):
    median: float
    high: float


def _spread(lengths: np.ndarray) -> _Spread:
    return _Spread(*np.percentile(lengths, (50, 95)).tolist()) if lengths.size else _Spread(float("nan"), float("nan"))
