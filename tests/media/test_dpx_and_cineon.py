"""DPX, Cineon, TGA, JPEG 2000, HDR, PFM and others: values agree with the ffmpeg program, tags with their headers."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.errors import InputError
from howard.media import open_reader
from howard.media.colours.camera_curves import cineon_to_linear
from tests.media.dpx_files import read_by_ffmpeg, set_dpx_transfer, write_by_ffmpeg, write_cineon


@pytest.fixture
def picture():
    """(12, 18, 3) uint8 with smooth colours."""
    y, x = np.mgrid[:12, :18]
    return np.stack([12 * x, 20 * y, 250 - 6 * x - 9 * y], axis=2).clip(0, 255).astype(np.uint8)


@pytest.fixture
def deep(picture):
    """The same image with 16 bits, with random low bits."""
    return picture.astype(np.uint16) * 257 + np.random.default_rng(0).integers(0, 200, picture.shape, np.uint16)


def _read(path, **more):
    with open_reader(path, **more) as reader:
        return reader[0].image


@pytest.mark.parametrize(
    ("suffix", "pixel_format", "bits"),
    [
        (".dpx", "rgb24", 8),
        (".dpx", "gbrp10be", 10),
        (".dpx", "gbrp12be", 12),
        (".dpx", "rgb48be", 16),
        (".tga", "bgr24", 8),
        (".jp2", "rgb24", 8),
        (".jp2", "rgb48le", 16),
        (".j2k", "rgb24", 8),
        (".sgi", "rgb24", 8),
        (".bmp", "bgr24", 8),
        (".webp", "bgra", 8),
    ],
)
def test_a_second_decoder_agrees(tmp_path, picture, deep, suffix, pixel_format, bits):
    lossless = ["-lossless", "1"] if suffix == ".webp" else []
    path = write_by_ffmpeg(tmp_path / f"a{suffix}", picture if bits == 8 else deep, pixel_format, *lossless)
    image = _read(path)
    assert image.dtype == (np.uint8 if bits == 8 else np.uint16)
    expected = read_by_ffmpeg(path, "rgb24" if bits == 8 else "rgb48le", picture.shape)
    # JPEG 2000 decoders round apart; the ffmpeg program leaves the low bits of 12 empty.
    tolerance = 2 if suffix in (".jp2", ".j2k") else 16 if bits == 12 else 0
    np.testing.assert_allclose(image.astype(int), expected.astype(int), atol=tolerance)


@pytest.mark.parametrize("width", [29, 30, 31, 32])
@pytest.mark.parametrize("pixel_format", ["rgb24", "rgba", "rgb48be", "gbrp12be", "gbrp10be", "gray12be"])
def test_rows_of_dpx_that_end_inside_a_word(tmp_path, width, pixel_format):
    values = np.random.default_rng(width).integers(0, 256, (40, width, 3)).astype(np.uint8)
    grey = pixel_format.startswith("gray")
    values = np.repeat(values[..., :1], 3, axis=2) if grey else values
    image = _read(write_by_ffmpeg(tmp_path / "a.dpx", values, pixel_format))
    # The ffmpeg program leaves low bits empty when it widens 8.
    levels = np.iinfo(image.dtype).max / 255
    np.testing.assert_allclose(image / levels, values, atol=0 if image.dtype == np.uint8 else 1.2)


@pytest.mark.parametrize("suffix", [".dpx", ".tga", ".jp2", ".sgi", ".pfm", ".hdr"])
def test_sequence_frames_equal_single_files(tmp_path, picture, suffix):
    for number in range(86400, 86403):
        path = tmp_path / f"a.{number:07d}{suffix}"
        if suffix in (".pfm", ".hdr"):
            cv2.imwrite(str(path), (picture * (number - 86399) / 255).astype(np.float32)[..., ::-1].copy())
        else:
            write_by_ffmpeg(path, picture + np.uint8(number - 86400))
    with open_reader(tmp_path) as sequence:
        assert (len(sequence), sequence.info.first_number) == (3, 86400)
        for frame in sequence:
            np.testing.assert_array_equal(frame.image, _read(sequence.info.files[frame.index]))


@pytest.mark.parametrize("code", [0, 4, 5, 6, 7, 8, 9, 10, 255])
def test_dpx_with_a_video_transfer_is_unchanged(tmp_path, deep, code):
    path = set_dpx_transfer(write_by_ffmpeg(tmp_path / "a.dpx", deep, "rgb48be"), code)
    np.testing.assert_array_equal(_read(path), deep)


@pytest.mark.parametrize("code", [1, 3])
def test_dpx_with_a_density_transfer_is_cineon(tmp_path, deep, code):
    path = set_dpx_transfer(write_by_ffmpeg(tmp_path / "a.dpx", deep, "rgb48be"), code)
    assert open_reader(path).info.transfer == "cineon"
    np.testing.assert_allclose(_read(path), linear_to_srgb(cineon_to_linear(deep / 65535)), atol=1e-4)
    np.testing.assert_array_equal(_read(path, colour="srgb"), deep)


def test_dpx_with_a_linear_transfer_is_linear(tmp_path, deep):
    path = set_dpx_transfer(write_by_ffmpeg(tmp_path / "a.dpx", deep, "rgb48be"), 2)
    np.testing.assert_allclose(_read(path), linear_to_srgb(deep / 65535), atol=1e-5)


@pytest.mark.parametrize("code", [11, 12, 13])
def test_dpx_with_an_unsupported_transfer_raises(tmp_path, deep, code):
    path = set_dpx_transfer(write_by_ffmpeg(tmp_path / "a.dpx", deep, "rgb48be"), code)
    with pytest.raises(
        InputError, match=r"a\.dpx has unsupported colour tags: the DPX transfer characteristic '.*input_colour="
    ):
        open_reader(path)
    np.testing.assert_array_equal(_read(path, colour="bt709"), deep)


def test_dpx_frame_rate_timecode_and_pixel_aspect(tmp_path, deep):
    path = write_by_ffmpeg(tmp_path / "a.dpx", deep, "rgb48be")
    data = bytearray(path.read_bytes())
    struct.pack_into(">II", data, 1628, 2, 1)
    struct.pack_into(">f", data, 1724, 23.976)
    struct.pack_into(">I", data, 1920, 0x01020304)
    path.write_bytes(data)
    info = open_reader(path).info
    assert (str(info.frame_rate), info.timecode, info.pixel_aspect) == ("24000/1001", "01:02:03:04", 2)
    # What is left undefined, or makes no sense, is as if it were not there.
    struct.pack_into(">II", data, 1628, 0, 0)
    struct.pack_into(">I", data, 1724, 0xFFFFFFFF)
    struct.pack_into(">I", data, 1920, 0xFFFFFFFF)
    path.write_bytes(data)
    info = open_reader(path).info
    assert (info.frame_rate, info.timecode, info.pixel_aspect) == (24, None, 1)


def test_cineon(tmp_path):
    codes = np.random.default_rng(0).integers(0, 1024, (6, 8, 3))
    codes[0, 0], codes[0, 1] = 95, 685
    path = write_cineon(tmp_path / "a.cin", codes)
    image = _read(path)
    np.testing.assert_allclose(srgb_to_linear(image), cineon_to_linear(codes / 1023), rtol=2e-3, atol=1e-3)
    np.testing.assert_allclose(image[0, :2], [[0] * 3, [1] * 3], atol=2e-3)


@pytest.mark.parametrize("orientation", [1, -1])
@pytest.mark.parametrize("compression", [None, "tga_rle"])
def test_tga_orientations_with_and_without_alpha(tmp_path, picture, orientation, compression):
    for name, image in (("a.tga", picture), ("b.tga", np.dstack([picture, picture[..., :1]]))):
        Image.fromarray(image).save(tmp_path / name, orientation=orientation, compression=compression)
        np.testing.assert_array_equal(_read(tmp_path / name), picture)


@pytest.mark.parametrize("suffix", [".hdr", ".pfm"])
def test_float_images_keep_values_above_one(tmp_path, suffix):
    light = np.random.default_rng(0).uniform(0, 9, (5, 9, 3)).astype(np.float32)
    path = tmp_path / f"light{suffix}"
    cv2.imwrite(str(path), np.ascontiguousarray(light[..., ::-1]))
    with open_reader(path) as reader:
        info, image = reader.info, reader[0].image
    assert (info.dtype, info.transfer) == ("float32", "linear")
    # RGBE shares its exponent among the channels.
    expected = light if suffix == ".pfm" else cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]
    np.testing.assert_allclose(srgb_to_linear(image), expected, rtol=1e-4, atol=1e-5)


def test_pfm_row_order_and_byte_order(tmp_path):
    light = np.arange(24, dtype=np.float32).reshape(2, 4, 3) / 10
    for scale, kind in ((b"-1.0", "<f4"), (b"1.0", ">f4")):
        data = light[::-1].astype(kind).tobytes()
        (tmp_path / "a.pfm").write_bytes(b"PF\n4 2\n" + scale + b"\n" + data)
        np.testing.assert_allclose(srgb_to_linear(_read(tmp_path / "a.pfm")), light, rtol=1e-5)


@pytest.mark.parametrize("suffix", [".dpx", ".tga", ".jp2", ".sgi", ".bmp", ".webp", ".hdr", ".pfm"])
def test_truncated_files_raise_without_library_output(tmp_path, picture, suffix, capfd):
    path = tmp_path / f"cut{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    if suffix in (".hdr", ".pfm"):
        cv2.imwrite(str(path), noise.astype(np.float32) / 99)
    else:
        write_by_ffmpeg(path, noise, "bgra" if suffix == ".webp" else None)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    capfd.readouterr()
    with pytest.raises(InputError, match=rf"cut\{suffix} cannot be read as a still") as caught:
        open_reader(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".dpx", ".cin", ".tga", ".jp2", ".hdr", ".pfm", ".tif", ".bmp", ".webp", ".jxl"])
def test_text_files_raise(tmp_path, suffix, capfd):
    path = tmp_path / f"note{suffix}"
    path.write_bytes(b"shot list, scene 12: the kitchen\n" * 40)
    with pytest.raises(InputError, match="cannot be read as a still"):
        open_reader(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".dng", ".CR3", ".nef"])
def test_camera_raw_files_raise(tmp_path, suffix):
    (tmp_path / f"photo{suffix}").write_bytes(b"II*\0" + bytes(400))
    with pytest.raises(InputError, match="is a camera's raw file; develop it"):
        open_reader(tmp_path / f"photo{suffix}")
