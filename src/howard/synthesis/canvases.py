"""The layers of a sample as data workers prepare them, and the canvases that hold their pixels.

A canvas is a square uint8 image of four channels, (4, side, side): the part of an image that the frame can show,
reduced to about the frame's resolution. All canvases of a batch have one size.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.placement import Size, mean_scale, translation, visible_region

# Margin around the frame for motion over a clip and errors of the plate, as a fraction of the frame side.
MARGIN = 0.125
# Canvas pixels per frame pixel: slightly above one, since the canvas is resampled once more.
_CANVAS_DENSITY = 1.1
# Empty pixels around a person, so that sampling outside of the canvas gives alpha 0.
_EMPTY_RIM = 2


class Occluder(NamedTuple):
    """A near object in front of the persons: a canvas of straight RGB and alpha, (4, side, side) uint8.

    ``maps`` (T, 3, 3) are from frame to canvas pixels.
    """

    canvas: np.ndarray
    maps: np.ndarray


class BackgroundLayer(NamedTuple):
    """The place and its plate, canvases (4, side, side) uint8, and ``matrix`` (3, 3) from frame to canvas pixels.

    The fourth channel is 255 on static occluders in ``place``, and where the place is covered in ``plate``.
    ``distractor`` (side, side) uint8 is 255 where a distractor is in the shot or in the plate, in canvas coordinates of
    the place; None if there is none. ``occluder`` is in front of the persons.
    """

    place: np.ndarray
    plate: np.ndarray
    matrix: np.ndarray
    distractor: np.ndarray | None = None
    occluder: Occluder | None = None


class ForegroundLayer(NamedTuple):
    """A person or another subject: RGBA canvases (T, 4, side, side) uint8 and maps from frame to canvas (T, 3, 3)."""

    canvases: np.ndarray
    maps: np.ndarray

    @property
    def area(self) -> float:
        """Approximate area of the layer in the first frame, in frame pixels."""
        return float(self.canvases[0, 3].sum(dtype=np.int64)) / 255 / mean_scale(self.maps[0]) ** 2


class Crop(NamedTuple):
    """Part of an image, (h, w, C) uint8, and the 3x3 map from pixels of the whole image to those of the part."""

    image: np.ndarray
    matrix: np.ndarray


def canvas_side(frame: Size) -> int:
    """Side of the square canvas for a frame (height, width), in pixels."""
    return round(max(frame) * (1 + 2 * MARGIN) * _CANVAS_DENSITY) + 2 * _EMPTY_RIM


def crop_place(pictures: list[np.ndarray], matrix: np.ndarray, frame: Size, is_mirrored: bool = True) -> list[Crop]:
    """Crop images of a place to the part that the frame shows.

    Args:
        pictures: (H, W, C) or (H, W) uint8, of one size.
        matrix: 3x3, maps image pixels to frame pixels.
        frame: height, width.
        is_mirrored: whether images are mirrored at their borders, instead of being black outside.
    """
    left, top, right, bottom = visible_region(matrix, frame, MARGIN)
    border = cv2.BORDER_REFLECT_101 if is_mirrored else cv2.BORDER_CONSTANT
    height, width = pictures[0].shape[:2]
    before = (max(0, -top), max(0, -left))
    after = (max(0, bottom - height), max(0, right - width))
    crops = []
    for picture in pictures:
        part = picture[max(0, top) : max(1, bottom), max(0, left) : max(1, right)]
        if any(before + after):
            wide = cv2.copyMakeBorder(picture, before[0], after[0], before[1], after[1], border)
            part = wide[top + before[0] : bottom + before[0], left + before[1] : right + before[1]]
        crops.append(_shrink_to_density(part, canvas_side(frame), mean_scale(matrix), translation(-left, -top)))
    return crops


def crop_person(pictures: list[np.ndarray], matrix: np.ndarray, frame: Size) -> list[Crop]:
    """Crop images of a person, (H, W, C) uint8 of one size, to the part that the frame shows."""
    left, top, right, bottom = visible_region(matrix, frame, MARGIN)
    height, width = pictures[0].shape[:2]
    left, right = sorted((min(max(left, 0), width - 1), min(max(right, 1), width)))
    top, bottom = sorted((min(max(top, 0), height - 1), min(max(bottom, 1), height)))
    side = canvas_side(frame) - 2 * _EMPTY_RIM
    scale, shift = mean_scale(matrix), translation(-left, -top)
    return [_shrink_to_density(picture[top:bottom, left:right], side, scale, shift) for picture in pictures]


def person_canvas(foreground: np.ndarray, alpha: np.ndarray, frame: Size) -> np.ndarray:
    """A canvas (4, side, side) of foreground (h, w, 3) and alpha (h, w), uint8, with an empty rim.

    :func:`rim_translation` maps image pixels to canvas pixels.
    """
    return _fill_canvas(foreground, alpha, canvas_side(frame), _EMPTY_RIM)


def place_canvas(image: np.ndarray, mask: np.ndarray, frame: Size) -> np.ndarray:
    """A canvas (4, side, side) of an image (h, w, 3) and a mask (h, w), uint8, without a rim."""
    return _fill_canvas(image, mask, canvas_side(frame), 0)


def rim_translation() -> np.ndarray:
    """The 3x3 map from image pixels to canvas pixels of :func:`person_canvas`."""
    return translation(_EMPTY_RIM, _EMPTY_RIM)


def _fill_canvas(image: np.ndarray, mask: np.ndarray, side: int, rim: int) -> np.ndarray:
    canvas = np.zeros((4, side, side), np.uint8)
    height, width = mask.shape
    inside = canvas[:, rim : rim + height, rim : rim + width]
    inside[:3], inside[3] = image.transpose(2, 0, 1), mask
    if not rim:
        # Repeat the last row and column, which bilinear sampling may reach by rounding.
        canvas[:, :height, width : width + 1] = canvas[:, :height, width - 1 : width]
        canvas[:, height : height + 1] = canvas[:, height - 1 : height]
    return canvas


def _shrink_to_density(part: np.ndarray, side: int, scale: float, shift: np.ndarray) -> Crop:
    """Reduce a part of an image, by area averaging, until it fits the canvas and has at most the canvas density.

    ``scale`` is frame pixels per image pixel; ``shift`` maps pixels of the whole image to those of the part.
    """
    height, width = part.shape[:2]
    scale = min(1.0, side / max(height, width), _CANVAS_DENSITY * scale)
    if scale == 1:
        return Crop(part, shift)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    x, y = size[0] / width, size[1] / height
    resize = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return Crop(cv2.resize(part, size, interpolation=cv2.INTER_AREA), resize @ shift)
