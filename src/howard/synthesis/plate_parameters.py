"""How an aligned plate differs from the place, drawn as numbers."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.placement import Size, draw_affine, draw_homography, translation
from howard.synthesis.random_sampling import Drawn, Generator, bell, direction, draw_path, held, sometimes
from howard.synthesis.recipe import Jitter, PlateRecipe, pixel_unit

# Splines over the frame: this many knots a side, and how many of them are for what; x before y.
KNOTS = 8
FIELDS = {"flow": 2, "nearness": 1, "mistake": 2, "hole": 1, "light": 1}
# Of a true pair's own errors, how much is drawn on top.
_ON_TOP_OF_A_PAIR = 0.15
_ASTRAY = 0.3
_NO_HOLE = 1e3
# Columns: red, green, blue to Y, I, Q.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


class PlateDraw(NamedTuple):
    """A plate's errors; every field has one row a frame. Lengths in pixels, places in [-1, 1] from edge to edge.

    Geometry tells of each plate pixel where in the source's view it was really taken: ``matrix`` (T, 3, 3) first, then
    ``lens`` (T,), outwards at a corner, then ``knots`` (T, 7, K, K) of splines named by :data:`FIELDS`. ``parallax``
    (T, 2) is how much farther near things move than far ones; ``layers`` (T, 4) holds two thresholds of nearness, how
    sharp they are, and how much of nearness is brightness. ``seam`` (T, 3) is a line a x + b y + c = 0 beyond which
    another plate frame was laid, off by ``seam_shift`` (T, 2) and ``seam_gain`` (T, 3).

    ``colour`` (T, 3, 4) maps sRGB and 1; then ``gamma``, ``vignette`` and ``unevenness`` (T,).

    The plate saw what lies inside all four lines of ``border`` (T, 4, 3), where the hole spline is below ``hole``
    (T,), and if ``is_there`` (T,) is 1.
    """

    matrix: Drawn
    lens: Drawn
    knots: Drawn
    parallax: Drawn
    layers: Drawn
    seam: Drawn
    seam_shift: Drawn
    seam_gain: Drawn
    colour: Drawn
    gamma: Drawn
    vignette: Drawn
    unevenness: Drawn
    border: Drawn
    hole: Drawn
    is_there: Drawn


def draw_plate(
    recipe: PlateRecipe, frame: Size, frames: int, rng: Generator, motion: Generator, is_pair: bool
) -> PlateDraw:
    """Draw a plate's errors: at first from ``rng``, how they go on from ``motion``."""
    unit = pixel_unit(frame) * (_ON_TOP_OF_A_PAIR if is_pair else 1.0)
    path = draw_path(frames, 8, motion)
    is_astray = not is_pair and rng.random() < recipe.astray_probability
    knots = _draw_knots(recipe, unit, rng)
    onwards = _draw_knots(recipe, unit, motion)
    parallax = sometimes(rng, recipe.parallax_probability, recipe.parallax_px * unit) * direction(rng)
    drift = path[:, :2] * _length(parallax)
    return PlateDraw(
        matrix=_draw_matrix(recipe, frame, unit, rng, path, is_astray),
        lens=held(rng.uniform(-1, 1) * recipe.lens_px * unit, frames),
        knots=(knots + path[:, 2, None, None, None] * onwards).astype(np.float32),
        parallax=(parallax + drift).astype(np.float32),
        layers=held(_draw_layers(rng), frames),
        seam=_moving_line(_draw_line(rng, rng.uniform(-0.6, 0.6)), path[:, 3]),
        **_draw_seam(recipe, unit, frames, rng),
        colour=_draw_colour(recipe, rng, path[:, 4:7]).astype(np.float32),
        gamma=held(np.exp(rng.uniform(-1, 1) * recipe.gamma), frames),
        vignette=held(rng.uniform(-1, 1) * recipe.vignette, frames),
        unevenness=held(rng.random() * recipe.unevenness, frames),
        border=_draw_border(recipe, rng, path[:, 7]),
        hole=held(rng.uniform(1.2, 2.5) if rng.random() < recipe.hole_probability else _NO_HOLE, frames),
        is_there=held(float(is_pair or rng.random() >= recipe.missing_probability), frames),
    )


