"""Light that differs between the recordings, and the person's contact shadow and reflection, sampled as numbers."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.dice import Drawn, Generator, held
from howard.synthesis.recipe import LightRecipe

# Colours of lamps from candle-warm to blue: red and blue by this factor against green.
_WARMTH = (0.7, 1.6)
# Distance of an upright mirror from the persons' centre, in half frames: near enough for the image to be in the frame.
_MIRROR = (0.15, 0.6)


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
    warmth = np.exp(rng.uniform(*np.log(_WARMTH)))
    values = {
        "lamp": recipe.lamp * rng.uniform(0.3, 1.0) * has_lamp,
        "lamp_colour": np.array([warmth, 1.0, 1 / warmth]),
        "lamp_map": np.column_stack([turn, -turn @ centre]),
        "in_plate": float(rng.random() < 0.5),
        "contact": recipe.contact * rng.uniform(0.4, 1.0) * has_contact,
        "contact_width": rng.uniform(0.008, 0.03),
        "reflection": recipe.reflection * rng.uniform(0.3, 1.0) * has_reflection,
        "mirror": rng.choice([-1, 1]) * rng.uniform(*_MIRROR),
        "on_floor": float(rng.random() < 0.5),
        "blur": rng.uniform(0.002, 0.02),
    }
    return Lighting(**{name: held(value, frames) for name, value in values.items()})
