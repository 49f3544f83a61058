"""Small images that explain a sampled frame: uint8, (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.images import shrink_to, to_uint8

# Width and height of the enlarged crop as a fraction of the frame's.
_CROP_FRACTION = 1 / 6
# Long side, in pixels, of the reduced score map in which the crop is searched.
_SEARCH_SIDE = 640
_WEBP_QUALITY = 75
_GREY = 128
_ORANGE = np.array([255, 140, 40], np.uint8)
# Width in pixels of the stripes where the plate has no coverage.
_STRIPE = 12


class Crop(NamedTuple):
    """A rectangle in pixels; ``x`` and ``y`` are its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def of(self, image: np.ndarray) -> np.ndarray:
        """The rectangle of ``image`` (H, W, ...)."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


def crop_around(score: np.ndarray) -> Crop:
    """The rectangle that contains most of ``score`` (H, W), centred on it as far as possible."""
    size = np.array(score.shape[::-1])
    small = shrink_to(score.astype(np.float32), _SEARCH_SIDE)
    window = np.maximum(1, np.rint(_CROP_FRACTION * np.array(small.shape[::-1])).astype(int)).tolist()
    # Two box filters weight the centre most.
    for _ in range(2):
        small = cv2.blur(small, window, borderType=cv2.BORDER_CONSTANT)
    row, column = np.unravel_index(np.argmax(small), small.shape)
    centre = (np.array([column, row]) + 0.5) * size / small.shape[::-1]
    extent = np.maximum(1, np.rint(_CROP_FRACTION * size))
    corner = np.clip(np.rint(centre - extent / 2), 0, size - extent)
    return Crop(*corner.astype(int).tolist(), *extent.astype(int).tolist())


def shrink_rgba_to(rgba: np.ndarray, long_side: int) -> np.ndarray:
    """Straight RGBA with at most this long side; colours are weighted by alpha, so empty pixels do not bleed."""
    if max(rgba.shape) <= long_side:
        return rgba
    alpha = np.ascontiguousarray(rgba[..., 3])
    weighted = cv2.multiply(np.ascontiguousarray(rgba[..., :3]), cv2.merge([alpha] * 3), scale=1 / 255)
    solid = shrink_to(alpha, long_side)[..., None]
    colour = shrink_to(weighted, long_side) * (255 / np.maximum(solid, 1))
    return np.concatenate([np.rint(colour.clip(0, 255)).astype(np.uint8), solid], axis=2)


def composite_over_grey(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA composited over mid-grey, as RGB."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(alpha * rgba[..., :3] + (1 - alpha) * _GREY).astype(np.uint8)


def to_heat_map(values: np.ndarray) -> np.ndarray:
    """Floats (h, w) in [0, 1], clipped, as OpenCV's "inferno" colours: black, red, yellow."""
    return cv2.cvtColor(cv2.applyColorMap(to_uint8(values), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)


def render_residual(difference: np.ndarray, coverage: np.ndarray, max_levels: float) -> np.ndarray:
    """Heat map of |source - plate| (H, W, 3), with the last colour at ``max_levels``; grey where not covered."""
    heat = to_heat_map(difference.mean(axis=2, dtype=np.float32) / max_levels)
    heat[coverage < 0.5] = _GREY
    return heat


def render_plate(plate: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """The plate with grey stripes where ``coverage`` (H, W) is below 0.5."""
    diagonals = np.add.outer(*(np.arange(side) for side in coverage.shape)) // _STRIPE
    stripes = np.where(diagonals % 2, 96, 160).astype(np.uint8)
    return np.where((coverage < 0.5)[..., None], stripes[..., None], plate)


def render_patches(source: np.ndarray, refined: np.ndarray) -> np.ndarray:
    """The source dimmed and in grey, with orange where ``refined`` (H, W) is 0.5 or more."""
    grey = cv2.cvtColor(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) // 2
    return np.where((refined >= 0.5)[..., None], grey // 2 + _ORANGE // 2, grey)


def encode_webp(image: np.ndarray) -> bytes:
    """A WebP file: half the size of JPEG, and it can be transparent."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    return cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])[1].tobytes()