def _draw_matrix(
    recipe: PlateRecipe, frame: Size, unit: float, rng: Generator, path: np.ndarray, is_astray: bool
) -> np.ndarray:
    """Maps pixels of the plate to those of the source's view where they were taken: (T, 3, 3)."""
    matrix = draw_homography(frame, rng.random() * recipe.homography_px * unit, rng)
    skew = np.array([rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)]) * recipe.shutter_px * unit / frame[0]
    shutter = np.array([[1, skew[0], 0], [0, 1 + skew[1], 0], [0, 0, 1]])
    turned = draw_affine(frame, recipe.rotation, recipe.shift, rng)
    matrix = shutter @ matrix
    if rng.random() < recipe.affine_probability:
        matrix = turned @ matrix
    if is_astray:
        matrix = translation(*(_ASTRAY * max(frame) * direction(rng))) @ matrix
    drift = path[:, :2] * recipe.homography_px * unit / 2
    return np.stack([translation(*each) @ matrix for each in drift]).astype(np.float32)


def _draw_knots(recipe: PlateRecipe, unit: float, rng: Generator) -> np.ndarray:
    """The knots of all fields, (7, K, K)."""
    knots = {name: rng.standard_normal((count, KNOTS, KNOTS)) for name, count in FIELDS.items()}
    knots["flow"] *= sometimes(rng, recipe.flow_probability, recipe.flow_px * unit)
    # A mistake is a shift as a whole, and varies about it.
    knots["mistake"] = 0.5 * knots["mistake"] + rng.standard_normal((2, 1, 1))
    knots["mistake"] *= sometimes(rng, recipe.mistake_probability, recipe.mistake_px * unit)
    return np.concatenate(list(knots.values()))


def _draw_layers(rng: Generator) -> np.ndarray:
    return np.array([*rng.uniform(-0.8, 0.8, 2), 10 ** rng.uniform(0.3, 1.7), rng.uniform(0, 5)])


def _draw_seam(recipe: PlateRecipe, unit: float, frames: int, rng: Generator) -> dict[str, np.ndarray]:
    there = float(rng.random() < recipe.seam_probability)
    shift = there * rng.uniform(-1, 1, 2) * recipe.seam_px * unit
    return {
        "seam_shift": held(shift, frames),
        "seam_gain": held(there * rng.uniform(-1, 1, 3) * recipe.gain / 2, frames),
    }


def _draw_colour(recipe: PlateRecipe, rng: Generator, path: np.ndarray) -> np.ndarray:
    """Exposure and white balance that drift over the frames, an offset, and now and then a jitter: (T, 3, 4)."""
    jitter = _jitter_matrix(recipe.colour, rng)
    gain = 1 + recipe.gain * bell(rng, 1) + recipe.white_balance * bell(rng, 3)
    bias = recipe.bias * bell(rng, 1)
    if rng.random() >= recipe.colour_probability:
        jitter = np.eye(3, 4)
    matrix = gain[:, None] * jitter + np.eye(4)[3] * bias
    return matrix * (1 + 0.3 * recipe.gain * path[:, :, None])


def _jitter_matrix(strength: Jitter, rng: Generator) -> np.ndarray:
    """Brightness, contrast about mid-grey, saturation and hue as one map of sRGB values and 1: (3, 4).

    Saturation and hue scale and turn the chroma plane of YIQ, close to what they are in HSV.
    """
    brightness, contrast, saturation, hue = (rng.uniform(-limit, limit) for limit in strength)
    cosine, sine = (1 + saturation) * np.cos(2 * np.pi * hue), (1 + saturation) * np.sin(2 * np.pi * hue)
    turn = np.linalg.inv(_TO_YIQ) @ np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]]) @ _TO_YIQ
    scaled = (1 + brightness) * (1 + contrast) * turn
    return np.column_stack([scaled, np.full(3, -0.5 * contrast)])


def _draw_border(recipe: PlateRecipe, rng: Generator, path: np.ndarray) -> np.ndarray:
    """Four lines a x + b y + c >= 0 about what the plate saw, (T, 4, 3); one or two recede and lean."""
    normals = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float64)
    lines = np.column_stack([normals, np.full(4, 2.0)])
    recedes = rng.random() < recipe.border_probability
    for side in rng.choice(4, size=rng.integers(1, 3), replace=False):
        depth, lean = 2 * recipe.border * rng.random() ** 1.5, rng.uniform(-0.15, 0.15)
        if recedes:
            lines[side] = [*(normals[side] + lean * normals[side][::-1]), 1 + abs(lean) - depth]
    moving = np.repeat(lines[None], len(path), axis=0)
    moving[:, :, 2] += 0.5 * recipe.border * path[:, None]
    return moving.astype(np.float32)


def _draw_line(rng: Generator, offset: float) -> np.ndarray:
    return np.array([*direction(rng), offset])


def _moving_line(line: np.ndarray, path: np.ndarray) -> np.ndarray:
    moving = np.repeat(line[None], len(path), axis=0)
    moving[:, 2] += 0.1 * path
    return moving.astype(np.float32)


def _length(vector: np.ndarray) -> float:
    return float(np.hypot(*vector))
