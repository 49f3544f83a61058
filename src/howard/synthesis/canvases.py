"""The background layer and the foreground layers of a sample as a worker prepares them.

What is handed to the device of a picture: the part that a frame can show, shrunk to the frame's scale."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.placement import Size, enlargement, translation, visible_region

# Beyond the frame, as a share of its side: room for a clip's motion and the plate's errors.
MARGIN = 0.125
# Canvas pixels per frame pixel: a little more than one, since the canvas is sampled once more.
_CANVAS_DENSITY = 1.1
# Empty pixels about a person, so that whatever lies beyond the canvas is not the person's.
_EMPTY_RIM = 2


class Occluder(NamedTuple):
    """A near object in front of the persons: canvas (4, side, side) uint8, straight colour and alpha.

    ``maps`` (T, 3, 3) from frame to canvas pixels.
    """

    canvas: np.ndarray
    maps: np.ndarray


class Stage(NamedTuple):
    """Canvases (4, side, side) uint8 of the place and of the plate, and the 3x3 map from frame to canvas pixels.

    ``distractor`` (side, side) uint8 is where, on the canvas of the place, a distractor is in the shot or in the plate;
    None where there is none. ``occluder`` is in front of the persons.
    """

    place: np.ndarray
    plate: np.ndarray
    matrix: np.ndarray
    distractor: np.ndarray | None = None
    occluder: Occluder | None = None


class Actor(NamedTuple):
    """A foreground layer's canvases (T, 4, side, side) uint8, and 3x3 maps from frame to canvas pixels, (T, 3, 3)."""

    canvases: np.ndarray
    maps: np.ndarray

    @property
    def area(self) -> float:
        """About how much of the frame the layer covers, in pixels."""
        return float(self.canvases[0, 3].sum(dtype=np.int64)) / 255 / enlargement(self.maps[0]) ** 2


class Cut(NamedTuple):
    """Part of a picture, (h, w, C) uint8, and the 3x3 map from the picture's pixels to its pixels."""

    image: np.ndarray
    matrix: np.ndarray


def canvas_side(frame: Size) -> int:
    """Side of the square canvas for a frame (height, width), in pixels."""
    return round(max(frame) * (1 + 2 * MARGIN) * _CANVAS_DENSITY) + 2 * _EMPTY_RIM


def cut_place(pictures: list[np.ndarray], matrix: np.ndarray, frame: Size, is_mirrored: bool = True) -> list[Cut]:
    """The part of a place that the frame shows, of several pictures of one size.

    Args:
        pictures: (H, W, C) or (H, W) uint8.
        matrix: 3x3, maps picture pixels to frame pixels.
        frame: height, width.
        is_mirrored: whether pictures are mirrored at their borders; else it is black beyond them.
    """
    left, top, right, bottom = visible_region(matrix, frame, MARGIN)
    border = cv2.BORDER_REFLECT_101 if is_mirrored else cv2.BORDER_CONSTANT
    height, width = pictures[0].shape[:2]
    before = (max(0, -top), max(0, -left))
    after = (max(0, bottom - height), max(0, right - width))
    cuts = []
    for picture in pictures:
        part = picture[max(0, top) : max(1, bottom), max(0, left) : max(1, right)]
        if any(before + after):
            wide = cv2.copyMakeBorder(picture, before[0], after[0], before[1], after[1], border)
            part = wide[top + before[0] : bottom + before[0], left + before[1] : right + before[1]]
        cuts.append(_shrink_to_density(part, canvas_side(frame), enlargement(matrix), translation(-left, -top)))
    return cuts


def cut_person(pictures: list[np.ndarray], matrix: np.ndarray, frame: Size) -> list[Cut]:
    """The part of a person's pictures, (H, W, C) uint8 of one size, that the frame shows, nothing beyond them."""
    left, top, right, bottom = visible_region(matrix, frame, MARGIN)
    height, width = pictures[0].shape[:2]
    left, right = sorted((min(max(left, 0), width - 1), min(max(right, 1), width)))
    top, bottom = sorted((min(max(top, 0), height - 1), min(max(bottom, 1), height)))
    side = canvas_side(frame) - 2 * _EMPTY_RIM
    scale, shift = enlargement(matrix), translation(-left, -top)
    return [_shrink_to_density(picture[top:bottom, left:right], side, scale, shift) for picture in pictures]


def person_canvas(foreground: np.ndarray, alpha: np.ndarray, frame: Size) -> np.ndarray:
    """Foreground (h, w, 3) and alpha (h, w), uint8, as a canvas of (4, side, side) with an empty rim.

    The picture's pixel (0, 0) lies at :func:`rim_matrix`.
    """
    return _fill_canvas(foreground, alpha, canvas_side(frame), _EMPTY_RIM)


def place_canvas(image: np.ndarray, mask: np.ndarray, frame: Size) -> np.ndarray:
    """A picture (h, w, 3) and a mask (h, w), uint8, as a canvas of (4, side, side) from its first pixel on."""
    return _fill_canvas(image, mask, canvas_side(frame), 0)


def rim_matrix() -> np.ndarray:
    """Maps pixels of what :func:`person_canvas` is given to canvas pixels."""
    return translation(_EMPTY_RIM, _EMPTY_RIM)


def _fill_canvas(image: np.ndarray, mask: np.ndarray, side: int, rim: int) -> np.ndarray:
    canvas = np.zeros((4, side, side), np.uint8)
    height, width = mask.shape
    inside = canvas[:, rim : rim + height, rim : rim + width]
    inside[:3], inside[3] = image.transpose(2, 0, 1), mask
    if not rim:
        # Only rounding ever reads beyond the picture's last pixels.
        canvas[:, :height, width : width + 1] = canvas[:, :height, width - 1 : width]
        canvas[:, height : height + 1] = canvas[:, height - 1 : height]
    return canvas


def _shrink_to_density(part: np.ndarray, side: int, scale: float, shift: np.ndarray) -> Cut:
    """Average a part down until it fits and is no denser than the frame needs it.

    ``scale`` is how much larger the frame shows it, ``shift`` maps the whole picture's pixels to the part's.
    """
    height, width = part.shape[:2]
    scale = min(1.0, side / max(height, width), _CANVAS_DENSITY * scale)
    if scale == 1:
        return Cut(part, shift)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    x, y = size[0] / width, size[1] / height
    resize = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return Cut(cv2.resize(part, size, interpolation=cv2.INTER_AREA), resize @ shift)
