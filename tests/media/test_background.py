"""Backgrounds and composites."""

import cv2
import numpy as np
import pytest

from howard.errors import SettingsError
from howard.media import composite, load_background


@pytest.mark.parametrize(("value", "colour"), [("#102030", (16, 32, 48)), ("white", (255,) * 3), ("BLACK", (0, 0, 0))])
def test_colours(value, colour):
    background = load_background(value, width=4, height=2)
    assert background.shape == (2, 4, 3)
    assert (background == colour).all()


@pytest.mark.parametrize("value", ["#12345", "octarine", "missing.png"])
def test_what_is_neither_still_nor_colour(value):
    with pytest.raises(SettingsError, match="neither a still nor a colour"):
        load_background(value, 4, 2)


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (300, 10), (21, 15)])
def test_stills_fill_the_picture_from_their_middle(tmp_path, size):
    image = np.zeros((60, 90, 3), np.uint8)
    image[25:35, 40:50] = 255
    cv2.imwrite(str(tmp_path / "still.png"), image)
    background = load_background(tmp_path / "still.png", *size)
    assert background.shape == (size[1], size[0], 3)
    assert background[size[1] // 2, size[0] // 2, 0] > 200


def test_opaque_and_empty_pixels_are_exact():
    rng = np.random.default_rng(0)
    rgba, background = rng.integers(0, 256, (6, 5, 4), np.uint8), rng.integers(0, 256, (6, 5, 3), np.uint8)
    rgba[:3, :, 3], rgba[3:, :, 3] = 255, 0
    result = composite(rgba, background, linear_light=True)
    np.testing.assert_array_equal(result[:3], rgba[:3, :, :3])
    np.testing.assert_array_equal(result[3:], background[3:])


@pytest.mark.parametrize(("linear_light", "expected"), [(False, 128), (True, 188)])
def test_half_white_over_black_depends_on_the_light(linear_light, expected):
    rgba = np.array([[[255, 255, 255, 128]]], np.uint8)
    assert composite(rgba, np.zeros((1, 1, 3), np.uint8), linear_light).tolist() == [[[expected] * 3]]
