"""Sampling the errors that remain in an aligned plate; all on the CPU.

:mod:`howard.synthesis.plate_rendering` applies them.
"""

from typing import NamedTuple

import numpy as np

from howard.synthesis.placement import Size, sample_affine, sample_homography, translation
from howard.synthesis.random_sampling import (
    Generator,
    Sampled,
    bernoulli_gate,
    broadcast,
    sample_smooth_path,
    sample_unit_vector,
    truncated_normal,
)
from howard.synthesis.recipe import Jitter, PlateRecipe, pixel_unit

# Splines over the frame: knots per side, and the channels of each field; x before y.
KNOT_COUNT = 8
FIELD_CHANNELS = {"flow": 2, "nearness": 1, "occluded_flow": 2, "hole": 1, "light": 1}
# Factor on all lengths for a real plate pair, which has errors of its own.
_PAIR_FACTOR = 0.15
# Shift of a grossly misaligned plate, as a fraction of the frame's long side.
_GROSS_SHIFT = 0.3
# Threshold of the hole spline that no value exceeds.
_NO_HOLE = 1e3
# RGB to YIQ.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


class PlateParameters(NamedTuple):
    """Errors of a plate. Lengths are in pixels, lines in coordinates from -1 to 1 from edge to edge of the frame.

    Geometry gives, for each plate pixel, the position in the source view that it really shows: first ``matrix``
    (T, 3, 3), then ``lens`` (T,), the radial displacement at a corner, then splines with ``knots`` (T, 7, K, K) in the
    order of :data:`FIELD_CHANNELS`. ``parallax`` (T, 2) is the displacement of near relative to far depth. ``layers``
    (T, 4) turns nearness into layers: two thresholds, their sharpness, and the weight of brightness in nearness.
    ``seam`` (T, 3) is a line a x + b y + c = 0 beyond which another plate frame was used, displaced by ``seam_shift``
    (T, 2), with a relative change of its gain by ``seam_gain`` (T, 3).

    ``colour`` (T, 3, 4) is an affine map of sRGB values; ``gamma``, ``vignette`` and ``unevenness`` (T,) follow it.

    Coverage is 1 on the positive side of all four lines of ``border`` (T, 4, 3), where the hole spline is below
    ``hole`` (T,), and if ``is_available`` (T,) is 1.
    """

    matrix: Sampled
    lens: Sampled
    knots: Sampled
    parallax: Sampled
    layers: Sampled
    seam: Sampled
    seam_shift: Sampled
    seam_gain: Sampled
    colour: Sampled
    gamma: Sampled
    vignette: Sampled
    unevenness: Sampled
    border: Sampled
    hole: Sampled
    is_available: Sampled


def sample_plate(
    recipe: PlateRecipe, frame: Size, frames: int, rng: Generator, motion: Generator, is_pair: bool
) -> PlateParameters:
    """Sample the errors of a plate: those of the first frame from ``rng``, their change over time from ``motion``.

    ``is_pair`` is for a real plate that was aligned: its errors are small, and it is never misaligned or missing.
    """
    unit = pixel_unit(frame) * (_PAIR_FACTOR if is_pair else 1.0)
    path = sample_smooth_path(frames, 8, motion)
    is_grossly_misaligned = not is_pair and rng.random() < recipe.gross_misalignment_probability
    knots = _sample_knots(recipe, unit, rng)
    knot_change = _sample_knots(recipe, unit, motion)
    parallax = bernoulli_gate(rng, recipe.parallax_probability, recipe.parallax_px * unit) * sample_unit_vector(rng)
    drift = path[:, :2] * _length(parallax)
    plate = PlateParameters(
        matrix=_sample_matrix(recipe, frame, unit, rng, path, is_grossly_misaligned),
        lens=broadcast(rng.uniform(-1, 1) * recipe.lens_px * unit, frames),
        knots=(knots + path[:, 2, None, None, None] * knot_change).astype(np.float32),
        parallax=(parallax + drift).astype(np.float32),
        layers=broadcast(_sample_layers(rng), frames),
        seam=_moving_line(_sample_line(rng, rng.uniform(-0.6, 0.6)), path[:, 3]),
        **_sample_seam(recipe, unit, frames, rng),
        colour=_sample_colour(recipe, rng, path[:, 4:7]).astype(np.float32),
        gamma=broadcast(np.exp(rng.uniform(-1, 1) * recipe.gamma), frames),
        vignette=broadcast(rng.uniform(-1, 1) * recipe.vignette, frames),
        unevenness=broadcast(rng.random() * recipe.unevenness, frames),
        border=_sample_border(recipe, rng, path[:, 7]),
        hole=broadcast(rng.uniform(1.2, 2.5) if rng.random() < recipe.hole_probability else _NO_HOLE, frames),
        is_available=broadcast(float(is_pair or rng.random() >= recipe.missing_probability), frames),
    )
    return _switch_plate_frames(plate, recipe, unit, motion) if recipe.switch_probability else plate


def _switch_plate_frames(
    plate: PlateParameters, recipe: PlateRecipe, unit: float, motion: Generator
) -> PlateParameters:
    """The errors where other plate frames are used later in the clip: flow and position jump, the place stays."""
    switches, errors = motion.spawn(2)
    section = np.cumsum(np.r_[0, switches.random(len(plate.lens) - 1) < recipe.switch_probability])
    matrix, knots = plate.matrix.copy(), plate.knots.copy()
    flow = [name.endswith("flow") for name, count in FIELD_CHANNELS.items() for _ in range(count)]
    for number in range(1, section[-1] + 1):
        later = np.ix_(section == number, flow)
        knots[later] = _sample_knots(recipe, unit, errors)[flow]
        shift = translation(*(errors.uniform(-1, 1, 2) * recipe.homography_px * unit))
        matrix[section == number] = shift.astype(np.float32) @ matrix[section == number]
    return plate._replace(matrix=matrix, knots=knots)


