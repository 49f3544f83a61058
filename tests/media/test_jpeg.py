"""JPEG: agreement with two other decoders, orientation, profiles, CMYK and damage."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from howard.colour import linear_to_srgb
from howard.errors import InputError
from howard.media import open_reader, primaries
from howard.media.frame import DamagedFrameError
from tests.media.dpx_files import read_by_ffmpeg
from tests.media.icc_profiles import make_profile


@pytest.fixture(scope="module")
def photo():
    """(120, 160, 3) uint8, smooth with some texture."""
    y, x = np.mgrid[:120, :160]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], axis=2)
    return (128 + 90 * waves + np.random.default_rng(0).normal(0, 9, waves.shape)).clip(0, 255).astype(np.uint8)


def _encode(image, **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, "jpeg", **options)
    return buffer.getvalue()


def _read(path):
    with open_reader(path) as reader:
        return reader[0].image


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1, "quality": 60}])
def test_a_second_decoder_agrees(tmp_path, photo, options):
    path = tmp_path / "photo.jpg"
    path.write_bytes(_encode(photo, **options))
    np.testing.assert_array_equal(_read(path), np.asarray(Image.open(path)))


def test_ffmpeg_agrees_without_chroma_subsampling(tmp_path, photo):
    path = tmp_path / "photo.jpg"
    path.write_bytes(_encode(photo, subsampling=0, quality=95))
    np.testing.assert_allclose(_read(path), read_by_ffmpeg(path, "rgb24", photo.shape), atol=3)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk(tmp_path, photo, mode):
    path = tmp_path / "photo.jpg"
    path.write_bytes(_encode(Image.fromarray(photo).convert(mode)))
    np.testing.assert_allclose(_read(path), np.asarray(Image.open(path).convert("RGB")), atol=1)


@pytest.mark.parametrize(
    ("of", "curve", "name"),
    [
        (primaries.BT709, 1.8, "bt709"),
        (primaries.DISPLAY_P3, 2.2, "smpte432"),
        (primaries.ADOBE_RGB, 563 / 256, "Adobe RGB (1998)"),
        (primaries.BT2020, 2.4, "bt2020"),
    ],
)
def test_profiles_are_applied(tmp_path, photo, of, curve, name):
    path = tmp_path / "photo.jpg"
    path.write_bytes(_encode(photo, icc_profile=make_profile(of, curve)))
    stored = np.asarray(Image.open(path)) / 255
    with open_reader(path) as reader:
        assert (reader.info.primaries, reader.info.notes) == (name, ())
        light = stored ** (round(256 * curve) / 256) @ primaries.rgb_to_bt709(of).T
        np.testing.assert_allclose(reader[0].image, linear_to_srgb(light), atol=4e-3)


def test_an_unusable_profile_gives_a_note(tmp_path, photo):
    path = tmp_path / "photo.jpg"
    path.write_bytes(_encode(photo, icc_profile=b"no profile at all" * 10))
    with open_reader(path) as reader:
        assert reader.info.notes == ("photo.jpg: its ICC profile is ignored: it is damaged",)
        np.testing.assert_array_equal(reader[0].image, np.asarray(Image.open(path)))


def test_trailing_data_are_ignored(tmp_path, photo):
    path = tmp_path / "motion.jpg"
    path.write_bytes(_encode(photo) + b"\0\0\0\x18ftypmp42" + bytes(500))
    np.testing.assert_array_equal(_read(path), np.asarray(Image.open(path)))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_truncated_files_are_damaged(tmp_path, photo, share, capfd):
    whole = _encode(photo)
    path = tmp_path / "photo.jpg"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"photo\.jpg cannot be read as a still"):
        open_reader(path)
    assert capfd.readouterr() == ("", "")


def test_damage_inside_the_file_raises(tmp_path, photo, capfd):
    whole = _encode(photo)
    middle = len(whole) // 2
    path = tmp_path / "photo.jpg"
    path.write_bytes(whole[:middle] + bytes(60) + whole[middle + 60 :])
    with pytest.raises(DamagedFrameError, match="it is damaged \\(Corrupt JPEG data"):
        open_reader(path)
    assert capfd.readouterr() == ("", "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(position=st.floats(0.1, 0.95), content=st.binary(min_size=1, max_size=40))
def test_damage_anywhere_raises_or_gives_an_image(tmp_path, photo, position, content):
    whole = bytearray(_encode(photo))
    start = int(position * len(whole))
    whole[start : start + len(content)] = content
    (tmp_path / "photo.jpg").write_bytes(whole)
    result: object
    try:
        result = _read(tmp_path / "photo.jpg")
    except InputError as error:
        result = str(error)
    assert getattr(result, "ndim", 0) == 3 or "\n" not in str(result)
