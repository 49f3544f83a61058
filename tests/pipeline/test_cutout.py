"""From matte to pixels: rounding and which colour goes where."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from howard.pipeline.cutout import cut_out

UNIT = st.floats(0, 1, width=32)


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, (3, 4), elements=UNIT), arrays(np.float32, (3, 4, 3), elements=UNIT))
def test_alpha_decides_the_colour(alpha, foreground):
    source = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    rgba = cut_out(source, alpha, foreground)
    rounded = np.rint(255 * alpha)
    np.testing.assert_array_equal(rgba[..., 3], rounded)
    colours = np.select(
        [rounded[..., None] == 255, rounded[..., None] == 0], [source, np.zeros_like(source)], np.rint(255 * foreground)
    )
    np.testing.assert_array_equal(rgba[..., :3], colours)


def test_values_a_hair_outside_the_range_are_clipped():
    rgba = cut_out(np.zeros((1, 2, 3), np.uint8), np.array([[1.001, -0.01]]), np.full((1, 2, 3), 1.2))
    assert rgba[..., 3].tolist() == [[255, 0]]
