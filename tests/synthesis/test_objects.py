"""Objects made of shapes, textures and parts of photographs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.synthesis.object_shapes import sample_object_shape, sample_small_object_shape
from howard.synthesis.object_textures import sample_patch, sample_segment, sample_texture
from howard.synthesis.objects import crop_object, defocus_object, make_object, straight_colours


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_an_object_has_its_size_soft_edges_and_an_empty_rim(picture: np.ndarray, seed: int, is_small: bool) -> None:
    made = make_object([picture], 60, np.random.default_rng(seed), is_small)
    assert made.colour.shape == (*made.alpha.shape, 3)
    assert made.shadow.shape == made.alpha.shape
    assert {each.dtype for each in made[:3]} == {np.dtype(np.uint8)}
    part = crop_object(made)
    # Parts whose corners fade out are smaller than what was asked for.
    assert 30 <= max(part.alpha.shape) <= 72
    assert made.alpha.max() > 200
    assert ((made.alpha > 0) & (made.alpha < 255)).any()
    border = np.concatenate([made.alpha[[0, -1]].ravel(), made.alpha[:, [0, -1]].ravel()])
    assert border.max() == 0


def test_the_same_seed_makes_the_same_object(picture: np.ndarray) -> None:
    first, second = (make_object([picture], 40, np.random.default_rng(5)) for _ in range(2))
    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))
    other = make_object([picture], 40, np.random.default_rng(6))
    assert other.alpha.shape != first.alpha.shape or not np.array_equal(other.colour, first.colour)


@given(st.integers(0, 2**31))
def test_object_shapes_are_finite_polygons_on_the_ground(seed: int) -> None:
    for sample in (sample_object_shape, sample_small_object_shape):
        parts = sample(np.random.default_rng(seed))
        points = np.concatenate([part.outline for part in parts])
        assert np.isfinite(points).all()
        assert points[:, 1].max() == pytest.approx(1, abs=0.02)
        assert np.ptp(points, axis=0).max() < 2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(4, 200), st.integers(4, 200))
def test_textures_have_any_size(picture: np.ndarray, seed: int, height: int, width: int) -> None:
    surface = sample_texture([picture], (height, width), np.random.default_rng(seed))
    assert (surface.shape, surface.dtype) == ((height, width, 3), np.float32)
    assert np.isfinite(surface).all()
    assert sample_patch(picture, (height, width), np.random.default_rng(seed)).shape == (height, width, 3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_a_segment_ends_within_its_picture(picture: np.ndarray, seed: int) -> None:
    colour, alpha = sample_segment(picture, 50, np.random.default_rng(seed))
    assert max(alpha.shape) == 50
    assert colour.shape == (*alpha.shape, 3)
    assert 0.05 < alpha.mean() < 0.98
    assert (colour[alpha == 0] == 0).all()


def test_colours_are_straight_and_reach_beyond_the_outline() -> None:
    alpha = np.zeros((20, 20), np.float32)
    alpha[5:15, 5:15] = 1
    alpha[5, 5:15] = 0.5
    colour, coverage = straight_colours(alpha[..., None] * np.array([200, 100, 50], np.float32), alpha)
    assert np.abs(colour[5, 5:15].astype(int) - [200, 100, 50]).max() <= 1
    assert np.abs(colour[4, 8].astype(int) - [200, 100, 50]).max() <= 1
    assert coverage[5, 8] in (127, 128)


def test_defocus_spreads_the_same_coverage(picture: np.ndarray) -> None:
    sharp = make_object([picture], 60, np.random.default_rng(1))
    soft = defocus_object(sharp, 2.0)
    assert soft.alpha.sum(dtype=np.int64) == pytest.approx(sharp.alpha.sum(dtype=np.int64), rel=0.02)
    assert ((soft.alpha > 20) & (soft.alpha < 235)).sum() > ((sharp.alpha > 20) & (sharp.alpha < 235)).sum()
    assert defocus_object(sharp, 0.1) is sharp
