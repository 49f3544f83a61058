"""Scene parameters follow from (seed, number) alone, and levels interpolate recipes."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.errors import SettingsError
from howard.synthesis import LEVELS, choose_recipe, level_recipe, make_generators, sample_scene
from howard.synthesis.plate_parameters import PlateParameters, sample_plate
from howard.synthesis.random_sampling import sample_smooth_path
from howard.synthesis.recipe import PlateRecipe

FRAME = (96, 128)


def flat(parameters) -> list[np.ndarray]:
    """All arrays of nested parameters."""
    return (
        [parameters] if isinstance(parameters, np.ndarray) else [each for field in parameters for each in flat(field)]
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 2**40))
def test_parameters_follow_from_seed_and_number(seed: int, number: int) -> None:
    recipe = choose_recipe("moving")
    first, again, other = (
        flat(sample_scene(recipe, FRAME, 2, make_generators(seed, each))) for each in (number, number, number + 1)
    )
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(first, other, strict=True))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 6))
def test_the_first_frame_of_a_clip_equals_a_still(number: int, frames: int) -> None:
    recipe = choose_recipe("moving")
    still, clip = (flat(sample_scene(recipe, FRAME, count, make_generators(0, number))) for count in (1, frames))
    for short, long in zip(still, clip, strict=True):
        assert len(long) == frames
        np.testing.assert_allclose(long[0], short[0], atol=1e-6)


def test_paths_start_at_rest_and_are_smooth() -> None:
    path = sample_smooth_path(200, 50, np.random.default_rng(0))
    assert np.all(path[0] == 0)
    assert np.abs(path).max() < 2.2
    assert np.abs(np.diff(path, axis=0)).max() < 0.5


def test_levels_grow_from_one_to_the_next() -> None:
    static, handheld, moving = (level_recipe(strength) for strength in sorted(LEVELS.values()))
    for field in fields(PlateRecipe):
        values = [getattr(recipe.plate, field.name) for recipe in (static, handheld, moving)]
        assert values == sorted(values), field.name
    assert static.plate.parallax_px < moving.plate.parallax_px
    assert choose_recipe("moving") == level_recipe(1.0)


def test_a_tripod_recipe_has_no_geometric_or_photometric_error() -> None:
    rng = np.random.default_rng
    draws = [sample_plate(level_recipe(0).plate, FRAME, 1, rng(seed), rng(0), is_pair=False) for seed in range(20)]
    for parameters in draws:
        np.testing.assert_allclose(parameters.matrix[0], np.eye(3), atol=1e-5)
        np.testing.assert_allclose(parameters.colour[0], np.eye(3, 4), atol=1e-6)
        assert not any(
            np.any(each) for each in (parameters.lens, parameters.parallax, parameters.seam_shift, parameters.vignette)
        )
        assert not np.any(parameters.knots[:, [0, 1, 3, 4]])


def test_pixels_grow_with_the_frame() -> None:
    def matrix(side: int) -> np.ndarray:
        rng = np.random.default_rng
        plate = sample_plate(level_recipe(1).plate, (side, side), 1, rng(3), rng(0), is_pair=False)
        return plate.knots[0, 0], plate.parallax[0]

    for small, large in zip(matrix(256), matrix(512), strict=True):
        np.testing.assert_allclose(2 * small, large, rtol=1e-4)


def test_a_real_pair_is_changed_less_and_never_missing() -> None:
    def parameters(seed: int, is_pair: bool) -> PlateParameters:
        rng = np.random.default_rng
        return sample_plate(level_recipe(1).plate, FRAME, 1, rng(seed), rng(0), is_pair=is_pair)

    for seed in range(60):
        pair = parameters(seed, True)
        assert pair.is_available.all()
        assert np.abs(pair.matrix[0, :2, 2]).max() < 2
    spread = [np.std([parameters(seed, kind).knots[0, 0] for seed in range(20)]) for kind in (True, False)]
    assert spread[0] < 0.3 * spread[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 8))
def test_another_plate_frame_has_other_errors_of_the_same_place(seed: int, frames: int) -> None:
    def parameters(probability: float, count: int = frames) -> PlateParameters:
        recipe = replace(level_recipe(1).plate, switch_probability=probability, flow_probability=1.0)
        rng = np.random.default_rng
        return sample_plate(recipe, FRAME, count, rng(seed), rng(seed + 1), is_pair=False)

    never, always = parameters(0), parameters(1)
    for name in never._fields:
        smooth, switched = getattr(never, name), getattr(always, name)
        np.testing.assert_array_equal(switched[0], smooth[0], err_msg=name)
        if name not in ("matrix", "knots"):
            np.testing.assert_array_equal(switched, smooth, err_msg=name)
    flow, place = [0, 1, 3, 4], [2, 5, 6]
    np.testing.assert_array_equal(always.knots[:, place], never.knots[:, place])
    for later in range(1, frames):
        assert np.abs(np.diff(always.knots[later - 1 : later + 1, flow], axis=0)).max() > 0
        assert not np.array_equal(always.knots[later, flow], never.knots[later, flow])
        assert not np.array_equal(always.matrix[later], never.matrix[later])
    longer = parameters(0.5, frames + 3)
    np.testing.assert_array_equal(longer.knots[:frames], parameters(0.5).knots)


def test_an_unknown_recipe_is_named() -> None:
    with pytest.raises(SettingsError, match="unknown recipe 'home'"):
        choose_recipe("home")
