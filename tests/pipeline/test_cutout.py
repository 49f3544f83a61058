"""From matte to pixels: rounding and which colour goes where."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from howard.media import full_scale, to_depth
from howard.pipeline.cutout import cut_out

UNIT = st.floats(0, 1, width=32)


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, (3, 4), elements=UNIT), arrays(np.float32, (3, 4, 3), elements=UNIT))
def test_alpha_decides_the_colour(alpha, foreground):
    source = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    rgba = cut_out(source, alpha, foreground.__getitem__)
    rounded = rgba[..., 3].astype(np.float64)
    assert np.abs(rounded - 255.0 * alpha).max() <= 0.5 + 1e-4
    colours = np.select(
        [rounded[..., None] == 255, rounded[..., None] == 0], [source, np.zeros_like(source)], np.rint(255 * foreground)
    )
    np.testing.assert_array_equal(rgba[..., :3], colours)


def test_values_a_hair_outside_the_range_are_clipped():
    rgba = cut_out(np.zeros((1, 2, 3), np.uint8), np.array([[1.001, -0.01]]), np.full((1, 2, 3), 1.2).__getitem__)
    assert rgba[..., 3].tolist() == [[255, 0]]


@pytest.mark.parametrize("source_type", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_source_can_be_written_in_any_depth(source_type, dtype):
    source = (np.arange(24).reshape(2, 4, 3) / 24 * full_scale(source_type)).astype(source_type)
    alpha = np.array([[0, 0.25, 0.5, 1]] * 2, np.float32)
    foreground = np.full((2, 4, 3), 0.5, np.float32)
    rgba = cut_out(source, alpha, foreground.__getitem__, dtype)
    assert rgba.dtype == dtype
    np.testing.assert_array_equal(rgba[:, 3, :3], to_depth(source[:, 3], dtype))
    np.testing.assert_allclose(rgba[:, 1:3, :3] / full_scale(dtype), 0.5, atol=0.003)
    assert not rgba[:, 0].any()


def test_bright_opaque_pixels_stay_bright_in_floats():
    source = np.array([[[4.0, 1.5, -0.1]]], np.float32)
    rgba = cut_out(source, np.ones((1, 1), np.float32), np.ones((1, 1, 3)).__getitem__, np.float32)
    np.testing.assert_array_equal(rgba[..., :3], source)


def test_what_half_floats_round_to_opaque_has_the_source_s_colour():
    source = np.full((1, 1, 3), 0.25, np.float32)
    rgba = cut_out(source, np.full((1, 1), 0.9999, np.float32), np.ones((1, 1, 3)).__getitem__, np.float32)
    np.testing.assert_array_equal(rgba, [[[0.25, 0.25, 0.25, 1]]])
