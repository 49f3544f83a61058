"""Conversion of frames to RGB: matrix, range and bit depth, compared with the standards' formulas."""

import itertools
from typing import NamedTuple

import av
import numpy as np
import pytest

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.media import open_reader
from howard.media.primaries import BT2020, S_GAMUT3_CINE, rgb_to_bt709
from howard.media.to_rgb import RgbConverter, frame_colour_tags

# Luma weights of red and blue: ITU-R BT.709, BT.601, BT.2020.
WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
CODES = {"bt709": 1, "smpte170m": 6, "bt2020nc": 9, None: 0}


class Coding(NamedTuple):
    """How an image is stored; with a matrix of None the matrix is not tagged."""

    matrix: str | None
    full_range: bool
    bits: int = 8
    primaries: int = 0
    transfer: int = 0


def _scales(coding):
    """Black, the range of luma, grey and the range of chroma, in code values."""
    step = 2 ** (coding.bits - 8)
    if coding.full_range:
        return 0, 256 * step - 1, 128 * step, 256 * step - 1
    return 16 * step, 219 * step, 128 * step, 224 * step


def _to_rgb(ycbcr, coding):
    """RGB from code values, 1 being white, not clipped."""
    red, blue = WEIGHTS[coding.matrix]
    black, luma_span, grey, chroma_span = _scales(coding)
    luma, cb, cr = (float(value) for value in ycbcr)
    luma, cb, cr = (luma - black) / luma_span, (cb - grey) / chroma_span, (cr - grey) / chroma_span
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    return np.array([r, (luma - red * r - blue * b) / (1 - red - blue), b])


def _to_ycbcr(rgb, coding):
    """The nearest code values of RGB in [0, 1]."""
    red, blue = WEIGHTS[coding.matrix]
    black, luma_span, grey, chroma_span = _scales(coding)
    r, g, b = rgb
    luma = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - luma) / (2 * (1 - blue)), (r - luma) / (2 * (1 - red))
    return [round(black + luma_span * luma), round(grey + chroma_span * cb), round(grey + chroma_span * cr)]


