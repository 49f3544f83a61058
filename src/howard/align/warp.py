"""Bringing plate pixels to their places in the source: one resample, and honest about where there was nothing."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.geometry import Size, reduce_to, resizing, size_of

# Half the cubic kernel's width: a pixel nearer to the plate's edge would be made up in part by border values.
_CUBIC_REACH = 1.0
_NOWHERE = -1e6
# Area of a plate pixel in the source, below which the plate is averaged first.
_FINER_AREA = 0.6


class Warped(NamedTuple):
    """``image`` (H, W, 3) uint8, 0 where ``coverage`` (H, W) bool is False."""

    image: np.ndarray
    coverage: np.ndarray


class ScaledPlate(NamedTuple):
    """A plate ``image`` (h, w, 3) uint8 and the ``matrix`` (3, 3) that maps its pixels to source pixels."""

    image: np.ndarray
    matrix: np.ndarray


def plate_positions(matrix: np.ndarray, size: Size, flow: np.ndarray | None = None) -> np.ndarray:
    """For every source pixel the plate pixel shown there: (H, W, 2) float32, x and y, pixel centres at integers.

    ``matrix`` (3, 3) maps plate pixels to source pixels, ``size`` is the source's. ``flow`` (H, W, 2), in source
    pixels, says how far from each source pixel the homography alone would have put what is seen there; both become
    one map, so that the plate is sampled once.
    """
    inverse = np.linalg.inv(matrix)
    x = np.arange(size.width, dtype=np.float32)[None]
    y = np.arange(size.height, dtype=np.float32)[:, None]
    if flow is not None:
        x, y = x + flow[..., 0], y + flow[..., 1]
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    # On the horizon there is no position, and behind it only a mirrored one; a sane matrix has its origin in front.
    seen = depth * np.sign(matrix[2, 2]) > 0
    positions = np.full((size.height, size.width, 2), _NOWHERE, np.float32)
    for axis in range(2):
        numerator = inverse[axis, 0] * x + inverse[axis, 1] * y + inverse[axis, 2]
        np.divide(numerator, depth, out=positions[..., axis], where=seen, casting="same_kind")
    return positions


def sample_plate(plate: np.ndarray, positions: np.ndarray) -> Warped:
    """Sample an (h, w, 3) uint8 plate once, cubic, at (H, W, 2) plate positions."""
    height, width = plate.shape[:2]
    x, y = positions[..., 0], positions[..., 1]
    coverage = (x >= _CUBIC_REACH) & (x <= width - 1 - _CUBIC_REACH)
    coverage &= (y >= _CUBIC_REACH) & (y <= height - 1 - _CUBIC_REACH)
    # OpenCV's stubs do not know that the second map may be None.
    image = cv2.remap(plate, positions, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    image[~coverage] = 0
    return Warped(image, coverage)


def warp_reduced(
    plate: np.ndarray, source: np.ndarray, matrix: np.ndarray, plate_size: Size, source_size: Size
) -> Warped:
    """Warp a reduced plate onto a reduced source, both (h, w, 3) uint8.

    ``matrix`` maps plate pixels to source pixels at their full sizes, ``plate_size`` and ``source_size``.
    """
    to_source = resizing(source_size, size_of(source))
    to_plate = resizing(plate_size, size_of(plate))
    return sample_plate(plate, plate_positions(to_source @ matrix @ np.linalg.inv(to_plate), size_of(source)))


def shrink_plate(plate: np.ndarray, matrix: np.ndarray) -> ScaledPlate:
    """Average a plate that is much finer than the source down to its scale, so that sampling does not alias.

    ``plate`` (h, w, 3) uint8; ``matrix`` maps its pixels to source pixels.
    """
    area = abs(np.linalg.det(matrix[:2, :2] / matrix[2, 2]))
    if area > _FINER_AREA:
        return ScaledPlate(plate, matrix)
    reduced = reduce_to(plate, max(1, round(max(plate.shape[:2]) * area**0.5)))
    return ScaledPlate(reduced, matrix @ np.linalg.inv(resizing(size_of(plate), size_of(reduced))))
