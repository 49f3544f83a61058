"""Sampling the parameters of shadows, reflections and lamps; all on the CPU.

:mod:`howard.synthesis.scene_lighting` applies them.
"""

from typing import NamedTuple

import numpy as np

from howard.synthesis.placement import translation
from howard.synthesis.random_sampling import Generator, Sampled, bernoulli_gate, broadcast, log_uniform
from howard.synthesis.recipe import LightRecipe

# Standard deviation of a shadow's blur, as a fraction of the frame side.
_SHADOW_SOFTNESS = (0.01, 0.06)
# The same for the reference's box blur of 20 to 39 pixels in a frame of 512: a box of width w has w / sqrt(12).
_REFERENCE_SOFTNESS = (20 / 12**0.5 / 512, 39 / 12**0.5 / 512)
# Colour of lamps, from bluish to candlelight: gain of red relative to green; blue has its reciprocal.
_RED_GAIN = (0.7, 1.6)
# Horizontal distance of an upright mirror from the persons' centre, in half frames, so that the image is in the frame.
_MIRROR_DISTANCE = (0.15, 0.6)


class ShadowParameters(NamedTuple):
    """The person's soft shadow and colour cast on the place.

    ``shadow`` and ``colour_cast`` (T,) are strengths. ``shadow_map`` (T, 2, 3) is an affine map from the shaded image
    to the silhouette, both in [-1, 1]. ``softness`` (T,) is the standard deviation of the blur as a fraction of the
    side. Where ``is_subtracted`` (T,) is 1 the shadow is subtracted from the encoded values, else it scales them.
    """

    shadow: Sampled
    shadow_map: Sampled
    softness: Sampled
    colour_cast: Sampled
    is_subtracted: Sampled


def sample_shadow(recipe: LightRecipe, frames: int, rng: Generator) -> ShadowParameters:
    """Sample a soft shadow, close to the person or cast to a side, and the colour cast on the place."""
    is_reference = recipe.shadow_method == "reference"
    if is_reference:
        shadow_map = _sample_reference_shadow_map(rng)
    else:
        shift, lean = rng.uniform((-0.3, -0.3), (0.3, 0.2)), rng.uniform(-0.4, 0.4)
        shadow_map = (translation(*shift) @ np.array([[1, lean, 0], [0, rng.uniform(0.8, 1.3), 0], [0, 0, 1]]))[:2]
    return ShadowParameters(
        shadow=broadcast(bernoulli_gate(rng, recipe.shadow_probability, recipe.shadow), frames),
        shadow_map=broadcast(shadow_map, frames),
        softness=broadcast(rng.uniform(*(_REFERENCE_SOFTNESS if is_reference else _SHADOW_SOFTNESS)), frames),
        colour_cast=broadcast(bernoulli_gate(rng, recipe.colour_cast_probability, recipe.colour_cast), frames),
        is_subtracted=broadcast(float(is_reference), frames),
    )


def _sample_reference_shadow_map(rng: Generator) -> np.ndarray:
    """The affine map from the shaded image to the silhouette, (2, 3), both in [-1, 1].

    It is the inverse of the reference's map of the silhouette: rotation within 5 degrees, shift within 0.2 of the side,
    scale 0.5 to 1.5, horizontal shear within 5 degrees (train_base.py of PeterL1n/BackgroundMattingV2).
    """
    angle, shear = np.deg2rad(rng.uniform(-5, 5, 2))
    x, y = rng.uniform(-0.4, 0.4, 2)  # 0.2 of a side of length 2
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    scale = np.diag([*np.repeat(rng.uniform(0.5, 1.5), 2), 1.0])
    shearing = np.array([[1, np.tan(shear), 0], [0, 1, 0], [0, 0, 1]])
    return np.linalg.inv(translation(x, y) @ rotation @ scale @ shearing)[:2]


class LightingParameters(NamedTuple):
    """A lamp, a contact shadow and a reflection. Positions are in [-1, 1] from edge to edge of the frame.

    ``lamp`` (T,) is the gain at the centre of the pool of light, and ``lamp_colour`` (T, 3) a factor on it for each
    channel. ``lamp_map`` (T, 2, 3) maps the frame to coordinates in which the pool has radius 1. ``in_plate`` (T,) is 1
    if the lamp is on in the plate only, 0 if in the shot only.

    ``contact`` (T,) is the strength of the contact shadow, ``contact_width`` (T,) its width as a fraction of the side.

    ``reflection`` (T,) is the opacity of the person's mirror image. ``on_floor`` (T,) is 1 if the floor reflects; else
    an upright mirror does, ``mirror`` (T,) to the right of the persons' centre. ``blur`` (T,) is the standard deviation
    of its blur as a fraction of the side.
    """

    lamp: Sampled
    lamp_colour: Sampled
    lamp_map: Sampled
    in_plate: Sampled
    contact: Sampled
    contact_width: Sampled
    reflection: Sampled
    mirror: Sampled
    on_floor: Sampled
    blur: Sampled


def sample_lighting(recipe: LightRecipe, frames: int, rng: Generator) -> LightingParameters:
    """Sample lamp, contact shadow and reflection with separate probabilities, constant over the frames of a clip."""
    has_lamp, has_contact, has_reflection = rng.random(3) < (
        recipe.lamp_probability,
        recipe.contact_probability,
        recipe.reflection_probability,
    )
    centre, radius, angle = rng.uniform(-1.1, 1.1, 2), rng.uniform(0.3, 1.1, 2), rng.uniform(0, np.pi)
    to_pool = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / radius[:, None]
    red_gain = log_uniform(_RED_GAIN, rng)
    values = {
        "lamp": recipe.lamp * rng.uniform(0.3, 1.0) * has_lamp,
        "lamp_colour": np.array([red_gain, 1.0, 1 / red_gain]),
        "lamp_map": np.column_stack([to_pool, -to_pool @ centre]),
        "in_plate": float(rng.random() < 0.5),
        "contact": recipe.contact * rng.uniform(0.4, 1.0) * has_contact,
        "contact_width": rng.uniform(0.008, 0.03),
        "reflection": recipe.reflection * rng.uniform(0.3, 1.0) * has_reflection,
        "mirror": rng.choice([-1, 1]) * rng.uniform(*_MIRROR_DISTANCE),
        "on_floor": float(rng.random() < 0.5),
        "blur": rng.uniform(0.002, 0.02),
    }
    return LightingParameters(**{name: broadcast(value, frames) for name, value in values.items()})
