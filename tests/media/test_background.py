"""Backgrounds and composites."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from howard.errors import InputError, SettingsError
from howard.media import Background, composite, full_scale


@pytest.mark.parametrize(("value", "colour"), [("#102030", (16, 32, 48)), ("white", (255,) * 3), ("BLACK", (0, 0, 0))])
def test_colours(value, colour):
    with Background(value, width=4, height=2) as background:
        assert background.clip is None
        assert background.frame(Fraction(7)).shape == (2, 4, 3)
        assert (background.frame(Fraction(7)) == colour).all()


@pytest.mark.parametrize("value", ["#12345", "octarine", "missing.png", 300 * "x", "a\0b"])
def test_invalid_background_value_raises(value):
    with pytest.raises(SettingsError, match="neither a still, a video nor a colour"):
        Background(value, 4, 2)


def test_unreadable_background_raises(tmp_path):
    (tmp_path / "notes.mp4").write_text("not a video")
    with pytest.raises(InputError, match=r"notes\.mp4"):
        Background(tmp_path / "notes.mp4", 4, 2)


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (300, 10), (21, 15)])
def test_stills_are_scaled_to_cover_and_centre_cropped(tmp_path, size):
    image = np.zeros((60, 90, 3), np.uint8)
    image[25:35, 40:50] = 255
    cv2.imwrite(str(tmp_path / "still.png"), image)
    with Background(tmp_path / "still.png", *size) as background:
        assert background.frame(Fraction(0)).shape == (size[1], size[0], 3)
        assert background.frame(Fraction(3))[size[1] // 2, size[0] // 2, 0] > 200


def test_a_background_video_loops(encode, numbered):
    with Background(encode(numbered), 64, 48) as background:
        assert background.clip is not None
        rate = background.clip.frame_rate
        for index in (0, 1, 19, 20, 21):
            assert abs(int(background.frame(index / rate)[40, 40, 0]) - (20 + 8 * (index % 20))) <= 2


@pytest.mark.parametrize("rate", [12, 24, 25, 48, 60])
def test_a_background_video_plays_at_its_own_frame_rate(encode, numbered, rate):
    with Background(encode(numbered), 64, 48, Fraction(rate)) as background:
        assert background.clip is not None
        for index in range(2 * rate // 3):
            time = Fraction(index, rate) + Fraction(1, 2 * rate)
            shown = int(time * background.clip.frame_rate) % 20
            assert abs(int(background.frame(time)[40, 40, 0]) - (20 + 8 * shown)) <= 2


def test_an_image_sequence_as_background(tmp_path):
    for number, level in ((1001, 10), (1002, 200)):
        cv2.imwrite(str(tmp_path / f"wall.{number}.png"), np.full((8, 8, 3), level, np.uint8))
    with Background(str(tmp_path / "wall.%04d.png"), 8, 8, Fraction(50)) as background:
        assert [int(background.frame(Fraction(index, 50))[0, 0, 0]) for index in (0, 1, 2)] == [10, 200, 10]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_opaque_and_empty_pixels_are_exact(dtype):
    rng = np.random.default_rng(0)
    scale = full_scale(dtype)
    rgba, background = ((scale * rng.random((6, 5, channels))).astype(dtype) for channels in (4, 3))
    rgba[:3, :, 3], rgba[3:, :, 3] = scale, 0
    result = composite(rgba, background, linear_light=True)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result[:3], rgba[:3, :, :3])
    np.testing.assert_array_equal(result[3:], background[3:])


@pytest.mark.parametrize(("linear_light", "expected"), [(False, 128), (True, 188)])
def test_mixing_in_linear_light_and_encoded_values(linear_light, expected):
    rgba = np.array([[[255, 255, 255, 128]]], np.uint8)
    assert composite(rgba, np.zeros((1, 1, 3), np.uint8), linear_light).tolist() == [[[expected] * 3]]
    deep = composite(257 * rgba.astype(np.uint16), np.zeros((1, 1, 3), np.uint8), linear_light)
    assert deep[0, 0, 0] / 257 == pytest.approx(expected, abs=0.5)
