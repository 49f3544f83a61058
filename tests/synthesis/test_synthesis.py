"""Samples are reproducible, true to their recipe, and the plate's misalignment is what was drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import mix
from howard.synthesis import RECIPES, Person, Recipe, synthesise
from howard.synthesis.misalign import draw_coverage, draw_displacement, misalign
from howard.synthesis.placement import jitter_colour, place_background, place_person
from howard.synthesis.recipe import PlacementRecipe, PlateRecipe
from howard.synthesis.sample import cast_shadow

SIZE = (64, 80)
STILL = PlacementRecipe(rotation=0, shift=0, shear=0, scale=(1, 1), flip=0, colour=(0, 0, 0, 0))
PERFECT_PLATE = PlateRecipe(affine_probability=0, colour_probability=0)
PLAIN = Recipe(STILL, STILL, PERFECT_PLATE, shadow_probability=0, noise_probability=0)


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def person(cut: bool = False) -> Person:
    alpha = np.zeros((60, 30), np.uint8)
    alpha[5 : 60 if cut else 55, 5:25] = 255
    return Person(texture(60, 30, 1), alpha)


@pytest.mark.parametrize("name", RECIPES)
def test_samples_have_their_shapes_and_ranges_and_repeat(name: str) -> None:
    draw = [
        synthesise([person(), person(True)], texture(90, 120), SIZE, RECIPES[name], np.random.default_rng(5))
        for _ in range(2)
    ]
    for field in draw[0]._fields:
        image = getattr(draw[0], field)
        assert image.shape == (*SIZE, 1 if field in ("alpha", "coverage") else 3)
        assert image.dtype == np.float32
        assert 0 <= image.min() <= image.max() <= 1
        assert np.array_equal(image, getattr(draw[1], field))


@pytest.mark.parametrize("mixing", ["linear", "srgb"])
def test_a_plain_recipe_mixes_source_from_its_truth(mixing: str) -> None:
    """With nothing drawn, the plate is the background, and source = mix(foreground, plate, alpha)."""
    recipe = replace(PLAIN, mixing=mixing)  # type: ignore[arg-type]
    sample = synthesise([person()], texture(90, 120), SIZE, recipe, np.random.default_rng(0))
    expected = mix(sample.foreground, sample.plate, sample.alpha, linear_light=mixing == "linear")
    np.testing.assert_allclose(sample.source, expected, atol=2e-3)
    assert sample.alpha.max() == 1
    assert sample.coverage.min() == 1


def test_nobody_is_an_empty_matte() -> None:
    sample = synthesise([], texture(90, 120), SIZE, PLAIN, np.random.default_rng(0))
    assert sample.alpha.max() == 0
    np.testing.assert_allclose(sample.source, sample.plate, atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_a_person_cut_by_the_picture_is_cut_by_the_frame(seed: int) -> None:
    """Never a torso that ends in mid-air: below the lowest row of the person there is only the frame's edge."""
    recipe = PlacementRecipe(shear=0, rotation=0, shift=0.4, scale=(0.3, 2.0))
    placed = place_person(person(cut=True), SIZE, recipe, np.random.default_rng(seed))
    rows = np.flatnonzero(placed.alpha.max(axis=(1, 2)) > 0.5)
    assert len(rows) == 0 or rows[-1] == SIZE[0] - 1


def test_a_still_placement_centres_the_person_and_fits_the_frame() -> None:
    placed = place_person(person(), SIZE, STILL, np.random.default_rng(0))
    rows, columns = np.nonzero(placed.alpha[..., 0] > 0.5)
    scale = SIZE[0] / 60
    assert abs((rows.max() - rows.min() + 1) - 50 * scale) <= 1
    assert abs((columns.max() + columns.min()) / 2 - (SIZE[1] - 1) / 2) <= 1


def test_a_background_that_fits_is_untouched() -> None:
    picture = texture(*SIZE)
    placed = place_background(picture, SIZE, STILL, np.random.default_rng(0))
    np.testing.assert_allclose(placed, picture / 255, atol=2 / 255)


def test_no_colour_jitter_is_the_identity_and_grey_stays_grey() -> None:
    picture = (texture(*SIZE) / 255).astype(np.float32)
    np.testing.assert_allclose(jitter_colour(picture, (0, 0, 0, 0), np.random.default_rng(0)), picture, atol=1e-3)
    grey = np.repeat(picture[..., :1], 3, axis=2)
    turned = jitter_colour(grey, (0, 0, 0.5, 0.3), np.random.default_rng(0))
    np.testing.assert_allclose(turned, grey, atol=2e-2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 4), st.floats(0.1, 4))
def test_displacements_stay_within_what_was_asked_for(seed: int, homography: float, flow: float) -> None:
    recipe = PlateRecipe(
        affine_probability=0, homography_probability=1, homography_px=homography, flow_probability=1, flow_px=flow
    )
    displacement = draw_displacement(SIZE, recipe, np.random.default_rng(seed))
    assert displacement.shape == (*SIZE, 2)
    assert np.abs(displacement).max() <= homography * 1.5 + flow + 1e-3


def test_the_plate_moves_by_the_displacement() -> None:
    """A known displacement is recovered: plate(x) = place(x + displacement)."""
    recipe = replace(PERFECT_PLATE, homography_probability=1.0, homography_px=3.0)
    margin = 10
    rows, columns = np.mgrid[: SIZE[0] + 2 * margin, : SIZE[1] + 2 * margin].astype(np.float32)
    ramp = np.stack([columns, rows, np.zeros_like(rows)], axis=-1) / 200
    plate = misalign(ramp, margin, recipe, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    displacement = draw_displacement(SIZE, recipe, rng)
    found = plate.image[..., :2] * 200 - ramp[margin:-margin, margin:-margin, :2] * 200
    np.testing.assert_allclose(found, displacement, atol=0.05)


def test_a_perfect_plate_is_the_background() -> None:
    wide = (texture(SIZE[0] + 20, SIZE[1] + 20) / 255).astype(np.float32)
    plate = misalign(wide, 10, PERFECT_PLATE, np.random.default_rng(0))
    np.testing.assert_allclose(plate.image, wide[10:-10, 10:-10], atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_uncovered_borders_are_black_and_keep_the_middle(seed: int) -> None:
    coverage = draw_coverage(SIZE, 0.2, np.random.default_rng(seed))
    assert set(np.unique(coverage)) <= {0, 1}
    assert coverage[20:44, 25:55].min() == 1
    recipe = replace(PERFECT_PLATE, uncovered_probability=1.0, uncovered=0.2, bias=0.1)
    wide = (texture(SIZE[0] + 20, SIZE[1] + 20) / 255).astype(np.float32)
    plate = misalign(wide, 10, recipe, np.random.default_rng(seed))
    assert np.abs(plate.image[plate.coverage[..., 0] == 0]).sum() == 0


def test_shadows_only_darken() -> None:
    background = np.full((*SIZE, 3), 0.5, np.float32)
    alpha = np.zeros((*SIZE, 1), np.float32)
    alpha[20:60, 30:50] = 1
    shaded = cast_shadow(background, alpha, np.random.default_rng(0))
    assert shaded.max() <= 0.5
    assert shaded.min() < 0.49
