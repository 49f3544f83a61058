"""AVIF and HEIC: tiles, bit depth, orientation, colour profiles and damage."""

import struct
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from howard.colour import pq_to_nits, srgb_to_linear
from howard.errors import InputError
from howard.media import open_reader, primaries
from howard.media.still import is_still
from tests.media.dpx_files import write_by_ffmpeg
from tests.media.heif_files import box, encode_avif_tiles, encode_heic_tiles, make_grid
from tests.media.icc_profiles import make_profile

needs_heic = pytest.mark.skipif(find_spec("pi_heif") is None, reason="pi-heif is not installed")


@pytest.fixture(scope="module")
def picture():
    """(100, 150, 3) uint8, smooth, with a different colour in each quarter."""
    y, x = np.mgrid[:100, :150]
    return np.stack([x + 60, 2 * y + 30, 220 - x // 2 - y // 2], axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def avif_tiles(picture):
    return encode_avif_tiles(picture, 80)


@pytest.fixture(scope="module")
def heic_tiles(picture):
    return encode_heic_tiles(picture, 80)


def _read(path, **more):
    with open_reader(path, **more) as reader:
        return reader[0].image


def _save_avif(path, image, **options):
    Image.fromarray(image).save(path, "avif", quality=95, subsampling="4:4:4", speed=10, **options)
    return path


def _encode_deep(path, image, transfer):
    """Write a 10-bit AVIF with BT.2020 primaries with the ffmpeg program; returns values (H, W, 3) in [0, 1]."""
    deep = np.rint(image * 65535).astype(np.uint16)
    tags = f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=pc"
    options = ["-vf", f"scale=out_color_matrix=bt2020:out_range=full,format=yuv444p10le,{tags}"]
    options += ["-c:v", "libaom-av1", "-still-picture", "1", "-crf", "4", "-cpu-used", "8"]
    return write_by_ffmpeg(path, deep, None, *options)


def test_avif_tiles_are_assembled(tmp_path, picture, avif_tiles):
    path = tmp_path / "grid.avif"
    path.write_bytes(make_grid(avif_tiles))
    with open_reader(path) as reader:
        assert (reader.info.width, reader.info.height) == (150, 100)
        np.testing.assert_allclose(reader[0].image, picture, atol=6)


def test_avif_agrees_with_a_second_decoder(tmp_path, picture):
    path = _save_avif(tmp_path / "plain.avif", picture)
    np.testing.assert_allclose(_read(path), np.asarray(Image.open(path).convert("RGB")), atol=2)


# irot turns counter-clockwise by quarters; imir 0 swaps top and bottom, 1 left and right.
@pytest.mark.parametrize(
    ("boxes", "shown"),
    [
        ([box(b"irot", b"\x01")], lambda stored: np.rot90(stored)),
        ([box(b"irot", b"\x02")], lambda stored: np.rot90(stored, 2)),
        ([box(b"imir", b"\x00")], np.flipud),
        ([box(b"imir", b"\x01")], np.fliplr),
        ([box(b"irot", b"\x01"), box(b"imir", b"\x01")], lambda stored: np.fliplr(np.rot90(stored))),
    ],
)
def test_tiled_avif_orientation(tmp_path, picture, avif_tiles, boxes, shown):
    path = tmp_path / "grid.avif"
    path.write_bytes(make_grid(avif_tiles, boxes))
    np.testing.assert_allclose(_read(path), shown(picture), atol=6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_orientation(tmp_path, picture, orientation):
    fields = Image.Exif()
    fields[0x0112] = orientation
    path = _save_avif(tmp_path / "plain.avif", picture, exif=fields)
    upright = {
        1: picture,
        2: np.fliplr(picture),
        3: np.rot90(picture, 2),
        4: np.flipud(picture),
        5: np.fliplr(np.rot90(picture, -1)),
        6: np.rot90(picture, -1),
        7: np.fliplr(np.rot90(picture, 1)),
        8: np.rot90(picture, 1),
    }
    np.testing.assert_allclose(_read(path), upright[orientation], atol=6)


def test_hdr_avif_keeps_its_bit_depth(tmp_path, picture):
    signal = picture.astype(float) / 255 * 0.7
    path = _encode_deep(tmp_path / "hdr.avif", np.repeat(signal.mean(axis=2, keepdims=True), 3, axis=2), "smpte2084")
    with open_reader(path) as reader:
        assert (reader.info.primaries, reader.info.transfer, reader.info.dtype) == ("bt2020", "smpte2084", "float32")
        light = srgb_to_linear(reader[0].image.astype(float))
    expected = np.repeat(pq_to_nits(signal.mean(axis=2, keepdims=True)) / 203, 3, axis=2)
    np.testing.assert_allclose(light, expected, rtol=0.1, atol=2e-3)


def test_an_avif_profile_is_applied(tmp_path, picture):
    path = _save_avif(tmp_path / "p3.avif", picture, icc_profile=make_profile(primaries.DISPLAY_P3, 2.2))
    with open_reader(path) as reader:
        assert (reader.info.primaries, reader.info.transfer) == ("smpte432", "icc")
    sequence = _read(path, colour="srgb")
    np.testing.assert_allclose(sequence, picture, atol=6)


def test_an_avif_sequence_is_not_a_still(tmp_path, picture):
    frames = [Image.fromarray(np.roll(picture, 9 * number, axis=1)) for number in range(3)]
    frames[0].save(tmp_path / "moving.avif", save_all=True, append_images=frames[1:], duration=40)
    _save_avif(tmp_path / "plain.avif", picture)
    assert is_still(tmp_path / "plain.avif")
    assert not is_still(tmp_path / "moving.avif")


def test_sequences_of_avif(tmp_path, picture):
    for number in (1, 2, 3):
        _save_avif(tmp_path / f"a.{number:04d}.avif", picture + np.uint8(number))
    with open_reader(tmp_path) as reader:
        means = [frame.image.mean() for frame in reader]
    np.testing.assert_allclose(np.diff(means), 1, atol=0.3)


@needs_heic
@pytest.mark.parametrize("deep", [False, True])
def test_heic_tiles_are_assembled(tmp_path, picture, heic_tiles, deep):
    path = tmp_path / "photo.heic"
    nclx = box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 1, 0x80))
    path.write_bytes(make_grid(encode_heic_tiles(picture, 160, deep=True) if deep else heic_tiles, [nclx]))
    image = _read(path)
    assert (image.shape, image.dtype) == (picture.shape, np.uint16 if deep else np.uint8)
    np.testing.assert_allclose(image / (257 if deep else 1), picture, atol=8)


@needs_heic
def test_a_heic_profile_is_applied(tmp_path, heic_tiles):
    path = tmp_path / "photo.heic"
    profile = box(b"colr", b"prof", make_profile(primaries.DISPLAY_P3, 2.2))
    path.write_bytes(make_grid(heic_tiles, [profile]))
    assert open_reader(path).info.primaries == "smpte432"


def test_a_missing_library_raises(tmp_path, monkeypatch):
    path = tmp_path / "photo.heic"
    path.write_bytes(box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic") + bytes(300))
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(InputError, match=r"photo\.heic is a HEIC still, which needs the library pi-heif; pip install"):
        open_reader(path)


@pytest.mark.parametrize("suffix", [".avif", pytest.param(".heic", marks=needs_heic)])
@pytest.mark.parametrize("kind", ["cut", "text"])
def test_damage_raises_without_library_output(tmp_path, avif_tiles, heic_tiles, suffix, kind, capfd):
    whole = make_grid(avif_tiles if suffix == ".avif" else heic_tiles)
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(whole[: 2 * len(whole) // 3] if kind == "cut" else b"shot list\n" * 50)
    capfd.readouterr()
    with pytest.raises(InputError, match="cannot be read as a still") as caught:
        open_reader(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
