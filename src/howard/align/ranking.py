"""Ranking plate frames by how much of the source they show: agreeing ORB keypoints times coverage."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import Look, match_quick_features
from howard.align.pictures import Grid, Size, apply_homography, orient_grid, scale_pixels
from howard.align.two_view import is_sane
from howard.align.warp import sample_valid

# Points of landscape pictures at which coverage is predicted; upright ones have 54 x 96.
_GRID = Grid(columns=96, rows=54)
# Inlier threshold in pixels at a long side of 1920.
_QUICK_THRESHOLD = 6.0
# Matches below which a frame counts as showing nothing.
_FEWEST = 8


def shown_grid(size: Size) -> Grid:
    """The points at which it is judged what a plate frame shows of a source of ``size``."""
    return orient_grid(_GRID, size)


class RankedLook(NamedTuple):
    """Plate frame ``index`` and its ``score``; ``shown`` (rows, columns) bool is the part of the source that it shows,
    on `shown_grid`."""

    index: int
    score: float
    shown: np.ndarray


def rank_looks(source: Look, plates: dict[int, Look]) -> list[RankedLook]:
    """Plate frames by how many ORB keypoints agree times how much of the source is covered, best first.

    ``plates`` are by index, the likeliest first, an order kept among equals.
    """
    if len(plates) == 1:
        return [RankedLook(index, 0.0, _nothing_shown(source)) for index in plates]
    looks = [RankedLook(index, *_agreement(source, look)) for index, look in plates.items()]
    return sorted(looks, key=lambda look: -look.score)


def _agreement(source: Look, plate: Look) -> tuple[float, np.ndarray]:
    matches = match_quick_features(plate.quick, source.quick)
    if len(matches.plate) < _FEWEST:
        return 0.0, _nothing_shown(source)
    threshold = scale_pixels(_QUICK_THRESHOLD, source.size)
    matrix, mask = cv2.findHomography(matches.plate, matches.source, cv2.USAC_MAGSAC, threshold)
    if matrix is None or not is_sane(matrix, plate.size, source.size):
        return 0.0, _nothing_shown(source)
    shown = predict_shown(matrix, plate, source)
    return float(mask.sum() * shown.mean()), shown


def _nothing_shown(source: Look) -> np.ndarray:
    columns, rows = shown_grid(source.size)
    return np.zeros((rows, columns), bool)


def predict_shown(matrix: np.ndarray, plate: Look, source: Look) -> np.ndarray:
    """Which points of `shown_grid`, (rows, columns) bool, lie inside a plate frame brought to a source by a matrix."""
    columns, rows = shown_grid(source.size)
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    points = np.stack([x.ravel(), y.ravel()], axis=1) * np.array(source.size)
    seen = apply_homography(np.linalg.inv(matrix), points)
    inside = ((seen >= 0) & (seen <= np.array(plate.size) - 1)).all(axis=1)
    if plate.valid is not None:
        inside &= sample_valid(plate.valid, seen.astype(np.float32)[None], plate.size)[0]
    return np.asarray(inside.reshape(rows, columns))
