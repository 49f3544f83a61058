"""Sampling where persons and places lie in the frame, as homographies, and locating a person's head.

Pixel centres are at integers and y points down.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.random_sampling import Generator, log_uniform
from howard.synthesis.recipe import PlacementRecipe

Size = tuple[int, int]  # height, width
# Smallest radius of a head in pixels.
_SMALLEST_HEAD_PX = 8


class Person(NamedTuple):
    """A cut-out person."""

    foreground: np.ndarray  # HxWx3 uint8 RGB, straight, extended beyond the silhouette
    alpha: np.ndarray  # HxW uint8, coverage in [0, 255]


def sample_person_matrix(alpha: np.ndarray, frame: Size, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from pixels of a person's image to frame pixels.

    A person that is cut off by the lower edge of its image is also cut off by that of the frame, unless
    ``recipe.method`` is ``reference``.

    Args:
        alpha: (h, w) uint8 of the person.
        frame: height, width.
        recipe: strengths.
        rng: random generator.
    """
    if recipe.method == "reference":
        return sample_reference_matrix(alpha.shape, frame, recipe, rng)
    height, width = frame
    fit = min(height / alpha.shape[0], width / alpha.shape[1])
    scale = fit * log_uniform(recipe.scale, rng)
    matrix = _random_matrix(alpha.shape[:2], frame, scale, recipe, rng)
    shows_head, top = rng.random() < recipe.head_visible_probability, rng.uniform(0, 0.25) * height
    if shows_head and scale * alpha.shape[0] > height:
        middle = np.array([[[(alpha.shape[1] - 1) / 2, 0.0]]])
        matrix = translation(0, top - cv2.perspectiveTransform(middle, matrix)[0, 0, 1]) @ matrix
    return keep_cut_at_bottom(matrix, alpha, frame)


def keep_cut_at_bottom(matrix: np.ndarray, alpha: np.ndarray, frame: Size) -> np.ndarray:
    """Shift a map from image to frame down until a person cut off by the image's lower edge reaches the frame's."""
    columns = np.flatnonzero(alpha[-1] > 127)
    if not len(columns):
        return matrix
    ends = np.array([[[columns[0], alpha.shape[0] - 1.5]], [[columns[-1], alpha.shape[0] - 1.5]]], np.float64)
    above = frame[0] - 1 - cv2.perspectiveTransform(ends, matrix)[:, 0, 1].min()
    return translation(0, max(above, 0)) @ matrix


