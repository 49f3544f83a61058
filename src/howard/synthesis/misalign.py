"""What an aligned plate still gets wrong: geometry, light, and places that it never saw."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.placement import jitter_colour, random_homography
from howard.synthesis.recipe import PlateRecipe

Generator = np.random.Generator


class Plate(NamedTuple):
    """A plate as the aligner would hand it over, float32 in [0, 1]."""

    image: np.ndarray  # HxWx3, 0 where not covered
    coverage: np.ndarray  # HxWx1, 1 where the plate saw the place


def misalign(background: np.ndarray, margin: int, recipe: PlateRecipe, rng: Generator) -> Plate:
    """Make the plate of a background.

    Args:
        background: the true place with ``margin`` pixels to spare on every side, (H + 2m)x(W + 2m)x3 in [0, 1].
        margin: must hold the largest displacement; beyond it the border is mirrored.
        recipe: strengths.
        rng: source of every draw.
    """
    size = (background.shape[0] - 2 * margin, background.shape[1] - 2 * margin)
    displacement = draw_displacement(size, recipe, rng)
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    moved = cv2.remap(
        background,
        columns + margin + displacement[..., 0],
        rows + margin + displacement[..., 1],
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    moved = _change_light(moved, recipe, rng)
    coverage = np.ones((*size, 1), np.float32)
    if rng.random() < recipe.uncovered_probability:
        coverage = draw_coverage(size, recipe.uncovered, rng)
    return Plate(moved.clip(0, 1) * coverage, coverage)


def draw_displacement(size: tuple[int, int], recipe: PlateRecipe, rng: Generator) -> np.ndarray:
    """Where each pixel of the plate really comes from: HxWx2 float32, x then y, pixels, 0 for a perfect plate.

    A small affine map (the paper's), a small homography (what feature matching misses), and a flow (what no homography
    can follow: depth).
    """
    matrix = np.eye(3)
    if rng.random() < recipe.affine_probability:
        angle = rng.uniform(-recipe.affine_rotation, recipe.affine_rotation)
        centre = ((size[1] - 1) / 2, (size[0] - 1) / 2)
        matrix[:2] = cv2.getRotationMatrix2D(centre, angle, 1.0)
        matrix[0, 2] += rng.uniform(-recipe.affine_shift, recipe.affine_shift) * size[1]
        matrix[1, 2] += rng.uniform(-recipe.affine_shift, recipe.affine_shift) * size[0]
    if rng.random() < recipe.homography_probability:
        matrix = random_homography(size, rng.uniform(0, recipe.homography_px), rng) @ matrix
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float64)
    grid = np.stack([columns, rows], axis=-1)
    moved = cv2.perspectiveTransform(grid.reshape(-1, 1, 2), matrix).reshape(grid.shape)
    displacement = (moved - grid).astype(np.float32)
    if rng.random() < recipe.flow_probability:
        draw = _smooth_flow if rng.random() < 0.5 else _blocky_flow
        displacement += draw(size, recipe.flow_px * rng.uniform(0, 1) ** 1.5, rng)
    return displacement


def draw_coverage(size: tuple[int, int], widest: float, rng: Generator) -> np.ndarray:
    """What a plate frame from elsewhere leaves open: HxWx1 float32, 1 inside a random quadrilateral, 0 outside."""
    height, width = size
    # One or two sides recede; their two corners do so by different amounts.
    inset = np.zeros((4, 2))
    for side in rng.choice(4, size=rng.integers(1, 3), replace=False):
        depth = widest * rng.uniform(0, 1)
        for corner in (side, (side + 1) % 4):
            inset[corner, (side + 1) % 2] = depth * rng.uniform(0.5, 1)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 1.02 - 0.01
    corners += inset * np.where(corners > 0.5, -1, 1)
    covered = np.zeros(size, np.uint8)
    cv2.fillConvexPoly(covered, np.round(corners * [width, height]).astype(np.int32), 1)
    return covered[..., None].astype(np.float32)


def _smooth_flow(size: tuple[int, int], largest_px: float, rng: Generator) -> np.ndarray:
    """A slowly varying flow whose largest component is ``largest_px``."""
    knots = int(rng.integers(3, 9))
    coarse = rng.standard_normal((knots, knots, 2)).astype(np.float32)
    flow = cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return flow * np.float32(largest_px / max(np.abs(flow).max(), 1e-6))


def _blocky_flow(size: tuple[int, int], largest_px: float, rng: Generator) -> np.ndarray:
    """Layers of constant displacement with sharp borders between them, as furniture before a wall leaves."""
    heights = cv2.resize(
        rng.standard_normal((6, 6)).astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_CUBIC
    )
    levels = np.digitize(heights, np.sort(rng.uniform(-1, 1, size=2)))
    direction = rng.standard_normal(2)
    direction /= max(np.linalg.norm(direction), 1e-6)
    depths = rng.uniform(-largest_px, largest_px, size=3)  # parallax goes one way, by depth
    return (depths[levels][..., None] * direction).astype(np.float32)


def _change_light(image: np.ndarray, recipe: PlateRecipe, rng: Generator) -> np.ndarray:
    if rng.random() < recipe.colour_probability:
        image = jitter_colour(image.clip(0, 1), recipe.colour, rng)
    gain = 1 + recipe.gain * rng.standard_normal(3)
    return image * gain.astype(np.float32) + (recipe.bias * rng.standard_normal(3)).astype(np.float32)
