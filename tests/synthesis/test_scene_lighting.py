"""Lamps, contact shadows and reflections are where their parameters say, and leave the ground truth exact."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from howard.colour import mix
from howard.synthesis import level_recipe
from howard.synthesis.batch_rendering import render_batch
from howard.synthesis.foreground_layers import RGBALayer
from howard.synthesis.light_parameters import LightingParameters, sample_lighting
from howard.synthesis.recipe import LightRecipe
from howard.synthesis.scene_lighting import add_contact_shadow, add_lamp, add_reflection
from tests.synthesis.conftest import FRAME, PLAIN, make_raw_batch, without_noise

SIZE = (96, 96)
PLACE = torch.full((1, 3, *SIZE), 0.5)
EVERYTHING = LightRecipe(
    shadow_probability=0.0,
    contact_probability=1.0,
    contact=0.6,
    reflection_probability=1.0,
    reflection=0.35,
    lamp_probability=1.0,
    lamp=0.35,
)


def lighting_of(seed: int = 0, recipe: LightRecipe = EVERYTHING, **changes: float) -> LightingParameters:
    sampled = sample_lighting(recipe, 1, np.random.default_rng(seed))
    values = {name: torch.from_numpy(value) for name, value in sampled._asdict().items()}
    return LightingParameters(**values)._replace(**{name: torch.tensor([value]) for name, value in changes.items()})


def a_person(bottom: int = 70) -> RGBALayer:
    """Red, with a blue top, standing left of the middle."""
    alpha = torch.zeros(1, 1, *SIZE)
    alpha[..., 30:bottom, 24:40] = 1
    colour = torch.zeros(1, 3, *SIZE)
    colour[:, 0], colour[:, 2, :40] = 1, 1
    return RGBALayer(colour, alpha)


@pytest.mark.parametrize("in_plate", [0.0, 1.0])
def test_a_lamp_shines_in_one_recording_only(in_plate: float) -> None:
    lit = add_lamp(PLACE, lighting_of(in_plate=in_plate, lamp=0.3), in_plate=bool(in_plate))
    assert lit.min() >= 0.5 - 1e-6
    assert lit.max() > 0.55
    assert add_lamp(PLACE, lighting_of(in_plate=in_plate), in_plate=not in_plate) is PLACE


def test_a_pool_of_light_is_where_its_map_says() -> None:
    lighting = lighting_of(lamp=1.0, in_plate=0.0)
    to_pool = torch.tensor([[[2.0, 0, -1.0], [0, 2.0, 1.0]]])  # centre at (0.5, -0.5), radius 0.5
    lit = add_lamp(0.4 * PLACE, lighting._replace(lamp_map=to_pool, lamp_colour=torch.ones(1, 3)), in_plate=False)
    row, column = np.unravel_index(int(lit[0, 1].argmax()), SIZE)
    assert abs(row - 23.5) <= 2
    assert abs(column - 71.5) <= 2


def test_contact_shadows_lie_at_the_feet() -> None:
    person = a_person()
    shaded = add_contact_shadow(PLACE, person.alpha, lighting_of(contact=0.6, contact_width=0.02))
    assert shaded.max() <= 0.5
    assert shaded[0, 0, 71, 32] < 0.42
    assert shaded[0, 0, 34, 43] > 0.499, "none beside the head"
    assert shaded[0, 0, 90, 80] > 0.499


def test_the_lower_edge_of_the_frame_is_a_contact() -> None:
    shaded = add_contact_shadow(PLACE, a_person(96).alpha, lighting_of(contact=0.6, contact_width=0.02))
    assert shaded[0, 0, 95, 41] < 0.48


def test_the_floor_mirrors_the_person_upside_down() -> None:
    reflected = add_reflection(PLACE, a_person(56), lighting_of(reflection=0.4, on_floor=1.0, blur=0.003))
    assert torch.equal(reflected[..., :54, :], PLACE[..., :54, :])
    red, green, blue = reflected[0, :, 60, 32].tolist()
    assert red > 0.55 > 0.45 > max(green, blue), "red next to the feet"
    blue_depth = reflected[0, 2, 56:96, 32] - reflected[0, 1, 56:96, 32]
    assert blue_depth.argmax() > 14, "the blue top is mirrored below"
    assert (reflected[..., 60:] - PLACE[..., 60:]).abs().max() < 1e-3


def test_a_wall_mirrors_the_person_beyond_itself() -> None:
    reflected = add_reflection(PLACE, a_person(), lighting_of(reflection=0.4, on_floor=0.0, mirror=1 / 3, blur=0.003))
    assert torch.equal(reflected[..., :47], PLACE[..., :47])
    # Columns 24 to 39 become 56 to 71.
    assert reflected[0, 0, 55, 64] > 0.55 > 0.45 > reflected[0, 1, 55, 64]
    assert (reflected[..., 80:] - PLACE[..., 80:]).abs().max() < 1e-3


def test_without_their_recipes_nothing_changes() -> None:
    lighting, person = lighting_of(recipe=LightRecipe()), a_person()
    assert add_lamp(PLACE, lighting, in_plate=False) is PLACE
    assert add_lamp(PLACE, lighting, in_plate=True) is PLACE
    assert add_contact_shadow(PLACE, person.alpha, lighting) is PLACE
    assert add_reflection(PLACE, person, lighting) is PLACE


def test_without_persons_there_is_neither_shadow_nor_reflection() -> None:
    nobody = RGBALayer(torch.zeros(1, 3, *SIZE), torch.zeros(1, 1, *SIZE))
    lighting = lighting_of()
    torch.testing.assert_close(add_contact_shadow(PLACE, nobody.alpha, lighting), PLACE)
    torch.testing.assert_close(add_reflection(PLACE, nobody, lighting), PLACE)


def test_lighting_changes_only_the_background() -> None:
    recipe = without_noise(replace(level_recipe(0.5), light=EVERYTHING))
    plain = replace(recipe, light=LightRecipe(shadow_probability=0.0))
    sample, without = (render_batch(make_raw_batch(each, [1, 2, 3, 4]), FRAME, "linear") for each in (recipe, plain))
    expected = mix(sample.foreground, sample.background, sample.alpha, linear_light=True)
    assert (sample.source - expected).abs().max() < 1 / 255
    assert torch.equal(sample.alpha, without.alpha)
    assert torch.equal(sample.coverage, without.coverage)
    assert (sample.background - without.background).abs().mean() > 1e-3


def test_shot_and_plate_differ_by_the_lamp() -> None:
    recipe = replace(PLAIN, light=replace(EVERYTHING, contact_probability=0.0, reflection_probability=0.0))
    sample = render_batch(make_raw_batch(recipe, [1, 2, 3, 4]), FRAME, "linear")
    difference = (sample.background - sample.plate).mean(dim=(1, 2, 3, 4))
    assert (difference.abs() > 1e-3).all()
