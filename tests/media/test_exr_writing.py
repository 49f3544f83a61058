"""Writing EXR files: half floats, premultiplied linear light, output colour spaces and header attributes."""

import subprocess
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import OpenEXR
import pytest

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.errors import OutputError, SettingsError
from howard.media import ExrSequenceWriter, choose_output_colour, open_reader, open_writer, to_depth
from howard.media.exr_writing import exr_pixels, write_exr
from howard.media.frame import WindowOrigin


def _write(writer, picture, number=1):
    writer.begin([number])
    writer.write(number, writer.prepare(picture))
    return writer.path(number)


def _second_decoder(path, width, height):
    """Premultiplied linear RGBA, float16, as the ffmpeg program decodes it."""
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gbrapf16le"]
    done = subprocess.run([*line, "-"], capture_output=True, check=True, timeout=60)
    green, blue, red, alpha = np.frombuffer(done.stdout, np.float16).reshape(4, height, width)
    return np.dstack([red, green, blue, alpha])


@pytest.mark.parametrize("compression", ["zip", "piz"])
@pytest.mark.parametrize("size", [(32, 40), (31, 41)])
def test_hair_round_trip_within_half_float_precision(hair, describe, tmp_path, compression, size):
    picture = hair(*size)
    path = _write(ExrSequenceWriter(tmp_path, "shot", describe(size[1], size[0]), compression), picture)
    stored = _second_decoder(path, size[1], size[0])
    np.testing.assert_array_equal(OpenEXR.File(str(path)).channels()["RGBA"].pixels, stored)
    stored = stored.astype(np.float32)
    np.testing.assert_allclose(stored[..., 3], picture[..., 3], rtol=1e-3, atol=1e-7)
    straight = stored[..., :3] / np.maximum(stored[..., 3:], 1e-9)
    shown = picture[..., 3] > 0.01
    np.testing.assert_allclose(straight[shown], srgb_to_linear(picture[shown][:, :3]), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(OpenEXR.File(str(path)).channels()["RGBA"].pixels, stored.astype(np.float16))


def test_dwaa_is_smaller_and_close(hair, describe, tmp_path):
    picture = hair(128, 160)
    small = _write(ExrSequenceWriter(tmp_path / "a", "shot", describe(160, 128), "dwaa"), picture)
    exact = _write(ExrSequenceWriter(tmp_path / "b", "shot", describe(160, 128), "zip"), picture)
    assert small.stat().st_size < exact.stat().st_size
    difference = _second_decoder(small, 160, 128).astype(np.float32) - _second_decoder(exact, 160, 128)
    assert np.abs(difference).mean() < 0.01


def test_every_code_value_survives_the_round_trip():
    grey = np.arange(256, dtype=np.uint8)
    opaque = np.dstack([np.tile(grey, (3, 1)).T[None], np.full((1, 256), 255, np.uint8)])
    stored = exr_pixels(to_depth(opaque, np.float32)).astype(np.float32)
    np.testing.assert_array_equal(to_depth(linear_to_srgb(stored[..., :3]), np.uint8), opaque[..., :3])


def test_values_above_one_survive():
    bright = np.array([[[4.0, 1.5, 1.0, 0.5]]], np.float32)
    stored = exr_pixels(bright)[0, 0].astype(np.float32)
    np.testing.assert_allclose(stored[:3], 0.5 * srgb_to_linear(bright[0, 0, :3]), rtol=1e-3)
    assert exr_pixels(np.array([[[1e6, 0, 0, 1]]], np.float32))[0, 0, 0] == np.finfo(np.float16).max


def test_header_attributes(describe, tmp_path):
    rate = Fraction(30000, 1001)
    clip = describe(4, 4, 3000, rate, timecode="01:00:59;28", pixel_aspect=Fraction(2), first_number=1001)
    header = OpenEXR.File(
        str(_write(ExrSequenceWriter(tmp_path, "shot", clip), np.zeros((4, 4, 4), np.uint8), number=1003))
    ).header()
    assert header["chromaticities"] == pytest.approx((0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329))
    assert (header["framesPerSecond"], header["pixelAspectRatio"]) == (rate, 2)
    code = header["timeCode"]
    # Two numbers are dropped at the start of the minute.
    assert (code.hours, code.minutes, code.seconds, code.frame, code.dropFrame) == (1, 1, 0, 2, True)


@pytest.mark.parametrize("name", ["acescg", "aces2065-1", "ocio:ACEScg", "Linear Rec.2020", "ACEScct"])
def test_output_colour_round_trip(hair, describe, tmp_path, name):
    picture = hair(24, 32)
    path = _write(ExrSequenceWriter(tmp_path, "shot", describe(32, 24), output_colour=name), picture)
    header = OpenEXR.File(str(path)).header()
    assert ("chromaticities" in header) == (name != "ACEScct")
    stored = OpenEXR.File(str(path)).channels()["RGBA"].pixels.astype(np.float32)
    solid = stored[..., 3] == 1
    read = open_reader(path, colour="ocio:ACEScct" if name == "ACEScct" else None)[0].image
    np.testing.assert_allclose(read[solid], picture[solid][:, :3], atol=6e-3)
    # Soft edges are premultiplied in the file's own colours.
    np.testing.assert_allclose(
        stored[..., :3], choose_output_colour(name)(srgb_to_linear(picture[..., :3])) * picture[..., 3:], atol=4e-3
    )


def test_acescg_attributes(describe, tmp_path):
    writer = ExrSequenceWriter(tmp_path, "shot", describe(4, 4), output_colour="acescg")
    header = OpenEXR.File(str(_write(writer, np.full((4, 4, 4), 255, np.uint8)))).header()
    assert header["chromaticities"] == pytest.approx((0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767))
    assert header["colorInteropID"] == "lin_ap1_scene"
    assert writer.facts["colour_space"] == "scene-linear, ACEScg (AP1)"


def test_an_unknown_output_colour_raises_before_writing(describe, tmp_path):
    with pytest.raises(SettingsError, match="no colour space 'octarine'"):
        open_writer("exr", tmp_path / "out", describe(4, 4), range(1), output_colour="octarine")
    assert not (tmp_path / "out").exists()


def test_the_display_window_of_the_shot_is_kept(describe, tmp_path):
    clip = describe(6, 4, window_origin=WindowOrigin(100, -50))
    path = _write(ExrSequenceWriter(tmp_path, "shot", clip), np.full((4, 6, 4), 255, np.uint8))
    header = OpenEXR.File(str(path)).header()
    for window in ("displayWindow", "dataWindow"):
        assert np.array(header[window]).tolist() == [[100, -50], [105, -47]]
    assert open_reader(path).info.window_origin == (100, -50)


def test_an_unwritable_file_raises_one_line(tmp_path, capfd):
    with pytest.raises(OutputError, match=r"shot\.0001\.exr cannot be written \(No such file or directory\)"):
        write_exr(tmp_path / "nowhere" / "shot.0001.exr", np.zeros((2, 2, 4), np.float16))
    assert capfd.readouterr() == ("", "")


def test_straight_alpha(hair, describe, tmp_path):
    picture = hair(32, 40)
    writer = ExrSequenceWriter(tmp_path, "shot", describe(40, 32), is_straight=True)
    stored = _second_decoder(_write(writer, picture), 40, 32).astype(np.float32)
    assert writer.facts["alpha"] == "straight"
    shown = picture[..., 3] > 0
    np.testing.assert_allclose(stored[shown][:, :3], srgb_to_linear(picture[shown][:, :3]), rtol=1e-3, atol=1e-5)
    assert not stored[~shown].any()
