"""Reading PNG files: agreement with a second decoder, precedence of colour chunks, and damage."""

import struct
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from howard.colour import pq_to_nits, srgb_to_linear
from howard.errors import InputError
from howard.media import open_reader, primaries
from howard.media.frame import DamagedFrameError
from howard.media.png_encoding import encode_png
from tests.media.dpx_files import read_by_ffmpeg
from tests.media.icc_profiles import make_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def make_png(width: int, height: int, bits: int, colour: int, extra: bytes = b"") -> bytes:
    """Random pixels; ``extra`` are chunks before them."""
    row = (width * CHANNELS[colour] * bits + 7) // 8
    raw = b"".join(b"\0" + np.random.default_rng(line).bytes(row) for line in range(height))
    palette = chunk(b"PLTE", np.random.default_rng(0).bytes(3 << bits)) if colour == 3 else b""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(raw))
    return SIGNATURE + chunk(b"IHDR", header) + extra + palette + pixels + chunk(b"IEND", b"")


def _read(path, **more):
    with open_reader(path, **more) as reader:
        return reader[0].image


@pytest.mark.parametrize(
    ("colour", "bits"),
    [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8)],
)
def test_a_second_decoder_agrees(tmp_path, colour, bits):
    path = tmp_path / "a.png"
    path.write_bytes(make_png(19, 11, bits, colour))
    image = _read(path)
    assert image.dtype == (np.uint16 if bits == 16 else np.uint8)
    if bits == 16:
        # Alpha multiplies nothing there either.
        expected = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).reshape(11, 19, -1)
        colours = expected[..., 2::-1] if expected.shape[2] >= 3 else np.repeat(expected[..., :1], 3, axis=2)
        np.testing.assert_array_equal(image, colours)
    else:
        np.testing.assert_array_equal(image, np.asarray(Image.open(path).convert("RGBA"))[..., :3])


def test_ffmpeg_agrees(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(make_png(19, 11, 16, 2))
    np.testing.assert_array_equal(_read(path), read_by_ffmpeg(path, "rgb48le", (11, 19, 3)))


def test_interlaced(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (21, 17, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "plain.png"), values[..., ::-1])
    header = bytearray((tmp_path / "plain.png").read_bytes()[16:29])
    header[12] = 1
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = [
        b"\0" + row.tobytes() for x, y, step_x, step_y in passes for row in values[y::step_y, x::step_x] if row.size
    ]
    data = chunk(b"IHDR", bytes(header)) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    (tmp_path / "laced.png").write_bytes(SIGNATURE + data)
    np.testing.assert_array_equal(_read(tmp_path / "laced.png"), values)


def test_a_profile_is_applied_at_full_bit_depth(tmp_path):
    profile = zlib.compress(make_profile(primaries.DISPLAY_P3, 2.2))
    path = tmp_path / "p3.png"
    path.write_bytes(make_png(9, 5, 16, 2, chunk(b"iCCP", b"P3\0\0" + profile)))
    stored = _read(path, colour="srgb") / 65535
    with open_reader(path) as reader:
        assert (reader.info.primaries, reader.info.dtype) == ("smpte432", "float32")
        light = stored ** (563 / 256) @ primaries.rgb_to_bt709(primaries.DISPLAY_P3).T
        np.testing.assert_allclose(srgb_to_linear(reader[0].image), light, atol=2e-3)


def test_code_points_take_precedence_over_a_profile(tmp_path):
    profile = chunk(b"iCCP", b"P3\0\0" + zlib.compress(make_profile(primaries.DISPLAY_P3, 2.2)))
    path = tmp_path / "pq.png"
    path.write_bytes(make_png(9, 5, 16, 2, profile + chunk(b"cICP", bytes([9, 16, 0, 1]))))
    stored = _read(path, colour="srgb") / 65535
    with open_reader(path) as reader:
        assert (reader.info.primaries, reader.info.transfer) == ("bt2020", "smpte2084")
        light = pq_to_nits(stored) / 203 @ primaries.rgb_to_bt709(primaries.BT2020).T
        np.testing.assert_allclose(srgb_to_linear(reader[0].image.astype(float)), light, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("code_points", "named"),
    [
        ((9, 9, 0, 1), "transfer 9"),
        ((77, 13, 0, 1), "primaries 77"),
        ((1, 13, 1, 1), "matrix 1"),
        ((1, 13, 0, 0), "lim"),
    ],
)
def test_unknown_code_points_raise_unless_overridden(tmp_path, code_points, named):
    path = tmp_path / "odd.png"
    path.write_bytes(make_png(9, 5, 8, 2, chunk(b"cICP", bytes(code_points))))
    with pytest.raises(InputError, match=rf"odd\.png has unsupported colour tags: .*{named}.*input_colour="):
        open_reader(path)
    assert _read(path, colour="srgb").dtype == np.uint8


@pytest.mark.parametrize(
    ("extra", "note"),
    [
        (chunk(b"iCCP", b"x\0\0" + b"garbage"), "its ICC profile is ignored: it is damaged"),
        (chunk(b"gAMA", struct.pack(">I", 100000)), r"its chunk gAMA \(1\) is ignored"),
    ],
)
def test_ignored_colour_chunks_give_notes(tmp_path, extra, note):
    path = tmp_path / "a.png"
    path.write_bytes(make_png(9, 5, 8, 2, extra))
    with open_reader(path) as reader:
        (said,) = reader.info.notes
        assert reader.info.dtype == "uint8"
    assert note.replace("\\", "") in said


def test_srgb_files_have_no_notes(tmp_path):
    for extra in (b"", chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 45455))):
        (tmp_path / "a.png").write_bytes(make_png(9, 5, 8, 2, extra))
        with open_reader(tmp_path / "a.png") as reader:
            assert (reader.info.notes, reader.info.dtype) == ((), "uint8")


