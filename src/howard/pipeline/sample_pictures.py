"""The small pictures that explain a sampled frame. Pictures are uint8: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA."""

from typing import NamedTuple

import cv2
import numpy as np

# The part of the picture, along each side, that is shown enlarged.
_CROP_SHARE = 1 / 6
# The crop is looked for in a picture of no more than this along its longer side.
_SEARCH_SIDE = 640
_QUALITY = 75
_GREY = 128
_ORANGE = np.array([255, 140, 40], np.uint8)
_STRIPE = 12


class Crop(NamedTuple):
    """A part of a picture, in pixels; ``x`` and ``y`` are of its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def of(self, image: np.ndarray) -> np.ndarray:
        """The part of (H, W, ...)."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


def crop_around(score: np.ndarray) -> Crop:
    """The part of a picture that has most of ``score`` (H, W) in it, as near its middle as may be."""
    size = np.array(score.shape[::-1])
    small = reduce_picture(score.astype(np.float32), _SEARCH_SIDE)
    window = np.maximum(1, np.rint(_CROP_SHARE * np.array(small.shape[::-1])).astype(int)).tolist()
    # Twice, so that what lies in the middle counts most.
    for _ in range(2):
        small = cv2.blur(small, window, borderType=cv2.BORDER_CONSTANT)
    row, column = np.unravel_index(np.argmax(small), small.shape)
    centre = (np.array([column, row]) + 0.5) * size / small.shape[::-1]
    extent = np.maximum(1, np.rint(_CROP_SHARE * size))
    corner = np.clip(np.rint(centre - extent / 2), 0, size - extent)
    return Crop(*corner.astype(int).tolist(), *extent.astype(int).tolist())


def reduce_picture(image: np.ndarray, long_side: int) -> np.ndarray:
    """``image`` (H, W, ...) no longer than ``long_side``; a smaller one as it is."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(scale * width)), max(1, round(scale * height))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def reduce_cut_out(rgba: np.ndarray, long_side: int) -> np.ndarray:
    """Straight RGBA no longer than ``long_side``; the colour of empty pixels does not get into their neighbours'."""
    if max(rgba.shape) <= long_side:
        return rgba
    alpha = np.ascontiguousarray(rgba[..., 3])
    weighted = cv2.multiply(np.ascontiguousarray(rgba[..., :3]), cv2.merge([alpha] * 3), scale=1 / 255)
    solid = reduce_picture(alpha, long_side)[..., None]
    colour = reduce_picture(weighted, long_side) * (255 / np.maximum(solid, 1))
    return np.concatenate([np.rint(colour.clip(0, 255)).astype(np.uint8), solid], axis=2)


def over_grey(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA on grey, as RGB."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(alpha * rgba[..., :3] + (1 - alpha) * _GREY).astype(np.uint8)


def to_levels(values: np.ndarray) -> np.ndarray:
    """Floats in [0, 1], clipped, as uint8."""
    return np.rint(255 * values.clip(0, 1)).astype(np.uint8)


def to_heat(values: np.ndarray) -> np.ndarray:
    """Floats (h, w) in [0, 1], clipped, as colours from black by red to yellow."""
    return cv2.cvtColor(cv2.applyColorMap(to_levels(values), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)


def draw_residual(difference: np.ndarray, coverage: np.ndarray, hottest: float) -> np.ndarray:
    """How far source and plate (H, W, 3) are apart, in colours that end at ``hottest`` levels; grey if not covered."""
    heat = to_heat(difference.mean(axis=2, dtype=np.float32) / hottest)
    heat[coverage < 0.5] = _GREY
    return heat


def draw_plate(plate: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """The plate with stripes where ``coverage`` (H, W) says that it saw nothing."""
    diagonals = np.add.outer(*(np.arange(side) for side in coverage.shape)) // _STRIPE
    stripes = np.where(diagonals % 2, 96, 160).astype(np.uint8)
    return np.where((coverage < 0.5)[..., None], stripes[..., None], plate)


def draw_patches(source: np.ndarray, refined: np.ndarray) -> np.ndarray:
    """The source, dim and grey, with orange where ``refined`` (H, W) is 0.5 or more."""
    grey = cv2.cvtColor(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) // 2
    return np.where((refined >= 0.5)[..., None], grey // 2 + _ORANGE // 2, grey)


def encode_picture(picture: np.ndarray) -> bytes:
    """A WebP file: half the size of JPEG, and it can be transparent."""
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    return cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])[1].tobytes()
