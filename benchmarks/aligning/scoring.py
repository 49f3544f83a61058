"""Errors of an aligned plate against ground truth; lengths are in source pixels."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.aligning.methods import Attempt

WRONG_LEVELS = 10.0
# Long side in pixels at which the next three are given.
_FULL_SIDE = 1920
# Width of the band around the person.
_BAND_PX = 32
# Median error of a homography from which on it counts as failed, unless what remains after the following steps is less
# than `_CORRECTED_PX`.
_GROSS_PX = 20.0
_CORRECTED_PX = 2.0
_EMPTY, _SOLID = 0.02, 0.5
# Optical flow is sampled on this grid, where the smaller eigenvalue of the structure tensor is large enough.
_FLOW_STEP, _FLOW_WINDOW, _MIN_EIGENVALUE = 4, 9, 8e-4


@dataclass(frozen=True)
class Truth:
    """``clean`` (H, W, 3) uint8, the source without person and noise; ``alpha`` (H, W) float32 of the person."""

    clean: np.ndarray
    alpha: np.ndarray

    @cached_property
    def background(self) -> np.ndarray:
        """Where alpha is 0, (H, W) bool."""
        return self.alpha <= _EMPTY

    @cached_property
    def near(self) -> np.ndarray:
        """Background within 32 px (at 1080p) of the person, (H, W) bool."""
        distance = cv2.distanceTransform(self.background.astype(np.uint8), cv2.DIST_L2, 5)
        return (distance <= _BAND_PX * max(self.alpha.shape) / _FULL_SIDE) & self.background


class Score(NamedTuple):
    """Errors of an aligned plate; NaN where a figure is not defined.

    ``wrong`` is the fraction of covered background more than 10 levels off (mean of channels), ``near`` the same within
    32 px of the person, ``behind`` the same where the person is. ``uncovered`` is the fraction of the picture
    without a plate. ``px`` and ``px95`` are median and 95th percentile of the remaining displacement, by optical flow
    between the result and the truth; ``h_px`` and ``h_px95`` those of the homography alone, by the true map.
    ``failed``: no plate, or a homography with gross errors (median above 20 px at 1080p) that the following steps did
    not correct (above 2 px).
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


class Row(NamedTuple):
    """The score of a method on a frame; frames of a ``group`` are averaged."""

    group: str
    method: str
    score: Score


def score(attempt: Attempt, truth: Truth, homography_errors: np.ndarray, remaining: np.ndarray) -> Score:
    """``homography_errors`` and ``remaining`` (N,) are lengths in source pixels, empty where they are not known."""
    wrong = cv2.absdiff(attempt.image, truth.clean).mean(axis=2) > WRONG_LEVELS

    def wrong_fraction(where: np.ndarray) -> float:
        where = where & attempt.covered
        return float(wrong[where].mean()) if where.any() else float("nan")

    h_px, h_px95 = _percentiles(homography_errors)
    px, px95 = _percentiles(remaining)
    unit = max(truth.alpha.shape) / _FULL_SIDE
    return Score(
        wrong=wrong_fraction(truth.background),
        near=wrong_fraction(truth.near),
        behind=wrong_fraction(truth.alpha > _SOLID),
        uncovered=float("nan") if attempt.failed else float(1 - attempt.covered.mean()),
        px=px,
        px95=px95,
        h_px=h_px,
        h_px95=h_px95,
        failed=attempt.failed or (h_px > _GROSS_PX * unit and px > _CORRECTED_PX * unit),
    )


def homography_errors(matrix: np.ndarray, positions: np.ndarray, usable: np.ndarray, step: int) -> np.ndarray:
    """Errors in source pixels of a plate -> source homography, (N,).

    ``positions`` (h, w, 2) are the true plate pixels of every ``step``-th source pixel, taken where ``usable``.
    """
    rows, columns = np.nonzero(usable)
    if not len(rows):
        return np.zeros(0)
    found = cv2.perspectiveTransform(positions[usable][None].astype(np.float64), matrix)[0]
    return np.linalg.norm(found - np.column_stack([columns, rows]) * step, axis=1)


def remaining_errors(image: np.ndarray, clean: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Displacements between ``image`` and ``clean``, both (H, W, 3) uint8: (N,) in pixels.

    Measured by optical flow (DIS) at half size where ``usable`` (H, W) bool, at corners.
    """
    size = (clean.shape[1] // 2, clean.shape[0] // 2)
    inside = cv2.erode(usable.astype(np.uint8), np.ones((2 * _FLOW_WINDOW + 1,) * 2, np.uint8))
    inside = cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST) > 0
    # The truth in both pictures there, so that no motion is found outside.
    expected, found = (cv2.resize(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
                     for each in (clean, image))  # fmt: skip
    found = np.where(inside, found, expected)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(expected, found, None)  # type: ignore
    corners = cv2.cornerMinEigenVal(expected, _FLOW_WINDOW) > _MIN_EIGENVALUE
    places = (inside & corners)[::_FLOW_STEP, ::_FLOW_STEP]
    return 2 * np.linalg.norm(flow[::_FLOW_STEP, ::_FLOW_STEP][places], axis=1)


class _Percentiles(NamedTuple):
    median: float
    high: float


def _percentiles(lengths: np.ndarray) -> _Percentiles:
    return _Percentiles(*(np.percentile(lengths, (50, 95)).tolist() if lengths.size else (float("nan"),) * 2))
