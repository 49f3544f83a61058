"""Images in alignment: sizes, coordinates and levels.

Points are x and y in pixels, y down, pixel centres at integers. Colours are given in levels: sRGB-encoded code values
in which 255 is white, for images of every depth.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.images import full_scale, shrink_to

# Long side of the images for which distances in pixels are given.
FULL_SIDE = 1920
WHITE = 255.0


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


class Grid(NamedTuple):
    """Columns and rows of equal cells that divide an image."""

    columns: int
    rows: int


def size_of(image: np.ndarray) -> Size:
    """Size of an (H, W) or (H, W, C) picture."""
    return Size(image.shape[1], image.shape[0])


def scale_pixels(pixels: float, size: Size) -> float:
    """Convert a distance in pixels at a long side of 1920 to pixels of an image of ``size``."""
    return pixels * max(size) / FULL_SIDE


def orient_grid(grid: Grid, size: Size) -> Grid:
    """The ``grid``, given for landscape images, with columns and rows swapped if ``size`` is portrait."""
    return Grid(grid.rows, grid.columns) if size.height > size.width else grid


def reduce_to(image: np.ndarray, long_side: int) -> np.ndarray:
    """Reduce an image to ``long_side`` by area averaging; smaller images are returned unchanged."""
    # OpenCV is fastest at halving, and repeated 2x2 means equal the mean of a larger block.
    while max(image.shape[:2]) % (2 * long_side) == 0 and min(image.shape[:2]) % 2 == 0:
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return shrink_to(image, long_side)


def resize_offsets(offsets: np.ndarray, size: Size) -> np.ndarray:
    """Resize a map of offsets, (h, w, 2) float32 in its own pixels; the result is in pixels of the new size."""
    if size_of(offsets) == size:
        return offsets
    scale = np.array(size, np.float64) / np.array(size_of(offsets))
    resized = cv2.resize(offsets, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(resized, (*scale.tolist(), 0, 0)))  # type: ignore


def apply_homography(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map (N, 2) points through a (3, 3) matrix; float64."""
    mapped = points.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return mapped[:, :2] / mapped[:, 2:]


def resizing(old: Size, new: Size) -> np.ndarray:
    """The (3, 3) matrix that maps pixels of an image to pixels of its resized copy: x' = (x + 0.5) s - 0.5."""
    x, y = new.width / old.width, new.height / old.height
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]], np.float64)


def to_bytes(image: np.ndarray) -> np.ndarray:
    """An image of any depth as (H, W, 3) uint8, clipped at white; uint8 images are returned unchanged."""
    return image if image.dtype == np.uint8 else from_levels(to_levels(image), np.dtype(np.uint8))


def to_levels(image: np.ndarray) -> np.ndarray:
    """An image in levels, (H, W, 3) float32; floating-point images may exceed 255; NaN and infinity become 0."""
    levels = image.astype(np.float32)
    if image.dtype == np.float32:
        # Rendered images may contain them, and a single one would invalidate every average.
        np.nan_to_num(levels, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    scale = WHITE / full_scale(image.dtype)
    return levels if scale == 1 else np.multiply(levels, np.float32(scale), out=levels)


def from_levels(levels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert (H, W, 3) float32 levels to ``dtype``: integers are rounded and clipped, floats only clipped at 0."""
    scale = full_scale(dtype) / WHITE
    if dtype == np.float32:
        return np.maximum(levels * np.float32(scale), 0)
    depth = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
    return np.asarray(cv2.multiply(levels, (scale, scale, scale, 0), dtype=depth))  # type: ignore


def mean_difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """|first - second| averaged over the channels: (H, W) float32 from (H, W, 3) float32 images."""
    return np.asarray(cv2.transform(cv2.absdiff(first, second), np.full((1, 3), 1 / 3, np.float32)))
