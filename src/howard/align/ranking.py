"""Ranking plate frames: number of ORB inliers times predicted coverage of the source."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import FrameDescriptor, match_quick_features
from howard.align.pictures import Grid, Size, apply_homography, orient_grid, scale_pixels
from howard.align.two_view import is_plausible_homography
from howard.align.warp import sample_valid

# Grid of points in landscape images at which coverage is predicted; portrait ones have 54 x 96.
_GRID = Grid(columns=96, rows=54)
# Inlier threshold in pixels at a long side of 1920.
_QUICK_THRESHOLD = 6.0
# Number of matches below which the predicted coverage is empty.
_FEWEST = 8


def coverage_grid(size: Size) -> Grid:
    """Grid of points at which coverage of a source of ``size`` is predicted."""
    return orient_grid(_GRID, size)


class RankedFrame(NamedTuple):
    """Plate frame ``index`` and its ``score``; ``coverage`` (rows, columns) bool is the predicted coverage of
    the source on `coverage_grid`."""

    index: int
    score: float
    coverage: np.ndarray


def rank_frames(source: FrameDescriptor, plates: dict[int, FrameDescriptor]) -> list[RankedFrame]:
    """Plate frames by number of ORB inliers times the covered fraction of the source, best first.

    ``plates`` maps indices to descriptors, most similar first; equal scores keep this order.
    """
    if len(plates) == 1:
        return [RankedFrame(index, 0.0, _no_coverage(source)) for index in plates]
    ranked = [RankedFrame(index, *_agreement(source, plate)) for index, plate in plates.items()]
    return sorted(ranked, key=lambda frame: -frame.score)


def _agreement(source: FrameDescriptor, plate: FrameDescriptor) -> tuple[float, np.ndarray]:
    matches = match_quick_features(plate.quick, source.quick)
    if len(matches.plate) < _FEWEST:
        return 0.0, _no_coverage(source)
    threshold = scale_pixels(_QUICK_THRESHOLD, source.size)
    matrix, mask = cv2.findHomography(matches.plate, matches.source, cv2.USAC_MAGSAC, threshold)
    if matrix is None or not is_plausible_homography(matrix, plate.size, source.size):
        return 0.0, _no_coverage(source)
    shown = predict_coverage(matrix, plate, source)
    return float(mask.sum() * shown.mean()), shown


def _no_coverage(source: FrameDescriptor) -> np.ndarray:
    columns, rows = coverage_grid(source.size)
    return np.zeros((rows, columns), bool)


def predict_coverage(matrix: np.ndarray, plate: FrameDescriptor, source: FrameDescriptor) -> np.ndarray:
    """Which points of `coverage_grid`, (rows, columns) bool, a plate frame covers when warped by ``matrix``."""
    columns, rows = coverage_grid(source.size)
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    points = np.stack([x.ravel(), y.ravel()], axis=1) * np.array(source.size)
    seen = apply_homography(np.linalg.inv(matrix), points)
    inside = ((seen >= 0) & (seen <= np.array(plate.size) - 1)).all(axis=1)
    if plate.valid is not None:
        inside &= sample_valid(plate.valid, seen.astype(np.float32)[None], plate.size)[0]
    return np.asarray(inside.reshape(rows, columns))
