"""sRGB and opponent-colour conversion, weighted smoothing and push-pull interpolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import srgb_to_linear
from howard.keying.image_operations import encode, fill, from_opponent, smooth, to_linear, to_opponent


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint8, 1e-4), (np.uint16, 2e-4)])
def test_every_level_survives_linear_light_and_back(dtype: type, tolerance: float) -> None:
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    back = encode(to_linear(levels))
    assert np.abs(back - levels / np.iinfo(dtype).max).max() < tolerance * 8
    if dtype == np.uint8:
        assert (np.rint(back * 255) == levels).all()


def test_float_pictures_keep_what_is_above_white() -> None:
    values = np.array([-0.1, 0.5, 1.5], np.float32)
    assert to_linear(values) == pytest.approx(srgb_to_linear(values.clip(0)))
    assert encode(to_linear(values))[2] == 1


@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3))
def test_opponent_colour_is_inverted(colour: list[float]) -> None:
    encoded = np.array([colour], np.float32)
    opponent = to_opponent(encoded)
    assert from_opponent(opponent) == pytest.approx(encoded, abs=1e-5)


def test_greys_have_no_colour_difference() -> None:
    assert to_opponent(np.full((1, 3), 0.7, np.float32))[0] == pytest.approx([0.7, 0, 0], abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_known_values_stay_and_others_are_interpolated(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((height, width, 2)).astype(np.float32)
    known = rng.random((height, width)) < 0.3
    known[rng.integers(height), rng.integers(width)] = True
    filled = fill(values, known)
    assert np.allclose(filled[known], values[known], atol=1e-5)
    assert (filled >= values[known].min(axis=0) - 1e-4).all()
    assert (filled <= values[known].max(axis=0) + 1e-4).all()


def test_nothing_known_is_black() -> None:
    assert (fill(np.ones((9, 7, 3), np.float32), np.zeros((9, 7), bool)) == 0).all()


def test_a_slope_is_carried_across_a_hole() -> None:
    values = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None], 64, axis=0)[..., None]
    known = np.ones((64, 64), bool)
    known[24:40, 24:40] = False
    assert np.abs(fill(values, known) - values).max() < 0.08


def test_the_smooth_mean_leaves_out_what_has_no_weight() -> None:
    values = np.where(np.arange(40) < 20, 0.25, 9.0).astype(np.float32)[None, :, None].repeat(8, axis=0)
    mean, weight = smooth(values, values[..., 0] < 1, 2.0)
    assert np.allclose(mean[:, :24], 0.25, atol=1e-4)
    assert weight[0, 0] > 0.99
    assert weight[0, 39] < 0.01