def _sample_matrix(
    recipe: PlateRecipe, frame: Size, unit: float, rng: Generator, path: np.ndarray, is_grossly_misaligned: bool
) -> np.ndarray:
    """Homographies from plate pixels to the positions in the source view that they show, (T, 3, 3)."""
    matrix = sample_homography(frame, rng.random() * recipe.homography_px * unit, rng)
    skew = np.array([rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)]) * recipe.shutter_px * unit / frame[0]
    shutter = np.array([[1, skew[0], 0], [0, 1 + skew[1], 0], [0, 0, 1]])
    affine = sample_affine(frame, recipe.rotation, recipe.shift, rng)
    matrix = shutter @ matrix
    if rng.random() < recipe.affine_probability:
        matrix = affine @ matrix
    if is_grossly_misaligned:
        matrix = translation(*(_GROSS_SHIFT * max(frame) * sample_unit_vector(rng))) @ matrix
    drift = path[:, :2] * recipe.homography_px * unit / 2
    return np.stack([translation(*each) @ matrix for each in drift]).astype(np.float32)


def _sample_knots(recipe: PlateRecipe, unit: float, rng: Generator) -> np.ndarray:
    """Spline knots of all fields, (7, K, K)."""
    knots = {name: rng.standard_normal((count, KNOT_COUNT, KNOT_COUNT)) for name, count in FIELD_CHANNELS.items()}
    knots["flow"] *= bernoulli_gate(rng, recipe.flow_probability, recipe.flow_px * unit)
    # A common shift and a variation about it.
    knots["occluded_flow"] = 0.5 * knots["occluded_flow"] + rng.standard_normal((2, 1, 1))
    knots["occluded_flow"] *= bernoulli_gate(rng, recipe.occluded_flow_probability, recipe.occluded_flow_px * unit)
    return np.concatenate(list(knots.values()))


def _sample_layers(rng: Generator) -> np.ndarray:
    return np.array([*rng.uniform(-0.8, 0.8, 2), 10 ** rng.uniform(0.3, 1.7), rng.uniform(0, 5)])


def _sample_seam(recipe: PlateRecipe, unit: float, frames: int, rng: Generator) -> dict[str, np.ndarray]:
    has_seam = float(rng.random() < recipe.seam_probability)
    shift = has_seam * rng.uniform(-1, 1, 2) * recipe.seam_px * unit
    return {
        "seam_shift": broadcast(shift, frames),
        "seam_gain": broadcast(has_seam * rng.uniform(-1, 1, 3) * recipe.gain / 2, frames),
    }


def _sample_colour(recipe: PlateRecipe, rng: Generator, path: np.ndarray) -> np.ndarray:
    """Exposure and white balance, which drift over the frames, an offset, and a colour jitter if any: (T, 3, 4)."""
    jitter = _jitter_matrix(recipe.colour, rng)
    gain = 1 + recipe.gain * truncated_normal(rng, 1) + recipe.white_balance * truncated_normal(rng, 3)
    bias = recipe.bias * truncated_normal(rng, 1)
    if rng.random() >= recipe.colour_probability:
        jitter = np.eye(3, 4)
    matrix = gain[:, None] * jitter + np.eye(4)[3] * bias
    return matrix * (1 + 0.3 * recipe.gain * path[:, :, None])


def _jitter_matrix(strength: Jitter, rng: Generator) -> np.ndarray:
    """Brightness, contrast about middle grey, saturation and hue as one affine map of sRGB values, (3, 4).

    Saturation scales and hue rotates the chroma plane of YIQ, which is close to their meaning in HSV.
    """
    brightness, contrast, saturation, hue = (rng.uniform(-limit, limit) for limit in strength)
    cosine, sine = (1 + saturation) * np.cos(2 * np.pi * hue), (1 + saturation) * np.sin(2 * np.pi * hue)
    chroma = np.linalg.inv(_TO_YIQ) @ np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]]) @ _TO_YIQ
    scaled = (1 + brightness) * (1 + contrast) * chroma
    return np.column_stack([scaled, np.full(3, -0.5 * contrast)])


def _sample_border(recipe: PlateRecipe, rng: Generator, path: np.ndarray) -> np.ndarray:
    """Four half-planes a x + b y + c >= 0 that bound the coverage, (T, 4, 3); one or two cut into the frame."""
    normals = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float64)
    lines = np.column_stack([normals, np.full(4, 2.0)])
    cuts_frame = rng.random() < recipe.border_probability
    for side in rng.choice(4, size=rng.integers(1, 3), replace=False):
        depth, lean = 2 * recipe.border * rng.random() ** 1.5, rng.uniform(-0.15, 0.15)
        if cuts_frame:
            lines[side] = [*(normals[side] + lean * normals[side][::-1]), 1 + abs(lean) - depth]
    moving = np.repeat(lines[None], len(path), axis=0)
    moving[:, :, 2] += 0.5 * recipe.border * path[:, None]
    return moving.astype(np.float32)


def _sample_line(rng: Generator, offset: float) -> np.ndarray:
    return np.array([*sample_unit_vector(rng), offset])


def _moving_line(line: np.ndarray, path: np.ndarray) -> np.ndarray:
    moving = np.repeat(line[None], len(path), axis=0)
    moving[:, 2] += 0.1 * path
    return moving.astype(np.float32)


def _length(vector: np.ndarray) -> float:
    return float(np.hypot(*vector))
