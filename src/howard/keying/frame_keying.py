"""Keying one frame: trimap, tracking markers, unmixing, garbage matte, despill and extended foreground."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.keying.garbage_matte import find_screen_area, remove_islands
from howard.keying.image_operations import encode, fill, to_linear, to_opponent
from howard.keying.screen import Screen, model_screen
from howard.keying.unmixing import Trimap, make_trimap, unmix

# Alpha up to which a pixel becomes fully transparent, and from which it becomes opaque: differences are noise.
_BLACK_POINT = 0.03
_WHITE_POINT = 0.97
# Fraction of the removed spill that is added back as grey, so that edges are not darkened.
_SPILL_AS_GREY = 0.2
# Alpha above which a pixel's foreground colour counts as known.
_KNOWN_ALPHA = 0.5
# Largest tracking marker as a fraction of the frame.
_MAX_MARKER_FRACTION = 0.004
# Smallest tracking marker in pixels; smaller pieces are noise.
_MIN_MARKER_PIXELS = 4
# Fraction of the box around a marker that must contain nothing but the marker and screen.
_ISOLATION = 0.9
# Frames in which a marker must appear at the same position.
_MIN_FRAMES = 2
# Margin around markers as a fraction of the shorter side, and its least value in pixels.
_MARKER_MARGIN = 0.006
_MIN_MARKER_MARGIN = 2
# Largest difference of encoded values at which a marker's pixel counts as visible (not occluded).
_VISIBLE_DIFFERENCE = 0.09


class KeyedFrame(NamedTuple):
    """``alpha`` (H, W) and ``foreground`` (H, W, 3), straight and sRGB-encoded, float32 in [0, 1]."""

    alpha: np.ndarray
    foreground: np.ndarray


class TrackingMarkers(NamedTuple):
    """Markers at fixed positions: their mask ``where`` (H, W), bool, and their ``colour`` (H, W, 3), encoded."""

    where: np.ndarray
    colour: np.ndarray


def key_frame(image: np.ndarray, screen: Screen, markers: TrackingMarkers | None = None) -> KeyedFrame:
    """Key an image, (H, W, 3) as in `Frame`, with its clip's screen and tracking markers."""
    linear = to_linear(image)
    model = model_screen(linear, screen)
    trimap = remove_markers(make_trimap(linear, model, screen), linear, markers)
    alpha, colour = unmix(linear, model.colour, screen, trimap)
    alpha = ((alpha - _BLACK_POINT) / (_WHITE_POINT - _BLACK_POINT)).clip(0, 1)
    area = find_screen_area(trimap.background)
    alpha = remove_islands(alpha, trimap.foreground, area, to_opponent(encode(linear)))
    return KeyedFrame(alpha, extend_foreground(despill(colour, screen), alpha))


def despill(colour: np.ndarray, screen: Screen) -> np.ndarray:
    """Remove the screen's spill from a colour, sRGB-encoded (H, W, 3); see :meth:`Screen.spill`."""
    linear = to_linear(colour)
    spill = screen.spill(linear)[..., None]
    removed = spill * screen.colour
    return encode(linear - removed + _SPILL_AS_GREY * removed.mean(axis=2, keepdims=True))


def extend_foreground(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Replace colour, encoded (H, W, 3), where alpha (H, W) is low, by colour interpolated from the person nearby."""
    weight = ((alpha - _KNOWN_ALPHA) / (1 - _KNOWN_ALPHA)).clip(0, 1)
    filled = fill(colour, weight * weight)
    opacity = (alpha / _KNOWN_ALPHA).clip(0, 1)[..., None]
    return opacity * colour + (1 - opacity) * filled


def find_markers(images: Sequence[np.ndarray], screen: Screen) -> TrackingMarkers | None:
    """Find small isolated shapes on the screen at the same position in at least two frames; None if there are none.

    ``images`` are as in `Frame`, of one size. With a moving camera none are found; isolated markers are then removed
    from each frame by :func:`howard.keying.garbage_matte.remove_islands`.
    """
    if len(images) < _MIN_FRAMES:
        return None
    shape = images[0].shape
    count, total = np.zeros(shape[:2], np.int32), np.zeros(shape, np.float32)
    for image in images:
        linear = to_linear(image)
        isolated = _isolated_shapes(make_trimap(linear, model_screen(linear, screen), screen).background)
        count += isolated
        total += isolated[..., None] * encode(linear)
    where = count >= _MIN_FRAMES
    if not where.any():
        return None
    return TrackingMarkers(where, total / np.maximum(count, 1)[..., None])


def remove_markers(trimap: Trimap, linear: np.ndarray, markers: TrackingMarkers | None) -> Trimap:
    """Mark the markers' pixels as background, except where they are occluded in ``linear`` (H, W, 3)."""
    if markers is None:
        return trimap
    difference = np.abs(encode(cv2.blur(linear, (3, 3))) - cv2.blur(markers.colour, (3, 3))).max(axis=2)
    visible = markers.where & (difference < _VISIBLE_DIFFERENCE)
    return Trimap(trimap.background | visible, trimap.foreground & ~visible, trimap.unknown & ~visible)


def _isolated_shapes(is_screen: np.ndarray) -> np.ndarray:
    """Small connected components (H, W) of non-screen pixels that are surrounded by screen, dilated by a margin."""
    height, width = is_screen.shape
    margin = max(_MIN_MARKER_MARGIN, round(_MARKER_MARGIN * min(height, width)))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((~is_screen).astype(np.uint8), connectivity=8)
    isolated = np.zeros_like(is_screen)
    for label in range(1, count):
        left, top, wide, high, area = statistics[label]
        if area > _MAX_MARKER_FRACTION * is_screen.size or area < _MIN_MARKER_PIXELS:
            continue
        rows = slice(max(0, top - 2 * margin), top + high + 2 * margin)
        columns = slice(max(0, left - 2 * margin), left + wide + 2 * margin)
        box = labels[rows, columns]
        others = (box != label) & (box != 0)
        touches_border = left == 0 or top == 0 or left + wide == width or top + high == height
        if others.mean() <= 1 - _ISOLATION and not touches_border:
            dilated = cv2.dilate((box == label).astype(np.uint8), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
            isolated[rows, columns] |= (dilated > 0) & ~others
    return isolated
