"""Conversion of images between bit depths, and premultiplication."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.images import (
    check_shape_and_depth,
    full_scale,
    premultiplied,
    shrink_to,
    to_depth,
    to_uint8,
    without_hidden_colour,
)


def test_conversion_to_a_deeper_type_and_back_is_exact():
    bytes_, words = np.arange(256, dtype=np.uint8), np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(to_depth(to_depth(bytes_, np.uint16), np.uint8), bytes_)
    np.testing.assert_array_equal(to_depth(to_depth(bytes_, np.float32), np.uint8), bytes_)
    np.testing.assert_array_equal(to_depth(to_depth(words, np.float32), np.uint16), words)


def test_integers_round_to_the_nearest():
    words = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(to_depth(words, np.uint8), np.rint(words / 257))


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 3, width=32))
def test_integers_are_clipped_to_one(value):
    for dtype in (np.uint8, np.uint16):
        (stored,) = to_depth(np.array([value], np.float32), dtype)
        # Half a step, and what float32 loses of 65535 steps.
        assert stored / full_scale(dtype) == pytest.approx(min(max(value, 0), 1), abs=0.505 / full_scale(dtype))


def test_the_same_dtype_returns_the_image_itself():
    hdr = np.array([-0.25, 4], np.float32)
    assert to_depth(hdr, np.float32) is hdr


def test_other_dtypes_raise():
    with pytest.raises(ValueError, match="float64"):
        to_depth(np.zeros(3), np.uint8)
    with pytest.raises(ValueError, match=r"\(H, W, 4\)"):
        check_shape_and_depth(np.zeros((2, 2, 3), np.uint8), channels=(4,))


def test_hidden_colour_is_removed():
    rgba = np.full((2, 2, 4), 9, np.uint16)
    rgba[0, 0, 3] = 0
    cleared = without_hidden_colour(rgba)
    assert (cleared.dtype, cleared[0, 0].tolist(), cleared[1, 1].tolist()) == (np.uint16, [0] * 4, [9] * 4)
    assert rgba[0, 0].tolist() == [9, 9, 9, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_values_are_rounded_products(dtype):
    rgba = np.random.default_rng(0).integers(0, full_scale(dtype) + 1, (40, 50, 4)).astype(dtype)
    rgba[:2, :, 3], rgba[2:4, :, 3] = 0, full_scale(dtype)
    made = premultiplied(rgba)
    assert made.dtype == dtype
    np.testing.assert_array_equal(made[..., 3], rgba[..., 3])
    exact = rgba[..., :3] * (rgba[..., 3:] / full_scale(dtype))
    assert np.abs(made[..., :3] - exact).max() <= 0.5 + 1e-9
    assert not made[:2, :, :3].any()
    np.testing.assert_array_equal(made[2:4], rgba[2:4])


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_other_kinds_are_refused(image):
    with pytest.raises(ValueError, match="uint8, uint16 or float32"):
        check_shape_and_depth(image, channels=(3,))


def test_floats_round_to_the_nearest_and_are_clipped():
    for dtype in (np.float32, np.float64):
        values = np.array([-1, 0, 0.4 / 255, 0.6 / 255, 1, 7], dtype)
        assert to_uint8(values).tolist() == [0, 0, 0, 1, 255, 255]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30))
def test_shrinking_keeps_the_long_side_and_the_mean(height, width, side):
    image = np.random.default_rng(0).uniform(size=(height, width, 3)).astype(np.float32)
    small = shrink_to(image, side)
    if max(height, width) <= side:
        assert small is image
    else:
        assert max(small.shape[:2]) == side
        np.testing.assert_allclose(small.mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=1e-5)
