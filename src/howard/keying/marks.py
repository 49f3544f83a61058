"""Tracking marks that stay where they are, so that they can be told from the person when close to it."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.keying.alpha import Regions, find_regions
from howard.keying.light import encode, to_linear
from howard.keying.screen import Screen, screen_light

_LARGEST = 0.004  # of the picture
_SMALLEST = 4  # pixels; less is noise
_SURROUNDED = 0.9  # of the box around a mark: free of anything else
_SEEN = 2  # pictures
_ALIKE = 0.09  # difference of encoded values up to which a mark is not hidden


class Marks(NamedTuple):
    """``where`` (H, W) bool the marks are, and their ``colour`` there (H, W, 3), encoded."""

    where: np.ndarray
    colour: np.ndarray


def find_marks(images: Sequence[np.ndarray], screen: Screen) -> Marks | None:
    """Small things alone on the screen, at the same place in at least two pictures of a clip; None if there are none.

    ``images`` are as in `Frame`, of one size.
    Where the camera moves there are none: those are told by being alone in their own frame.
    """
    if len(images) < _SEEN:
        return None
    shape = images[0].shape
    count, total = np.zeros(shape[:2], np.int32), np.zeros(shape, np.float32)
    for image in images:
        linear = to_linear(image)
        alone = _alone(find_regions(linear, screen_light(linear, screen), screen).screen)
        count += alone
        total += alone[..., None] * encode(linear)
    where = count >= _SEEN
    if not where.any():
        return None
    return Marks(where, total / np.maximum(count, 1)[..., None])


def unmark(regions: Regions, linear: np.ndarray, marks: Marks | None) -> Regions:
    """Hand the marks' pixels to the screen, except where something else hides them in ``linear`` (H, W, 3)."""
    if marks is None:
        return regions
    away = np.abs(encode(cv2.blur(linear, (3, 3))) - cv2.blur(marks.colour, (3, 3))).max(axis=2)
    shown = marks.where & (away < _ALIKE)
    return Regions(regions.screen | shown, regions.core & ~shown, regions.unknown & ~shown)


def _alone(is_screen: np.ndarray) -> np.ndarray:
    """Pieces (H, W) of what is not screen that are small and have nothing but screen around, with a margin, bool."""
    height, width = is_screen.shape
    margin = max(2, round(0.006 * min(height, width)))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((~is_screen).astype(np.uint8), connectivity=8)
    alone = np.zeros_like(is_screen)
    for label in range(1, count):
        left, top, wide, high, area = statistics[label]
        if area > _LARGEST * is_screen.size or area < _SMALLEST:
            continue
        rows = slice(max(0, top - 2 * margin), top + high + 2 * margin)
        columns = slice(max(0, left - 2 * margin), left + wide + 2 * margin)
        box = labels[rows, columns]
        others = (box != label) & (box != 0)
        touches = left == 0 or top == 0 or left + wide == width or top + high == height
        if others.mean() <= 1 - _SURROUNDED and not touches:
            grown = cv2.dilate((box == label).astype(np.uint8), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
            alone[rows, columns] |= (grown > 0) & ~others
    return alone