def test_pixel_aspect_round_trip(tmp_path):
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((4, 4, 3), np.uint8), Fraction(4, 3)))
    assert open_reader(tmp_path / "a.png").info.pixel_aspect == Fraction(4, 3)


def test_the_signature_overrides_the_suffix(tmp_path):
    (tmp_path / "a.jpg").write_bytes(make_png(9, 5, 8, 2))
    assert _read(tmp_path / "a.jpg").shape == (5, 9, 3)


@pytest.mark.parametrize("position", [0.02, 0.3, 0.7])
def test_a_flipped_byte_is_damage(tmp_path, position, capfd):
    whole = bytearray(make_png(40, 30, 8, 2))
    whole[int(position * len(whole))] ^= 0x55
    (tmp_path / "a.png").write_bytes(whole)
    with pytest.raises(DamagedFrameError, match=r"a\.png cannot be read as a still: it is damaged \(the checksum"):
        open_reader(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_files_are_damaged(tmp_path, share, capfd):
    whole = make_png(40, 30, 8, 2)
    (tmp_path / "a.png").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DamagedFrameError, match="the file is truncated"):
        open_reader(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((2**31 - 1, 2**31 - 1), "more than the 268 million"),
        ((16000, 16000), "cannot be in"),
        ((0, 5), "it has 0x5 pixels"),
    ],
)
def test_implausible_sizes_allocate_no_memory(tmp_path, size, message):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    data = SIGNATURE + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match=message):
        open_reader(tmp_path / "a.png")


def test_profiles_cause_no_library_output(tmp_path, capfd):
    # A grey picture with a profile for colour, and a text chunk that is none.
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(make_profile(primaries.BT709, 2.2)))
    (tmp_path / "a.png").write_bytes(make_png(9, 5, 8, 0, profile + chunk(b"tEXt", b"\0\0\0") + chunk(b"sBIT", b"99")))
    assert _read(tmp_path / "a.png").shape == (5, 9, 3)
    assert capfd.readouterr() == ("", "")


def test_unknown_critical_chunks_raise(tmp_path):
    (tmp_path / "a.png").write_bytes(make_png(9, 5, 8, 2, chunk(b"CgBI", bytes(4))))
    with pytest.raises(InputError, match="needs the private chunk 'CgBI'"):
        open_reader(tmp_path / "a.png")
