"""Everything random about a sample, drawn on the CPU by numpy from (seed, sample number); a device only applies it.

A clip's first frame is drawn like a still, and what moves it comes from a stream of its own: a clip of one frame is the
first frame of a longer one.


Light that differs between the recordings, and the person's contact shadow and reflection, sampled as numbers."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.placement import translation
from howard.synthesis.random_sampling import Drawn, Generator, held, log_uniform, sometimes
from howard.synthesis.recipe import LightRecipe

# Standard deviation of a shadow's blur, as a share of the frame's side.
_SHADOW_SOFTNESS = (0.01, 0.06)
# That of the reference's box blur of 20 to 39 pixels in a frame of 512: a box of width w has w / sqrt(12).
_REFERENCE_SOFTNESS = (20 / 12**0.5 / 512, 39 / 12**0.5 / 512)
# Colours of lamps from candle-warm to blue: red and blue by this factor against green.
_RED_GAIN = (0.7, 1.6)
# Distance of an upright mirror from the persons' centre, in half frames: near enough for the image to be in the frame.
_MIRROR_DISTANCE = (0.15, 0.6)


class LightDraw(NamedTuple):
    """What a person does to the light.

    ``shadow`` and ``cast`` (T,) are strengths, ``shadow_map`` (T, 2, 3) maps the shaded picture to the silhouette, both
    in [-1, 1], ``softness`` (T,) is a share of the side. Where ``is_subtracted`` (T,) is 1 the shadow is subtracted
    from the code values, where it is 0 it scales them.
    """

    shadow: Drawn
    shadow_map: Drawn
    softness: Drawn
    cast: Drawn
    is_subtracted: Drawn


def draw_light(recipe: LightRecipe, frames: int, rng: Generator) -> LightDraw:
    """Draw a soft shadow, near the person or cast to a side, and how much of the person's colour the place takes on."""
    is_reference = recipe.shadow_method == "reference"
    if is_reference:
        shadow_map = _sample_reference_shadow_map(rng)
    else:
        shift, lean = rng.uniform((-0.3, -0.3), (0.3, 0.2)), rng.uniform(-0.4, 0.4)
        shadow_map = (translation(*shift) @ np.array([[1, lean, 0], [0, rng.uniform(0.8, 1.3), 0], [0, 0, 1]]))[:2]
    return LightDraw(
        shadow=held(sometimes(rng, recipe.shadow_probability, recipe.shadow), frames),
        shadow_map=held(shadow_map, frames),
        softness=held(rng.uniform(*(_REFERENCE_SOFTNESS if is_reference else _SHADOW_SOFTNESS)), frames),
        cast=held(sometimes(rng, recipe.cast_probability, recipe.cast), frames),
        is_subtracted=held(float(is_reference), frames),
    )


def _sample_reference_shadow_map(rng: Generator) -> np.ndarray:
    """Maps the shaded picture to the silhouette, (2, 3), both in [-1, 1].

    The inverse of the reference's affine map of the silhouette: +-5 degrees, shifts of +-0.2 of the side, scale 0.5 to
    1.5, horizontal shear of +-5 degrees (train_base.py of PeterL1n/BackgroundMattingV2).
    """
    angle, shear = np.deg2rad(rng.uniform(-5, 5, 2))
    x, y = rng.uniform(-0.4, 0.4, 2)  # 0.2 of a side that is 2 long
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    scale = np.diag([*np.repeat(rng.uniform(0.5, 1.5), 2), 1.0])
    sheared = np.array([[1, np.tan(shear), 0], [0, 1, 0], [0, 0, 1]])
    return np.linalg.inv(translation(x, y) @ turn @ scale @ sheared)[:2]


class Lighting(NamedTuple):
    """Additions to a scene's light; every field has one row a frame. Places in [-1, 1] from edge to edge.

    ``lamp`` (T,) is the gain at the centre of a lamp's pool of light, ``lamp_colour`` (T, 3) that of its channels,
    ``lamp_map`` (T, 2, 3) maps the frame to coordinates in which the pool has radius 1; ``in_plate`` (T,) is 1 where
    the lamp shines in the plate only, else 0.

    ``contact`` (T,) is the strength of the contact shadow, ``contact_width`` (T,) its width as a share of the side.

    ``reflection`` (T,) is the opacity of the person's mirror image, ``mirror`` (T,) how far right of the persons'
    centre an upright mirror is, ``on_floor`` (T,) is 1 where the floor below them mirrors instead, ``blur`` (T,) is a
    share of the side.
    """

    lamp: Drawn
    lamp_colour: Drawn
    lamp_map: Drawn
    in_plate: Drawn
    contact: Drawn
    contact_width: Drawn
    reflection: Drawn
    mirror: Drawn
    on_floor: Drawn
    blur: Drawn


def sample_lighting(recipe: LightRecipe, frames: int, rng: Generator) -> Lighting:
    """Sample lamp, contact shadow and reflection, each by its own probability; the same in every frame of a clip."""
    has_lamp, has_contact, has_reflection = rng.random(3) < (
        recipe.lamp_probability,
        recipe.contact_probability,
        recipe.reflection_probability,
    )
    centre, radius, angle = rng.uniform(-1.1, 1.1, 2), rng.uniform(0.3, 1.1, 2), rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / radius[:, None]
    red_gain = log_uniform(_RED_GAIN, rng)
    values = {
        "lamp": recipe.lamp * rng.uniform(0.3, 1.0) * has_lamp,
        "lamp_colour": np.array([red_gain, 1.0, 1 / red_gain]),
        "lamp_map": np.column_stack([turn, -turn @ centre]),
        "in_plate": float(rng.random() < 0.5),
        "contact": recipe.contact * rng.uniform(0.4, 1.0) * has_contact,
        "contact_width": rng.uniform(0.008, 0.03),
        "reflection": recipe.reflection * rng.uniform(0.3, 1.0) * has_reflection,
        "mirror": rng.choice([-1, 1]) * rng.uniform(*_MIRROR_DISTANCE),
        "on_floor": float(rng.random() < 0.5),
        "blur": rng.uniform(0.002, 0.02),
    }
    return Lighting(**{name: held(value, frames) for name, value in values.items()})
