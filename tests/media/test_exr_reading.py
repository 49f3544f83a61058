"""Reading EXR files: linear light, chromaticities, windows, and invalid files."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.errors import InputError
from howard.media import open_reader
from howard.media.primaries import ACES_AP1, rgb_to_bt709

AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)


def _write(path: Path, image: np.ndarray, **header) -> Path:
    """Write an image (H, W, 3) as channels R, G and B."""
    channels = {name: np.ascontiguousarray(image[..., place]) for place, name in enumerate("RGB")}
    OpenEXR.File({"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION} | header, channels).write(
        str(path)
    )
    return path


@pytest.fixture
def light() -> np.ndarray:
    """(6, 8, 3) float32, from negative values to far above 1."""
    return np.random.default_rng(0).uniform(-0.1, 12, (6, 8, 3)).astype(np.float32)


@pytest.mark.parametrize(("dtype", "pixel_format"), [(np.float16, "rgbf16le"), (np.float32, "rgbf32le")])
def test_hdr_range_is_preserved(tmp_path, light, dtype, pixel_format):
    with open_reader(_write(tmp_path / "light.exr", light.astype(dtype))) as reader:
        info, frame = reader.info, reader[0]
    assert (info.width, info.height, info.frame_count, info.dtype) == (8, 6, 1, "float32")
    assert (info.pixel_format, info.transfer, info.primaries) == (pixel_format, "linear", "bt709")
    assert frame.image.dtype == np.float32
    np.testing.assert_allclose(frame.image, linear_to_srgb(light.astype(dtype).astype(np.float32)), rtol=1e-5)


def test_chromaticities_are_converted(tmp_path, light):
    reader = open_reader(_write(tmp_path / "aces.exr", light, chromaticities=AP1))
    assert reader.info.primaries == "ACES AP1"
    np.testing.assert_allclose(srgb_to_linear(reader[0].image), light @ rgb_to_bt709(ACES_AP1).T, atol=2e-4)


def test_white_of_any_gamut_is_white(tmp_path):
    path = _write(tmp_path / "white.exr", np.ones((2, 2, 3), np.float32), chromaticities=AP1)
    np.testing.assert_allclose(open_reader(path)[0].image, 1, atol=1e-4)


def test_encoded_values_in_an_exr_by_colour_name(tmp_path, light):
    np.testing.assert_array_equal(open_reader(_write(tmp_path / "srgb.exr", light), colour="srgb")[0].image, light)


def test_frame_rate_timecode_and_pixel_aspect_are_read(tmp_path, light):
    timecode = OpenEXR.TimeCode(1, 2, 3, 4, True, *[False] * 5, *[0] * 8)
    header = {"framesPerSecond": Fraction(24000, 1001), "timeCode": timecode, "pixelAspectRatio": 2.0}
    for number in (1001, 1002):
        _write(tmp_path / f"shot.{number}.exr", light, **header)
    info = open_reader(tmp_path).info
    assert (info.frame_rate, info.timecode, info.pixel_aspect) == (Fraction(24000, 1001), "01:02:03;04", 2)
    assert (info.first_number, info.frame_count) == (1001, 2)
    assert open_reader(tmp_path, frame_rate=Fraction(25)).info.frame_rate == 25


@pytest.mark.parametrize("offset", [(0, 0), (3, 2), (-2, -1)])
def test_the_image_is_the_display_window(tmp_path, offset):
    corners = np.array([[0, 0], [7, 5]]) + offset
    data = np.array([[2, 1], [9, 4]])
    header = {
        "displayWindow": tuple(corners.astype(np.int32)),
        "dataWindow": tuple(data.astype(np.int32)),
    }
    stored = np.arange(1, 33, dtype=np.float32).reshape(4, 8)
    image = open_reader(_write(tmp_path / "window.exr", np.dstack([stored] * 3), **header))[0].image
    everywhere = np.zeros((40, 40), np.float32)
    everywhere[11:15, 12:20] = stored
    left, top = corners[0] + 10
    expected = everywhere[top : top + 6, left : left + 8]
    np.testing.assert_allclose(srgb_to_linear(image[..., 0]), expected, rtol=1e-4)


def test_luminance_alone_is_grey(tmp_path):
    OpenEXR.File({}, {"Y": np.full((3, 4), 0.18, np.float32)}).write(str(tmp_path / "grey.exr"))
    np.testing.assert_allclose(srgb_to_linear(open_reader(tmp_path / "grey.exr")[0].image), 0.18, rtol=1e-4)


def test_the_first_part_with_colour_is_read(tmp_path, light):
    colour = {name: np.ascontiguousarray(light[..., place]) for place, name in enumerate("RGB")}
    depth = {"Z": np.ones((6, 8), np.float32)}
    parts = [OpenEXR.Part({"name": "depth"}, depth), OpenEXR.Part({"name": "beauty"}, colour)]
    OpenEXR.File(parts).write(str(tmp_path / "parts.exr"))
    np.testing.assert_allclose(open_reader(tmp_path / "parts.exr")[0].image, linear_to_srgb(light), rtol=1e-5)


def test_an_exr_without_colour_channels_raises(tmp_path):
    channels = {"Z": np.ones((3, 4), np.float32), "left.R": np.ones((3, 4), np.float32)}
    OpenEXR.File({}, channels).write(str(tmp_path / "depth.exr"))
    with pytest.raises(InputError, match=r"depth\.exr has no channels R, G and B, but Z, left\.R"):
        open_reader(tmp_path / "depth.exr")


def test_integer_channels_raise(tmp_path):
    with pytest.raises(InputError, match="is uint32, not linear light"):
        open_reader(_write(tmp_path / "ids.exr", np.ones((3, 4, 3), np.uint32)))


def test_nan_becomes_zero(tmp_path):
    image = np.full((2, 2, 3), 0.5, np.float32)
    image[0, 0] = np.nan, np.inf, -np.inf
    assert np.isfinite(open_reader(_write(tmp_path / "odd.exr", image))[0].image).all()


def test_broken_files_raise(tmp_path):
    noise = np.random.default_rng(0).random((200, 300, 3)).astype(np.float32)
    whole = _write(tmp_path / "whole.exr", noise).read_bytes()
    for content in (b"text" * 100, whole[:100], whole[: len(whole) // 2]):
        (tmp_path / "broken.exr").write_bytes(content)
        with pytest.raises(InputError, match=r"broken\.exr"):
            open_reader(tmp_path / "broken.exr")


@pytest.mark.parametrize("name", ["été (1) 'x' = 2.exr", "-in.exr", "夕焼け #%.exr"])
def test_any_file_name_is_read(tmp_path, light, name):
    assert open_reader(_write(tmp_path / name, light))[0].image.shape == (6, 8, 3)
