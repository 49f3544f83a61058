"""Kinds of pictures and the levels between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from howard.align.pictures import from_levels, to_bytes, to_levels

SHAPE = (3, 4, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_whole_numbers_survive_the_way_there_and_back(dtype, data):
    image = data.draw(arrays(dtype, SHAPE))
    np.testing.assert_array_equal(from_levels(to_levels(image), image.dtype), image)


def test_white_is_255_levels_in_every_kind():
    for image in (np.full(SHAPE, 255, np.uint8), np.full(SHAPE, 65535, np.uint16), np.ones(SHAPE, np.float32)):
        np.testing.assert_allclose(to_levels(image), 255)
        np.testing.assert_array_equal(to_bytes(image), 255)


def test_bright_floats_keep_their_value_but_not_in_bytes():
    image = np.full(SHAPE, 2.5, np.float32)
    np.testing.assert_allclose(from_levels(to_levels(image), image.dtype), 2.5)
    np.testing.assert_array_equal(to_bytes(image), 255)


def test_what_is_no_number_becomes_black():
    image = np.full(SHAPE, 0.5, np.float32)
    image[0, 0], image[1, 1] = np.nan, np.inf
    levels = to_levels(image)
    assert not levels[[0, 1], [0, 1]].any()
    assert np.isnan(image[0, 0]).all()


def test_overshoot_is_clipped():
    levels = np.array([[[-20, 300, 127.6]]], np.float32)
    assert from_levels(levels, np.dtype(np.uint8)).ravel().tolist() == [0, 255, 128]
    assert from_levels(levels, np.dtype(np.float32)).min() == 0
