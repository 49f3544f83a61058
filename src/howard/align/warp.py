"""Warping a plate to the source in one resampling step, with a coverage mask."""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.pictures import Size, reduce_to, resize_offsets, resizing, size_of

# Half the cubic kernel's width: pixels nearer to the plate's edge would partly be interpolated from border values.
CUBIC_SUPPORT = 1.0
OUTSIDE = -1e6
# Area of a plate pixel in source pixels below which the plate is reduced by averaging first.
_FINER_AREA = 0.6


class Warped(NamedTuple):
    """``image`` (H, W, 3) of the plate's dtype, 0 where ``coverage`` (H, W) bool is False."""

    image: np.ndarray
    coverage: np.ndarray


class ScaledPlate(NamedTuple):
    """A plate ``image`` (h, w, 3) and the ``matrix`` (3, 3) that maps its pixels to source pixels."""

    image: np.ndarray
    matrix: np.ndarray


def plate_positions(matrix: np.ndarray, size: Size, displacement: np.ndarray | None = None) -> np.ndarray:
    """The plate position of every source pixel: (H, W, 2) float32, x and y, pixel centres at integers.

    ``matrix`` (3, 3) maps plate pixels to source pixels, ``size`` is the source's. ``displacement`` (H, W, 2) float32,
    in source pixels, is added to each source pixel before the inverse homography; both are combined to one map, so that
    the plate is sampled once.
    """
    inverse = np.linalg.inv(matrix)
    pixels = pixel_grid(size)
    shown = pixels if displacement is None else cv2.add(pixels, displacement)
    positions = np.asarray(cv2.perspectiveTransform(shown, inverse))
    beyond = beyond_horizon(matrix, size)
    if beyond is not None:
        positions[beyond] = OUTSIDE
    return positions