def _encode(path, pictures, coding, subsampled=True):
    """Write images of YCbCr code values, (H, W, 3), losslessly; chroma is sampled at the top left of each block."""
    step = 2 if subsampled else 1
    pixel_format = ("yuv420p" if subsampled else "yuv444p") + ("10le" if coding.bits == 10 else "")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265" if coding.bits == 10 else "libx264", rate=10)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        # Where x265 may put frames in another order it now and then gives the first one a time after its own.
        lossless = {"x265-params": "lossless=1:log-level=none:bframes=0"}
        stream.options = dict(lossless if coding.bits == 10 else {"qp": "0"})
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame(stream.width, stream.height, pixel_format)
            frame.pts = number
            luma, cb, cr = np.moveaxis(picture, -1, 0)
            channels = (luma, cb[::step, ::step], cr[::step, ::step])
            for plane, values in zip(frame.planes, channels, strict=True):
                stored = np.zeros((plane.height, plane.line_size // (2 if coding.bits > 8 else 1)), values.dtype)
                stored[:, : plane.width] = values
                plane.update(stored.tobytes())
            for target in (stream.codec_context, frame):
                target.color_range = 2 if coding.full_range else 1
                target.colorspace = CODES[coding.matrix] or target.colorspace
                target.color_primaries = coding.primaries or target.color_primaries
                target.color_trc = coding.transfer or target.color_trc
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _flat(colour, coding, size=(64, 48)):
    return np.broadcast_to(np.array(colour, np.uint16 if coding.bits > 8 else np.uint8), (size[1], size[0], 3))


def _read_patches(path, colours, coding):
    """Write RGB colours in [0, 1] as uniform images, and read the centre pixel of each."""
    flats = [_flat(_to_ycbcr(colour, coding), coding) for colour in colours]
    with open_reader(_encode(path, flats, coding)) as reader:
        return np.stack([frame.image[24, 32] for frame in reader])


@pytest.mark.parametrize(
    ("size", "matrix", "full_range"),
    [*itertools.product([(320, 240)], CODES, [False, True]), ((1280, 720), None, False), ((720, 1280), None, False)],
)
def test_values_agree_with_the_standard(tmp_path, size, matrix, full_range):
    colour, coding = (120, 90, 170), Coding(matrix, full_range)
    path = _encode(tmp_path / "flat.mp4", [_flat(colour, coding, size)], coding)
    expected = matrix or ("bt709" if min(size) >= 720 else "smpte170m")
    reader = open_reader(path)
    assert (reader.info.matrix, reader.info.full_range, reader.info.dtype) == (expected, full_range, "uint8")
    exact = np.clip(_to_rgb(colour, coding._replace(matrix=expected)), 0, 1)
    np.testing.assert_array_equal(reader[0].image[8, 8], np.rint(255 * exact))


@pytest.mark.parametrize(("matrix", "full_range"), [*itertools.product(WEIGHTS, [False, True])])
def test_ten_bits_agree_with_the_standard(tmp_path, matrix, full_range):
    coding = Coding(matrix, full_range, bits=10)
    black, span, grey, _ = _scales(coding)
    colours = [(black, grey, grey), (black + span, grey, grey), (501, 402, 655), (601, 470, 480)]
    reader = open_reader(_encode(tmp_path / "flat.mkv", [_flat(colour, coding) for colour in colours], coding))
    assert (reader.info.dtype, reader.info.pixel_format) == ("uint16", "yuv420p10le")
    for frame, colour in zip(reader, colours, strict=True):
        exact = 65535 * np.clip(_to_rgb(colour, coding), 0, 1)
        # A tenth of a level of 10 bits.
        np.testing.assert_allclose(frame.image[8, 8], exact, atol=6.5)


def test_ten_bit_hevc_levels(tmp_path):
    coding = Coding("bt709", False, bits=10)
    ramp = np.full((16, 876, 3), 512, np.uint16)
    ramp[..., 0] = 64 + np.arange(876)
    image = open_reader(_encode(tmp_path / "ramp.mkv", [ramp], coding))[0].image
    assert image.dtype == np.uint16
    assert len(np.unique(image[8, :, 1])) == 876
    assert (np.diff(image[8, :, 1].astype(int)) > 0).all()


@pytest.mark.parametrize("bits", [8, 10])
def test_limited_and_full_range_agree(tmp_path, bits):
    colours = np.random.default_rng(1).uniform(0, 1, (30, 3))
    limited, full = (
        _read_patches(tmp_path / f"{full}.mkv", colours, Coding("bt709", full, bits)) for full in (False, True)
    )
    scale = np.iinfo(limited.dtype).max / 255
    assert np.abs(limited.astype(float) - full).mean() <= scale


@pytest.mark.parametrize(("bits", "mean", "most"), [(8, 1 / 255, 3 / 255), (10, 1 / 1023, 1 / 255)])
def test_bt601_and_bt709_of_the_same_colours_agree(tmp_path, bits, mean, most):
    colours = np.random.default_rng(2).uniform(0.05, 0.95, (30, 3))
    both = [
        _read_patches(tmp_path / f"{matrix}.mkv", colours, Coding(matrix, False, bits))
        for matrix in ("bt709", "smpte170m")
    ]
    difference = np.abs(both[0].astype(float) - both[1]) / np.iinfo(both[0].dtype).max
    print(f"{bits} bits: mean {difference.mean():.6f}, most {difference.max():.6f}")
    assert difference.mean() <= mean
    assert difference.max() <= most


@pytest.mark.parametrize(("transfer", "code"), [("smpte2084", 0.580689), ("arib-std-b67", 0.75)])
def test_hdr_is_relative_to_reference_white(tmp_path, transfer, code):
    coding = Coding("bt2020nc", False, 10, primaries=9, transfer={"smpte2084": 16, "arib-std-b67": 18}[transfer])
    pictures = [_flat(_to_ycbcr((signal,) * 3, coding), coding) for signal in (code, 1.0)]
    with open_reader(_encode(tmp_path / "hdr.mkv", pictures, coding)) as reader:
        assert (reader.info.dtype, reader.info.primaries, reader.info.transfer) == ("float32", "bt2020", transfer)
        white, peak = (frame.image[8, 8] for frame in reader)
    np.testing.assert_allclose(white, 1, atol=5e-3)
    expected = {"smpte2084": 10000 / 203, "arib-std-b67": 1000 / 203}[transfer]
    np.testing.assert_allclose(srgb_to_linear(peak), expected, rtol=0.01)


def test_an_sdr_plate_and_an_hdr_shot_of_the_same_light_agree(tmp_path):
    light = srgb_to_linear(np.array([0.6, 0.5, 0.4]))
    bt2020 = np.linalg.solve(rgb_to_bt709(BT2020), light)
    power = (203 * bt2020 / 10000) ** (2610 / 16384)
    signal = ((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    hdr = _read_patches(tmp_path / "shot.mkv", [signal], Coding("bt2020nc", False, 10, primaries=9, transfer=16))
    sdr = _read_patches(tmp_path / "plate.mkv", [(0.6, 0.5, 0.4)], Coding("bt709", False, 8))
    np.testing.assert_allclose(hdr[0], sdr[0] / 255, atol=0.01)


def test_limited_range_log_uses_full_range_codes(tmp_path):
    # Sony gives S-Log3 in code values of the whole range, though files keep to the limited one.
    coding = Coding("bt709", False, 10)
    signal = np.array([520, 420, 380]) / 1023
    legal = (signal * 1023 - 64) / 876
    path = _encode(tmp_path / "log.mkv", [_flat(_to_ycbcr(legal, coding), coding)], coding)
    linear = 10 ** ((signal * 1023 - 420) / 261.5) * 0.19 - 0.01
    expected = linear_to_srgb(rgb_to_bt709(S_GAMUT3_CINE) @ linear)
    with open_reader(path, colour="slog3") as reader:
        np.testing.assert_allclose(reader[0].image[8, 8], expected, atol=4e-3)


def test_a_name_overrides_wrong_tags(tmp_path):
    right, wrong = Coding("smpte170m", True), Coding("bt709", False)
    path = _encode(tmp_path / "wrong.mp4", [_flat((120, 90, 170), wrong)], wrong)
    with open_reader(path, colour="bt601-full") as reader:
        assert (reader.info.matrix, reader.info.full_range) == ("smpte170m", True)
        expected = np.rint(255 * _to_rgb((120, 90, 170), right))
        np.testing.assert_array_equal(reader[0].image[8, 8], expected)


@pytest.mark.parametrize("bits", [8, 10])
def test_odd_sizes_have_no_missing_pixels(tmp_path, bits):
    coding = Coding("bt709", True, bits)
    ramp = np.full((35, 67, 3), 2 ** (bits - 1), np.uint16 if bits > 8 else np.uint8)
    ramp[..., 0] = np.arange(67) * (2 ** (bits - 7))
    image = open_reader(_encode(tmp_path / "odd.mkv", [ramp], coding, subsampled=False))[0].image
    assert image.shape == (35, 67, 3)
    assert image.flags.c_contiguous
    peak = 2**bits - 1
    np.testing.assert_allclose(image[..., 1] / np.iinfo(image.dtype).max, ramp[..., 0] / peak, atol=1 / peak)


@pytest.mark.parametrize(
    ("pixel_format", "bits"),
    [
        ("rgb555le", (5, 5, 5)),
        ("bgr555le", (5, 5, 5)),
        ("rgb565le", (5, 6, 5)),
        ("rgb555be", (5, 5, 5)),
        ("rgb444le", (4, 4, 4)),
    ],
)
def test_rgb_of_few_bits_spans_the_full_range(pixel_format, bits):
    """White is 255, and every code is the nearest 8-bit level of its fraction of white."""
    codes = np.random.default_rng(0).integers(0, 2 ** sum(bits), (32, 64))
    codes[0, :2] = 0, 2 ** sum(bits) - 1
    frame = av.VideoFrame(64, 32, pixel_format)
    frame.planes[0].update(codes.astype(">u2" if pixel_format.endswith("be") else "<u2").tobytes())
    converted = RgbConverter(frame, frame_colour_tags(frame))(frame)
    shifts = (bits[1] + bits[2], bits[2], 0)
    levels = [(codes >> shift & 2**each - 1) * 255 / (2**each - 1) for shift, each in zip(shifts, bits, strict=True)]
    expected = np.dstack(levels if pixel_format.startswith("rgb") else levels[::-1])
    assert converted.dtype == np.uint8
    np.testing.assert_allclose(converted, expected, rtol=0, atol=0.75)
    assert converted[0, :2].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_sixteen_bits_with_alpha_have_no_missing_pixels(tmp_path):
    # A copy by swscale leaves half of some rows unwritten.
    values = np.random.default_rng(5).integers(0, 65536, (67, 99, 4), dtype=np.uint16)
    path = tmp_path / "alpha.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 99, 67, "gbrap16le"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(values, format="rgba64le").reformat(format="gbrap16le")))
        container.mux(stream.encode(None))
    with open_reader(path) as reader:
        np.testing.assert_array_equal(reader[0].image, values[..., :3])
