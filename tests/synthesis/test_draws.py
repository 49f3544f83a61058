"""Draws follow from (seed, number) alone, and recipes lie between two ends."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.errors import SettingsError
from howard.synthesis import LEVELS, choose_recipe, draw_scene, level_recipe, open_streams
from howard.synthesis.plate_parameters import PlateDraw, draw_plate
from howard.synthesis.random_sampling import draw_path
from howard.synthesis.recipe import PlateRecipe

FRAME = (96, 128)


def flat(draw) -> list[np.ndarray]:
    """Every array of a draw."""
    return [draw] if isinstance(draw, np.ndarray) else [each for field in draw for each in flat(field)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 2**40))
def test_the_same_number_draws_the_same_and_the_next_another(seed: int, number: int) -> None:
    recipe = choose_recipe("moving")
    first, again, other = (
        flat(draw_scene(recipe, FRAME, 2, open_streams(seed, each))) for each in (number, number, number + 1)
    )
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(first, other, strict=True))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 6))
def test_a_longer_clip_begins_like_a_still(number: int, frames: int) -> None:
    recipe = choose_recipe("moving")
    still, clip = (flat(draw_scene(recipe, FRAME, count, open_streams(0, number))) for count in (1, frames))
    for short, long in zip(still, clip, strict=True):
        assert len(long) == frames
        np.testing.assert_allclose(long[0], short[0], atol=1e-6)


def test_paths_start_at_rest_and_are_smooth() -> None:
    path = draw_path(200, 50, np.random.default_rng(0))
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


def test_a_still_camera_draws_no_error_of_geometry_or_light() -> None:
    rng = np.random.default_rng
    draws = [draw_plate(level_recipe(0).plate, FRAME, 1, rng(seed), rng(0), is_pair=False) for seed in range(20)]
    for draw in draws:
        np.testing.assert_allclose(draw.matrix[0], np.eye(3), atol=1e-5)
        np.testing.assert_allclose(draw.colour[0], np.eye(3, 4), atol=1e-6)
        assert not any(np.any(each) for each in (draw.lens, draw.parallax, draw.seam_shift, draw.vignette))
        assert not np.any(draw.knots[:, [0, 1, 3, 4]])


def test_pixels_grow_with_the_frame() -> None:
    def matrix(side: int) -> np.ndarray:
        rng = np.random.default_rng
        plate = draw_plate(level_recipe(1).plate, (side, side), 1, rng(3), rng(0), is_pair=False)
        return plate.knots[0, 0], plate.parallax[0]

    for small, large in zip(matrix(256), matrix(512), strict=True):
        np.testing.assert_allclose(2 * small, large, rtol=1e-4)


def test_a_pair_is_changed_less_and_never_lost() -> None:
    def draw(seed: int, is_pair: bool) -> PlateDraw:
        rng = np.random.default_rng
        return draw_plate(level_recipe(1).plate, FRAME, 1, rng(seed), rng(0), is_pair=is_pair)

    for seed in range(60):
        pair = draw(seed, True)
        assert pair.is_there.all()
        assert np.abs(pair.matrix[0, :2, 2]).max() < 2
    spread = [np.std([draw(seed, kind).knots[0, 0] for seed in range(20)]) for kind in (True, False)]
    assert spread[0] < 0.3 * spread[1]


def test_an_unknown_recipe_is_named() -> None:
    with pytest.raises(SettingsError, match="unknown recipe 'home'"):
        choose_recipe("home")