def interpolated_positions(matrix: np.ndarray, size: Size, displacement: np.ndarray | None = None) -> np.ndarray:
    """`plate_positions`, computed for every second pixel and row and interpolated in between, in a third of the time.

    The error is a few thousandths of a pixel. ``displacement`` may be of any size, in its own pixels; if it is finer
    than every second pixel, nothing is interpolated.
    """
    # Nodes are at the centres of blocks of two by two pixels, including one block beyond each edge.
    coarse = Size(-(-size.width // 2), -(-size.height // 2))
    offsets = None
    if displacement is not None:
        if max(displacement.shape[:2]) > max(coarse):
            return plate_positions(matrix, size, resize_offsets(displacement, size))
        resized = resize_offsets(displacement, coarse)
        if size.width % 2 or size.height % 2:
            resized = resized * (np.array(size, np.float32) / (2 * np.array(coarse, np.float32)))
        offsets = cv2.copyMakeBorder(resized, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    to_nodes = np.array([[0.5, 0, 0.75], [0, 0.5, 0.75], [0, 0, 1]])
    nodes = Size(coarse.width + 2, coarse.height + 2)
    positions = plate_positions(to_nodes @ matrix, nodes, offsets)
    enlarged = cv2.resize(positions, (2 * nodes.width, 2 * nodes.height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged[2 : 2 + size.height, 2 : 2 + size.width])


def sample_plate(plate: np.ndarray, positions: np.ndarray, valid: np.ndarray | None = None) -> Warped:
    """Sample an (h, w, 3) plate, uint8 or float32, by cubic interpolation (a = -0.75) at (H, W, 2) plate positions.

    ``valid`` is as in :func:`covered`.
    """
    coverage = covered(positions, size_of(plate), valid)
    return Warped(np.asarray(cv2.copyTo(resample(plate, positions), coverage.view(np.uint8))), coverage)


def resample(plate: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The plate, uint8 or float32, at (H, W, 2) positions by cubic interpolation (a = -0.75), with its border
    repeated."""
    # OpenCV's type stubs do not allow None as the second map.
    return cv2.remap(plate, positions, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)  # type: ignore


def covered(positions: np.ndarray, plate_size: Size, valid: np.ndarray | None = None) -> np.ndarray:
    """Mask of (H, W, 2) plate positions so far inside the plate that no border value is used: (H, W) bool.

    ``valid`` (h, w) bool, of any size, is False where the plate must not be used; None where all of it may be.
    """
    right, bottom = plate_size.width - 1 - CUBIC_SUPPORT, plate_size.height - 1 - CUBIC_SUPPORT
    inside = cv2.inRange(positions, (CUBIC_SUPPORT, CUBIC_SUPPORT, 0, 0), (right, bottom, 0, 0))  # type: ignore
    coverage = np.asarray(inside).view(np.bool_)
    return coverage if valid is None else coverage & sample_valid(valid, positions, plate_size)


def sample_valid(valid: np.ndarray, positions: np.ndarray, plate_size: Size) -> np.ndarray:
    """A plate's validity mask, (h, w) bool of any size, at (H, W, 2) positions in the plate: (H, W) bool.

    Positions between pixels are valid if all neighbouring pixels are; outside the plate its border is repeated.
    """
    scale = np.array(size_of(valid)) / np.array(plate_size)
    shift = (scale - 1) / 2
    scaled = cv2.add(cv2.multiply(positions, (*scale.tolist(), 0, 0)), (*shift.tolist(), 0, 0))  # type: ignore
    levels = valid.astype(np.uint8) * np.uint8(255)
    found = cv2.remap(levels, scaled, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    return np.asarray(found) == 255


def warp_reduced(
    plate: np.ndarray,
    source: np.ndarray,
    matrix: np.ndarray,
    plate_size: Size,
    source_size: Size,
    displacement: np.ndarray | None = None,
    valid: np.ndarray | None = None,
) -> Warped:
    """Warp a reduced plate onto a reduced source, both (h, w, 3) uint8.

    ``matrix`` maps plate pixels to source pixels at their full sizes, ``plate_size`` and ``source_size``;
    ``displacement`` (h, w, 2) is in reduced source pixels; ``valid`` is as in :func:`covered`.
    """
    reduced = reduced_matrix(matrix, plate, source, plate_size, source_size)
    return sample_plate(plate, plate_positions(reduced, size_of(source), displacement), valid)


def reduced_matrix(
    matrix: np.ndarray, plate: np.ndarray, source: np.ndarray, plate_size: Size, source_size: Size
) -> np.ndarray:
    """The plate -> source matrix of reduced images, from ``matrix`` for the full sizes."""
    to_source = resizing(source_size, size_of(source))
    to_plate = resizing(plate_size, size_of(plate))
    return to_source @ matrix @ np.linalg.inv(to_plate)


def shrink_plate(plate: np.ndarray, matrix: np.ndarray) -> ScaledPlate:
    """Reduce a plate with a much larger scale than the source by averaging, so that sampling does not alias.

    ``plate`` (h, w, 3) uint8 or float32; ``matrix`` maps its pixels to source pixels.
    """
    area = abs(np.linalg.det(matrix[:2, :2] / matrix[2, 2]))
    if area > _FINER_AREA:
        return ScaledPlate(plate, matrix)
    reduced = reduce_to(plate, max(1, round(max(plate.shape[:2]) * area**0.5)))
    return ScaledPlate(reduced, matrix @ np.linalg.inv(resizing(size_of(plate), size_of(reduced))))


def beyond_horizon(matrix: np.ndarray, size: Size) -> np.ndarray | None:
    """Source pixels beyond the horizon of the plate's plane, whose plate positions are mirrored: (H, W) bool; None if
    none.

    ``matrix`` maps plate pixels to source pixels; the plate's origin must be in front of the camera.
    """
    row = np.linalg.inv(matrix)[2] * np.sign(matrix[2, 2])
    x, y = np.arange(size.width), np.arange(size.height)[:, None]
    corners = row[2] + row[0] * np.array([0, size.width - 1])[None] + row[1] * np.array([0, size.height - 1])[:, None]
    return None if corners.min() > 0 else row[0] * x + row[1] * y + row[2] <= 0


@lru_cache(maxsize=8)
def pixel_grid(size: Size) -> np.ndarray:
    """The position of every pixel: (H, W, 2) float32, x and y; cached, so it must not be modified."""
    x, y = np.meshgrid(np.arange(size.width, dtype=np.float32), np.arange(size.height, dtype=np.float32))
    grid = np.stack([x, y], axis=-1)
    grid.flags.writeable = False
    return grid
