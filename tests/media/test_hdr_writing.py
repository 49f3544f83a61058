"""HDR, log and wide gamut clips written in every format: code values and tags compared with the source's."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import linear_to_srgb, nits_to_pq, pq_to_nits, srgb_to_linear
from howard.media import Background, open_reader, open_writer
from howard.media.colours.camera_curves import CAMERA_CURVES
from howard.media.colours.stored_colour import SDR, choose_stored_colour, encode_with_curve
from howard.media.colours.tone_mapping import tone_map
from howard.media.primaries import BT709, BT2020
from howard.media.working_space import ColourTags, WorkingSpace
from tests.media.video_files import ffmpeg

WIDTH, HEIGHT = 96, 64
_SCALE = "scale=flags=bicubic+accurate_rnd+full_chroma_int"
CODES = {"hlg": 18, "pq": 16, "bt2020": 14, "bt709": 1}


def _code_values(seed: int = 1, margin: int = 0) -> np.ndarray:
    """Smooth 10-bit Y, Cb, Cr, (3, H, W) uint16, whose RGB is in range, at least ``margin`` from its ends."""
    rng = np.random.default_rng(seed)
    rgb = np.stack([cv2.resize(rng.random((5, 7)), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) for _ in range(3)])
    red, green, blue = 0.05 + 0.9 * rgb
    luma = 0.2627 * red + 0.678 * green + 0.0593 * blue
    values = 64 + 876 * luma, 512 + 896 * (blue - luma) / 1.8814, 512 + 896 * (red - luma) / 1.4746
    return np.rint(values).clip(64 + margin, 940 - margin).astype("<u2")


def _write_shot(path: Path, transfer: int = 18, primaries: int = 9, matrix: int = 9) -> np.ndarray:
    """Write a lossless 10-bit 4:4:4 clip of one frame; returns its code values, (3, H, W)."""
    values = _code_values()
    raw = path.with_suffix(".raw")
    raw.write_bytes(values.tobytes())
    tags = f"lossless=1:log-level=none:colorprim={primaries}:transfer={transfer}:colormatrix={matrix}:range=limited"
    source = ["-f", "rawvideo", "-pix_fmt", "yuv444p10le", "-s", f"{WIDTH}x{HEIGHT}", "-r", "24", "-i", raw]
    ffmpeg(*source, "-c:v", "libx265", "-x265-params", tags, path)
    return values


def _write(name: str, shot: Path, folder: Path, colour: str | None = None):
    """Write the clip in a format, opaque except its left quarter; returns the writer and the file."""
    with open_reader(shot, colour) as reader:
        image = reader[0].image
        alpha = np.ones((*image.shape[:2], 1), np.float32)
        alpha[:, : WIDTH // 4] = 0
        writer = open_writer(name, folder, reader.info, range(1))
        picture = np.dstack([image, alpha])
        writer.begin([1])
        writer.write(1, writer.prepare(picture[..., :3] if name == "composite" else picture))
        writer.finish({1: reader[0].time})
    (path,) = [each for each in folder.iterdir() if each.is_file()]
    return writer, path


def _stored(path: Path, pixel_format: str, channels: int) -> np.ndarray:
    """The values of the first frame as the ffmpeg program decodes them, (channels, H, W)."""
    data = ffmpeg("-i", f"file:{path}", "-vf", _SCALE, "-f", "rawvideo", "-pix_fmt", pixel_format, "-")
    return np.frombuffer(data, "<u2").reshape(channels, HEIGHT, WIDTH)


def _tags(path: Path) -> tuple[int, int, int, int]:
    with av.open(str(path)) as movie:
        frame = next(movie.decode(video=0))
        return int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range)


@pytest.mark.parametrize("kind", ["hlg", "pq", "bt2020"])
def test_prores_preserves_curve_tags_and_code_values(tmp_path, kind):
    values = _write_shot(tmp_path / "shot.mov", CODES[kind])
    writer, path = _write("prores", tmp_path / "shot.mov", tmp_path / "out")
    assert _tags(path) == _tags(tmp_path / "shot.mov") == (9, 9, CODES[kind], 1)
    error = np.abs(_stored(path, "yuva444p10le", 4)[:3].astype(int) - values)[..., WIDTH // 4 :]
    print(f"ProRes {kind}: {error.mean():.2f} of 1023 mean, {error.max()} at most")
    assert error.mean() < 0.5
    assert error.max() <= 3
    assert "own curve" in writer.facts["colour_space"]
    assert "format=exr" in writer.facts["colour_note"]


@pytest.mark.parametrize("kind", ["hlg", "pq", "bt2020"])
def test_ffv1_preserves_curve_tags_and_signals(tmp_path, kind):
    luma, cb, cr = _write_shot(tmp_path / "shot.mov", CODES[kind]).astype(np.float64)
    _, path = _write("ffv1", tmp_path / "shot.mov", tmp_path / "out")
    assert _tags(path) == (0, 9, CODES[kind], 2)
    # ITU-R BT.2020, tables 4 and 5.
    luma, cb, cr = (luma - 64) / 876, (cb - 512) / 896, (cr - 512) / 896
    red, blue = luma + 1.4746 * cr, luma + 1.8814 * cb
    green = (luma - 0.2627 * red - 0.0593 * blue) / 0.678
    stored = _stored(path, "gbrap16le", 4)[:3]
    error = np.abs(stored - 65535 * np.stack([green, blue, red]))[..., WIDTH // 4 :]
    print(f"FFV1 {kind}: {error.max():.1f} of 65535 at most")
    # The scaler's own rounding: less than a quarter step of 10 bits.
    assert error.max() < 16


@pytest.mark.parametrize("name", ["prores", "ffv1"])
def test_log_code_values_are_preserved(tmp_path, name):
    # S-Log3 lies in the whole range, though the file is tagged limited.
    values = _write_shot(tmp_path / "shot.mov", 1, 1, 1)
    writer, path = _write(name, tmp_path / "shot.mov", tmp_path / "out", "slog3")
    assert "slog3, S-Gamut3.Cine" in writer.facts["colour_space"]
    matrix, primaries, transfer, colour_range = _tags(path)
    assert (primaries, transfer) == (2, 2)
    if name == "prores":
        assert (matrix, colour_range) == (1, 1)
        error = np.abs(_stored(path, "yuva444p10le", 4)[:3].astype(int) - values)[..., WIDTH // 4 :]
        # In full range the scaler rounds chroma down.
        assert error.mean() < 1
        assert error.max() <= 4
        return
    with open_reader(tmp_path / "shot.mov", "slog3") as shot, open_reader(path, "slog3") as written:
        # Steps of 16 bits, which this curve spreads widest in deep shadows.
        np.testing.assert_allclose(
            written[0].image[:, WIDTH // 4 :], shot[0].image[:, WIDTH // 4 :], rtol=2e-3, atol=2e-3
        )


@pytest.mark.parametrize("name", ["png", "png16", "webm", "composite"])
@pytest.mark.parametrize("kind", ["hlg", "pq"])
def test_sdr_formats_are_tone_mapped_with_a_note(tmp_path, name, kind):
    _write_shot(tmp_path / "shot.mov", CODES[kind])
    writer, path = _write(name, tmp_path / "shot.mov", tmp_path / "out")
    assert "ITU-R BT.2390, 1000 to 203 cd/m2" in writer.facts["colour_space"]
    assert f"the shot is HDR ({kind.upper()}, BT.2020): tone-mapped to SDR" in writer.facts["colour_note"]
    with open_reader(tmp_path / "shot.mov") as shot, open_reader(path) as written:
        working = shot[0].image
        read = written[0].image.astype(np.float32) / np.iinfo(written[0].image.dtype).max
    expected = tone_map(working.reshape(-1, 3)).reshape(working.shape)
    assert working.max() > 1.2
    error = np.abs(read - expected)[:, WIDTH // 4 + 8 :]
    assert error.mean() < (0.03 if name in ("webm", "composite") else 0.002)
    if name == "png16":
        assert error.max() < 1 / 65535


def test_matte_has_no_colour_note_and_exr_is_scene_linear(tmp_path):
    _write_shot(tmp_path / "shot.mov")
    writer, _ = _write("matte", tmp_path / "shot.mov", tmp_path / "matte")
    assert "colour_note" not in writer.facts
    writer, path = _write("exr", tmp_path / "shot.mov", tmp_path / "exr")
    assert "colour_note" not in writer.facts
    with open_reader(tmp_path / "shot.mov") as shot, open_reader(path) as written:
        seen = np.s_[:, WIDTH // 4 :]
        np.testing.assert_allclose(written[0].image[seen], shot[0].image[seen], rtol=2e-3, atol=2e-3)


def test_scene_linear_clips_are_tone_mapped_in_movies(tmp_path, describe):
    clip = describe(4, 4, dtype="float32", transfer="linear")
    for keeps in (True, False):
        colour = choose_stored_colour(clip, keeps)
        assert "scene-linear light" in colour.note
        assert (colour.primaries, colour.transfer) == (1, 1)
        assert colour.convert is tone_map


def test_wide_gamuts_without_code_points_are_clipped(describe):
    clip = describe(4, 4, dtype="float32", transfer="icc", primaries="Adobe RGB (1998)")
    colour = choose_stored_colour(clip, keep_clip_colour=True)
    assert "colours outside BT.709 are clipped" in colour.note
    stored = colour.store(np.array([[[0.25, -0.5, 1.25]]], np.float32), np.dtype(np.uint8))
    np.testing.assert_array_equal(stored, [[[64, 0, 255]]])


def test_sdr_is_stored_unchanged(describe):
    for keeps in (True, False):
        assert choose_stored_colour(describe(4, 4), keeps) == SDR
        assert choose_stored_colour(describe(4, 4, dtype="uint16", primaries="bt709"), keeps) == SDR
        # Floats of SDR: EXR in sRGB, stills with a profile of sRGB's primaries and another curve.
        for transfer in ("iec61966-2-1", "icc"):
            assert choose_stored_colour(describe(4, 4, dtype="float32", transfer=transfer), keeps) == SDR


def test_opencolorio_spaces_are_kept_unless_linear(describe):
    kept = choose_stored_colour(describe(4, 4, dtype="float32", transfer="ocio:ACEScct"), keep_clip_colour=True)
    assert "kept" in kept.note
    assert (kept.primaries, kept.transfer) == (2, 2)
    # ACEScct of 18 % grey (S-2016-001).
    grey = linear_to_srgb(np.full((1, 3), 0.18)).astype(np.float32)
    assert kept.convert is not None
    np.testing.assert_allclose(kept.convert(grey), 0.4135884, atol=1e-4)
    linear = choose_stored_colour(describe(4, 4, dtype="float32", transfer="ocio:ACEScg"), keep_clip_colour=True)
    assert linear.convert is tone_map


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084", *CAMERA_CURVES])
def test_encoding_inverts_the_working_space(transfer):
    rng = np.random.default_rng(3)
    signals = np.rint(1023 * rng.uniform(0.15, 1, (16, 16, 3))) / 1023
    image = np.rint(65535 * signals).astype(np.uint16)
    working = WorkingSpace(ColourTags("rgb", True, BT2020, transfer))(image)
    again = encode_with_curve(transfer, BT2020)(working.reshape(-1, 3)).reshape(signals.shape)
    # Steps of 10 bits must not move.
    assert np.abs(again - image / 65535).max() < 0.2 / 1023


def test_pq_round_trip():
    light = np.array([0, 1e-3, 0.1, 1, 100, 203, 1000, 10000], np.float64)
    np.testing.assert_allclose(pq_to_nits(nits_to_pq(light)), light, rtol=1e-9, atol=1e-9)
    # ITU-R BT.2408, table 1: reference white is 58 % in PQ.
    np.testing.assert_allclose(nits_to_pq(np.float64(203)), 0.58, atol=0.005)


COLOURS = st.lists(st.floats(0, 60, width=32), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(COLOURS, st.floats(1, 4))
def test_tone_mapping_is_monotone_preserves_hue_and_ends_at_white(light, gain):
    linear = np.array([light, [gain * each for each in light]], np.float32)
    mapped = tone_map(linear_to_srgb(linear).astype(np.float32))
    assert mapped.min() >= 0
    assert mapped.max() <= 1
    assert (mapped[1].max() >= mapped[0].max() - 1e-5).all()
    back = srgb_to_linear(mapped.astype(np.float64))
    # One factor a pixel: ratios of the channels stay.
    largest = linear.argmax(axis=1)
    for row, most in zip(range(2), largest, strict=True):
        if linear[row, most] > 1e-3:
            np.testing.assert_allclose(back[row] / back[row, most], linear[row] / linear[row, most], atol=2e-3)


def test_tone_mapping_preserves_mid_tones_and_maps_the_peak_to_white():
    dark = np.array([[0.1, 0.4, 0.68]], np.float32)
    np.testing.assert_array_equal(tone_map(dark), dark)
    peak = linear_to_srgb(np.array([[1000 / 203] * 3], np.float32))
    np.testing.assert_allclose(tone_map(peak), 1, atol=1e-4)
    white = tone_map(np.ones((1, 3), np.float32))
    # Reference white leaves room for highlights: 229 of 255.
    np.testing.assert_allclose(255 * white, 229, atol=0.5)


def test_an_hdr_background_is_tone_mapped(tmp_path):
    _write_shot(tmp_path / "behind.mov")
    with Background(tmp_path / "behind.mov", WIDTH, HEIGHT) as background, open_reader(tmp_path / "behind.mov") as clip:
        shown, working = background.frame(0), clip[0].image
    assert shown.dtype == np.uint16
    expected = tone_map(working.reshape(-1, 3)).reshape(working.shape)
    np.testing.assert_allclose(shown / 65535, expected, atol=1e-4)


def test_gamuts_inside_bt709_are_not_clipped():
    image = np.random.default_rng(2).integers(0, 65536, (8, 8, 3), dtype=np.uint16)
    working = WorkingSpace(ColourTags("rgb", True, BT709, "smpte2084"))(image)
    again = encode_with_curve("smpte2084", BT709)(working.reshape(-1, 3)).reshape(image.shape)
    assert np.abs(again * 65535 - image).max() < 2