def sample_place_matrix(picture: Size, frame: Size, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from pixels of a place's image (height, width) to frame pixels."""
    if recipe.method == "reference":
        return sample_reference_matrix(picture, frame, recipe, rng)
    fill = max(frame[0] / picture[0], frame[1] / picture[1])
    scale = fill * log_uniform(recipe.scale, rng)
    return _random_matrix(picture, frame, scale, recipe, rng)


def sample_reference_matrix(picture: Sequence[int], frame: Size, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from image pixels to frame pixels as in the reference implementation of Lin et al. 2021.

    It is ``PairRandomAffineAndResize`` of PeterL1n/BackgroundMattingV2, dataset/augmentation.py, and the horizontal
    flip after it. The scale is uniform, and 1 where the image *fills* the frame (the larger ratio of sides). Shifts are
    fractions of the image at that size. Shear is horizontal only. A person may be outside of the frame, or be cut off
    within the frame.
    """
    height, width = picture[:2]
    fill = max(frame[0] / height, frame[1] / width)
    angle, shear = np.deg2rad([rng.uniform(-limit, limit) for limit in (recipe.rotation, recipe.shear)])
    linear = fill * rng.uniform(*recipe.scale) * rotation_matrix(angle) @ np.array([[1, np.tan(shear)], [0, 1]])
    shift = [rng.uniform(-recipe.shift, recipe.shift) * fill * side for side in (width, height)]
    matrix = _centred(picture, frame, linear, shift)
    if rng.random() < recipe.flip:
        matrix = np.array([[-1.0, 0, frame[1] - 1], [0, 1, 0], [0, 0, 1]]) @ matrix
    return matrix


def sample_homography(frame: Size, largest_px: float, rng: Generator) -> np.ndarray:
    """A homography (3, 3) that moves each corner of the frame by up to ``largest_px`` in x and in y."""
    height, width = frame
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    moved = corners + rng.uniform(-largest_px, largest_px, (4, 2)).astype(np.float32)
    return cv2.getPerspectiveTransform(corners, moved)


def sample_affine(frame: Size, rotation: float, shift: float, rng: Generator) -> np.ndarray:
    """A rotation about the frame centre by up to ``rotation`` degrees and a shift by up to a fraction of the side."""
    centre = ((frame[1] - 1) / 2, (frame[0] - 1) / 2)
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D(centre, rng.uniform(-rotation, rotation), 1.0)
    matrix[0, 2] += rng.uniform(-shift, shift) * frame[1]
    matrix[1, 2] += rng.uniform(-shift, shift) * frame[0]
    return matrix


def handheld_motion(path: np.ndarray, frame: Size, amplitude: float) -> np.ndarray:
    """Homographies from frame pixels to those of the first frame for a hand-held camera, (T, 3, 3).

    ``path`` (T, 4) is x, y, rotation and zoom in about [-1, 1]. At 1, shifts are ``amplitude`` times the side, the
    rotation is a third of ``amplitude`` in radians, and the logarithm of the zoom is half of ``amplitude``.
    """
    height, width = frame
    centre = translation((width - 1) / 2, (height - 1) / 2)
    matrices = []
    for x, y, turn, zoom in amplitude * path:
        scale, angle = np.exp(zoom / 2), turn / 3
        linear = np.eye(3)
        linear[:2, :2] = scale * rotation_matrix(angle)
        matrices.append(translation(x * width, y * height) @ centre @ linear @ np.linalg.inv(centre))
    return np.stack(matrices)


def translation(x: float, y: float) -> np.ndarray:
    """The 3x3 matrix of a shift by (x, y)."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def mean_scale(matrix: np.ndarray) -> float:
    """Mean factor by which a nearly affine 3x3 map scales lengths near its origin."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2] / matrix[2, 2]))))


def visible_region(matrix: np.ndarray, frame: Size, margin: float) -> Sequence[int]:
    """Bounding box of the image pixels that a frame with a margin shows: left, top, right, bottom (exclusive).

    ``matrix`` maps image pixels to frame pixels, ``margin`` is a fraction of the frame side. The box may extend beyond
    the image.
    """
    height, width = frame
    rim_x, rim_y = margin * width, margin * height
    corners = [[-rim_x, -rim_y], [width - 1 + rim_x, -rim_y], [width - 1 + rim_x, height - 1 + rim_y]]
    outline = np.array([[*corners, [-rim_x, height - 1 + rim_y]]])
    [visible] = cv2.perspectiveTransform(outline, np.linalg.inv(matrix))
    left, top = np.floor(visible.min(axis=0)).astype(int)
    right, bottom = np.ceil(visible.max(axis=0)).astype(int) + 1
    return int(left), int(top), int(right), int(bottom)


def _random_matrix(picture: Size, frame: Size, scale: float, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from image to frame pixels: centre to centre, scaled, and varied as the recipe says."""
    height, width = frame
    angle, shear_x, shear_y = np.deg2rad(
        [rng.uniform(-limit, limit) for limit in (recipe.rotation, recipe.shear, recipe.shear)]
    )
    linear = scale * rotation_matrix(angle)
    linear = linear @ np.array([[1, np.tan(shear_x)], [np.tan(shear_y), 1]])
    if rng.random() < recipe.flip:
        linear = linear @ np.diag([-1.0, 1.0])
    shift = [rng.uniform(-recipe.shift, recipe.shift) * side for side in (width, height)]
    matrix = _centred(picture, frame, linear, shift)
    return sample_homography(frame, recipe.perspective * max(frame), rng) @ matrix


def rotation_matrix(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _centred(picture: Sequence[int], frame: Size, linear: np.ndarray, shift: Sequence[float]) -> np.ndarray:
    """A 2x2 linear map as a 3x3 map that takes the image centre to the frame centre plus ``shift`` (x, y) pixels."""
    affine = np.eye(3)
    affine[:2, :2] = linear
    centred = translation((frame[1] - 1) / 2 + shift[0], (frame[0] - 1) / 2 + shift[1]) @ affine
    return centred @ translation(-(picture[1] - 1) / 2, -(picture[0] - 1) / 2)


class Head(NamedTuple):
    """Centre (x, y) and radius of the largest circle within a head, in pixels."""

    centre: np.ndarray
    radius: float


def find_head(alpha: np.ndarray) -> Head | None:
    """Locate the head of an upright person by the silhouette: the largest circle below the topmost point.

    Returns None if the silhouette (h, w) uint8 is empty, starts at the upper edge of the image, or is only a few pixels
    wide at its top.
    """
    solid = (alpha > 127).astype(np.uint8)
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows) or rows[0] < 2:
        return None
    top = int(rows[0])
    column = int(np.median(np.flatnonzero(solid[top : top + 3].any(axis=0))))
    depth = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    depth = depth[1 + top : -1, 1 + column]
    # The circle grows with the distance from the top until it meets the sides of the head.
    too_deep = np.flatnonzero(depth < 0.85 * np.arange(len(depth)) - 2)
    if not len(too_deep):
        return None
    radius = float(depth[: too_deep[0] + 1].max())
    if radius < _SMALLEST_HEAD_PX:
        return None
    return Head(np.array([column, top + radius], np.float64), radius)
