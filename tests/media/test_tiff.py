"""TIFF in every layout: depth, planes, alpha, floats, compression, colour, damage."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from howard.colour import linear_to_srgb
from howard.errors import InputError
from howard.media import open_reader, primaries
from howard.media.frame import DamagedFrameError
from tests.media.icc_profiles import make_profile
from tests.media.tiff_files import write_tiff

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
PREMULTIPLIED, STRAIGHT = 1, 2


def _read(path):
    with open_reader(path) as reader:
        return reader[0].image


def _samples(bits, channels=3, height=9, width=13):
    """Random values of a bit depth, including the smallest and the largest."""
    values = np.random.default_rng(bits).integers(0, 2**bits, (height, width, channels), dtype=np.uint32)
    values[0, :2] = [[0] * channels, [2**bits - 1] * channels]
    return values


def _scaled(values, bits):
    """Integers scaled to 8 or 16 bits."""
    full = 255 if bits <= 8 else 65535
    return np.rint(values.astype(float) * full / (2**bits - 1))


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 6, 8, 10, 12, 14, 16, 32])
def test_integers_of_any_depth(tmp_path, bits, planar):
    values = _samples(bits)
    image = _read(write_tiff(tmp_path / "deep.tif", values, bits, planar=planar))
    assert image.dtype == (np.uint8 if bits <= 8 else np.uint16)
    # Values that do not divide the full range are repeated downwards, which is off by one at most.
    np.testing.assert_allclose(image, _scaled(values, bits), atol=1)
    assert (image[0, 1] == np.iinfo(image.dtype).max).all()


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_second_decoder_agrees(tmp_path, bits, planar):
    path = write_tiff(tmp_path / "deep.tif", _samples(bits), bits, planar=planar)
    np.testing.assert_array_equal(
        _read(path), np.moveaxis(tifffile.imread(path), 0, 2) if planar else tifffile.imread(path)
    )


@pytest.mark.parametrize("bits", [9, 11, 13, 15, 24])
def test_unsupported_bit_depths_raise(tmp_path, bits):
    with pytest.raises(InputError, match=rf"cannot be read as a still .*{bits}.*PNG or TIFF"):
        open_reader(write_tiff(tmp_path / "odd.tif", _samples(bits), bits))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
def test_white_is_zero_and_black_is_zero(tmp_path, bits, photometric):
    values = _samples(bits, channels=1)
    image = _read(write_tiff(tmp_path / "grey.tif", values, bits, photometric=photometric))
    expected = _scaled(values if photometric == BLACK_IS_ZERO else 2**bits - 1 - values, bits)
    np.testing.assert_allclose(image, np.repeat(expected, 3, axis=2), atol=1)


@pytest.mark.parametrize("alpha", [PREMULTIPLIED, STRAIGHT, 0])
@pytest.mark.parametrize(("bits", "planar"), [(8, False), (16, False), (16, True)])
def test_alpha_does_not_change_colours(tmp_path, bits, planar, alpha):
    values = _samples(bits, channels=4)
    image = _read(write_tiff(tmp_path / "rgba.tif", values, bits, planar=planar, extra=(alpha,)))
    np.testing.assert_array_equal(image, values[..., :3])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("planar", [False, True])
def test_floats_are_linear_light(tmp_path, dtype, planar):
    light = np.random.default_rng(0).uniform(-0.1, 12, (5, 7, 3)).astype(dtype)
    path = write_tiff(tmp_path / "light.tif", light, 8 * light.itemsize, planar=planar)
    with open_reader(path) as reader:
        info, image = reader.info, reader[0].image
    assert (info.dtype, info.transfer) == ("float32", "linear")
    assert info.pixel_format == ("rgbf16le" if dtype == np.float16 else "rgbf32le")
    np.testing.assert_allclose(image, linear_to_srgb(light.astype(np.float32)), rtol=1e-5)


def test_signed_integers_are_clipped_at_zero(tmp_path):
    values = np.array([[[-5, 0, 16384], [32767, 1, 2]]], np.int16)
    tifffile.imwrite(tmp_path / "signed.tif", values, photometric="rgb")
    np.testing.assert_allclose(_read(tmp_path / "signed.tif"), _scaled(values.clip(0), 15), atol=1)


@pytest.mark.parametrize("compression", ["zlib", "tiff_lzw", "packbits", "tiff_jpeg"])
def test_compressions(tmp_path, compression):
    smooth = np.add.outer(np.arange(40), 2 * np.arange(64))[..., None] + np.array([0, 20, 60])
    image = smooth.astype(np.uint8)
    kind = {"zlib": "tiff_adobe_deflate"}.get(compression, compression)
    Image.fromarray(image).save(tmp_path / "small.tif", compression=kind)
    expected = np.asarray(Image.open(tmp_path / "small.tif").convert("RGB"))
    np.testing.assert_allclose(_read(tmp_path / "small.tif"), expected, atol=1 if kind == "tiff_jpeg" else 0)


def test_tiles_big_files_and_later_pages(tmp_path):
    values = _samples(16, height=70, width=50).astype(np.uint16)
    tifffile.imwrite(tmp_path / "tiled.tif", values, photometric="rgb", tile=(32, 32), bigtiff=True)
    tifffile.imwrite(tmp_path / "pages.tif", np.stack([values, 65535 - values]), photometric="rgb")
    for name in ("tiled.tif", "pages.tif"):
        np.testing.assert_array_equal(_read(tmp_path / name), values)


def test_palettes_and_bilevel(tmp_path):
    picture = Image.fromarray(_samples(8).astype(np.uint8))
    for name, image in (("palette.tif", picture.quantize(16)), ("bilevel.tif", picture.convert("1"))):
        image.save(tmp_path / name)
        np.testing.assert_allclose(_read(tmp_path / name), np.asarray(image.convert("RGB")), atol=1)


def test_cmyk_is_converted_without_its_profile(tmp_path):
    picture = Image.fromarray(_samples(8).astype(np.uint8)).convert("CMYK")
    picture.save(tmp_path / "inks.tif", icc_profile=make_profile(primaries.BT709, 2.2))
    with open_reader(tmp_path / "inks.tif") as reader:
        np.testing.assert_allclose(reader[0].image, np.asarray(picture.convert("RGB")), atol=2)
        assert any("profile" in note for note in reader.info.notes)


def test_a_profile_is_applied_at_full_bit_depth(tmp_path):
    values = _samples(16)
    path = write_tiff(tmp_path / "p3.tif", values, 16, profile=make_profile(primaries.DISPLAY_P3, 2.2))
    with open_reader(path) as reader:
        assert (reader.info.primaries, reader.info.dtype, reader.info.transfer) == ("smpte432", "float32", "icc")
        light = (values / 65535) ** 2.2 @ primaries.rgb_to_bt709(primaries.DISPLAY_P3).T
        np.testing.assert_allclose(reader[0].image, linear_to_srgb(light), atol=3e-3)
    # Somebody who knows better is believed.
    np.testing.assert_array_equal(open_reader(path, colour="srgb")[0].image, values)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_damage_raises_without_library_output(tmp_path, compression, capfd):
    noise = _samples(8, height=64, width=64).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.tif", compression=compression)
    whole = (tmp_path / "whole.tif").read_bytes()
    middle = len(whole) // 2
    content = whole[:middle] if compression == "raw" else whole[:middle] + b"\xff" * 40 + whole[middle + 40 :]
    (tmp_path / "cut.tif").write_bytes(content)
    with pytest.raises(InputError, match=r"cut\.tif cannot be read as a still") as caught:
        open_reader(tmp_path / "cut.tif")
    assert "\n" not in str(caught.value)
    assert compression == "raw" or isinstance(caught.value, DamagedFrameError)
    assert capfd.readouterr() == ("", "")


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([4, 10, 12, 14]), st.booleans())
def test_rows_are_padded_to_bytes(tmp_path_factory, width, height, bits, planar):
    path = tmp_path_factory.mktemp("sizes") / "size.tif"
    values = _samples(bits, height=height, width=max(2, width))
    np.testing.assert_allclose(_read(write_tiff(path, values, bits, planar=planar)), _scaled(values, bits), atol=1)


def test_tiff_files_of_ffmpeg(tmp_path):
    values = _samples(16).astype(np.uint16)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", "13x9"]
    subprocess.run([*command, "-i", "-", tmp_path / "deep.tif"], input=values.tobytes(), check=True, timeout=60)
    np.testing.assert_array_equal(_read(tmp_path / "deep.tif"), values)
