"""Where persons and places lie in the frame, drawn as matrices; nothing is warped here.

Finding an upright person's head from the silhouette alone."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.random_sampling import Generator, log_uniform
from howard.synthesis.recipe import PlacementRecipe

Size = tuple[int, int]  # height, width
# Radius in pixels below which a silhouette's top is not taken for a head.
_SMALLEST_HEAD_PX = 8


class Person(NamedTuple):
    """A person cut out of a picture."""

    foreground: np.ndarray  # HxWx3 uint8 RGB, straight, extended beyond the silhouette
    alpha: np.ndarray  # HxW uint8, coverage in [0, 255]


def draw_person_matrix(alpha: np.ndarray, frame: Size, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from pixels of a person's picture to frame pixels; centres at integers, y down.

    Args:
        alpha: (h, w) uint8 of the person; one that its picture cuts at the bottom is cut by the frame at least as high.
        frame: size to be filled.
        recipe: strengths.
        rng: source of every draw.
    """
    if recipe.method == "reference":
        return reference_matrix(alpha.shape, frame, recipe, rng)
    height, width = frame
    fit = min(height / alpha.shape[0], width / alpha.shape[1])
    scale = fit * log_uniform(recipe.scale, rng)
    matrix = _random_matrix(alpha.shape[:2], frame, scale, recipe, rng)
    shows_head, top = rng.random() < recipe.head_first, rng.uniform(0, 0.25) * height
    if shows_head and scale * alpha.shape[0] > height:
        middle = np.array([[[(alpha.shape[1] - 1) / 2, 0.0]]])
        matrix = translation(0, top - cv2.perspectiveTransform(middle, matrix)[0, 0, 1]) @ matrix
    return keep_cut(matrix, alpha, frame)


def keep_cut(matrix: np.ndarray, alpha: np.ndarray, frame: Size) -> np.ndarray:
    """Lower a picture -> frame map until a person that the picture's bottom cuts ends at the frame's bottom."""
    columns = np.flatnonzero(alpha[-1] > 127)
    if not len(columns):
        return matrix
    ends = np.array([[[columns[0], alpha.shape[0] - 1.5]], [[columns[-1], alpha.shape[0] - 1.5]]], np.float64)
    above = frame[0] - 1 - cv2.perspectiveTransform(ends, matrix)[:, 0, 1].min()
    return translation(0, max(above, 0)) @ matrix


def draw_place_matrix(picture: Size, frame: Size, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from pixels of a place's picture to frame pixels; centres at integers, y down."""
    if recipe.method == "reference":
        return reference_matrix(picture, frame, recipe, rng)
    fill = max(frame[0] / picture[0], frame[1] / picture[1])
    scale = fill * log_uniform(recipe.scale, rng)
    return _random_matrix(picture, frame, scale, recipe, rng)


def reference_matrix(picture: Sequence[int], frame: Size, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from a picture's pixels to frame pixels as the reference implementation of Lin et al. 2021 samples it.

    ``PairRandomAffineAndResize`` of PeterL1n/BackgroundMattingV2, dataset/augmentation.py, and the horizontal flip
    after it. Scales are uniform, and relative to that at which the picture *fills* the frame (the larger of the two
    ratios of sides); shifts are shares of the picture at that size; shear is horizontal alone. Nothing keeps a person
    in the frame, or one that the picture cuts at the frame's edge.
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


def draw_homography(frame: Size, largest_px: float, rng: Generator) -> np.ndarray:
    """A 3x3 map that moves each corner of the frame by up to ``largest_px`` in x and in y."""
    height, width = frame
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    moved = corners + rng.uniform(-largest_px, largest_px, (4, 2)).astype(np.float32)
    return cv2.getPerspectiveTransform(corners, moved)


def draw_affine(frame: Size, rotation: float, shift: float, rng: Generator) -> np.ndarray:
    """A 3x3 rotation about the frame's centre, by degrees, and a shift, by a share of the side."""
    centre = ((frame[1] - 1) / 2, (frame[0] - 1) / 2)
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D(centre, rng.uniform(-rotation, rotation), 1.0)
    matrix[0, 2] += rng.uniform(-shift, shift) * frame[1]
    matrix[1, 2] += rng.uniform(-shift, shift) * frame[0]
    return matrix


def moving_frame(path: np.ndarray, frame: Size, amplitude: float) -> np.ndarray:
    """Maps frame pixels to those of the first frame as a hand-held camera moves, (T, 3, 3).

    ``path`` (T, 4) moves it sideways and up by ``amplitude`` of the side, turns it by a third of that in radians and
    zooms by half.
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
    """The 3x3 matrix of a shift in pixels."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def enlargement(matrix: np.ndarray) -> float:
    """By how much a nearly affine 3x3 map enlarges lengths, near its origin."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2] / matrix[2, 2]))))


def visible_region(matrix: np.ndarray, frame: Size, margin: float) -> Sequence[int]:
    """Left, top, right, bottom (the latter two excluded) of the picture's pixels that a frame with a margin shows.

    ``matrix`` maps picture pixels to frame pixels, ``margin`` is a share of the frame's side. The region may reach
    beyond the picture.
    """
    height, width = frame
    rim_x, rim_y = margin * width, margin * height
    corners = [[-rim_x, -rim_y], [width - 1 + rim_x, -rim_y], [width - 1 + rim_x, height - 1 + rim_y]]
    outline = np.array([[*corners, [-rim_x, height - 1 + rim_y]]])
    [seen] = cv2.perspectiveTransform(outline, np.linalg.inv(matrix))
    left, top = np.floor(seen.min(axis=0)).astype(int)
    right, bottom = np.ceil(seen.max(axis=0)).astype(int) + 1
    return int(left), int(top), int(right), int(bottom)


def _random_matrix(picture: Size, frame: Size, scale: float, recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """A 3x3 map from picture pixels to frame pixels: centre to centre, then the draws."""
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
    return draw_homography(frame, recipe.perspective * max(frame), rng) @ matrix


def rotation_matrix(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _centred(picture: Sequence[int], frame: Size, linear: np.ndarray, shift: Sequence[float]) -> np.ndarray:
    """A 2x2 map about the picture's centre, which lies ``shift`` (x, y) pixels from the frame's: (3, 3)."""
    affine = np.eye(3)
    affine[:2, :2] = linear
    centred = translation((frame[1] - 1) / 2 + shift[0], (frame[0] - 1) / 2 + shift[1]) @ affine
    return centred @ translation(-(picture[1] - 1) / 2, -(picture[0] - 1) / 2)


class Head(NamedTuple):
    """Where a head is in a picture: the centre (x, y) and the radius of the circle that fills it, in pixels."""

    centre: np.ndarray
    radius: float


def find_head(alpha: np.ndarray) -> Head | None:
    """The head of an upright person, (h, w) uint8: the largest circle below the topmost point, or None.

    There is none if the silhouette is empty, begins at the picture's edge, or is but a few pixels wide at its top.
    """
    solid = (alpha > 127).astype(np.uint8)
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows) or rows[0] < 2:
        return None
    top = int(rows[0])
    column = int(np.median(np.flatnonzero(solid[top : top + 3].any(axis=0))))
    depth = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    depth = depth[1 + top : -1, 1 + column]
    # Going down the circle grows until it meets the sides of the head.
    too_deep = np.flatnonzero(depth < 0.85 * np.arange(len(depth)) - 2)
    if not len(too_deep):
        return None
    radius = float(depth[: too_deep[0] + 1].max())
    if radius < _SMALLEST_HEAD_PX:
        return None
    return Head(np.array([column, top + radius], np.float64), radius)
