"""PNG sequences: file names, exact round trip, and removal of hidden colour."""

import cv2
import numpy as np
import pytest

from howard.errors import OutputError
from howard.media import PngSequenceWriter


def _read(path):
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def _write(writer, number, picture):
    writer.begin([number])
    assert writer.write(number, writer.prepare(picture)) == (number,)
    return writer.path(number)


@pytest.mark.parametrize("size", [(32, 40), (31, 41)])
@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_hair_round_trip_is_exact(hair, tmp_path, size, bits, dtype):
    picture = hair(*size)
    stored = _read(_write(PngSequenceWriter(tmp_path, "shot", bits), 1, picture))
    assert stored.dtype == dtype
    rounded = np.rint(picture * np.iinfo(dtype).max).astype(dtype)
    np.testing.assert_array_equal(stored[..., 3], rounded[..., 3])
    shown = rounded[..., 3] > 0
    np.testing.assert_array_equal(stored[shown], rounded[shown])


def test_names_use_the_clip_s_frame_numbers(tmp_path):
    writer = PngSequenceWriter(tmp_path / "new" / "folder", "shot")
    assert not (tmp_path / "new").exists()
    assert _write(writer, 1, np.zeros((2, 3, 4), np.uint8)).name == "shot.0001.png"
    assert writer.path(12345).name == "shot.12345.png"
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["shot.0001.png"]
    assert (writer.has(1), writer.has(2)) == (True, False)


def test_colour_is_zero_where_alpha_is_zero(tmp_path):
    image = np.full((4, 4, 4), 77, np.uint8)
    image[:2, :, 3] = 0
    written = _read(_write(PngSequenceWriter(tmp_path, "shot"), 1, image))
    assert (written[:2] == 0).all()
    assert (written[2:] == 77).all()
    assert (image[:2, :, :3] == 77).all()


def test_other_dtypes_raise(tmp_path):
    writer = PngSequenceWriter(tmp_path, "shot")
    for image in (np.zeros((2, 2, 4)), np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8)):
        with pytest.raises(ValueError, match="uint8"):
            writer.prepare(image)


def test_a_folder_that_cannot_be_created(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        PngSequenceWriter(tmp_path / "file" / "inside", "shot").begin([1])


def test_temporary_files_of_killed_runs_are_removed(tmp_path):
    for name in (".shot.0001.png.99.part", ".shot.0009.png.99.part", "notes.part"):
        (tmp_path / name).write_text("half")
    PngSequenceWriter(tmp_path, "shot").begin([1, 2])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".shot.0009.png.99.part", "notes.part"]


@pytest.mark.parametrize("bits", [8, 16])
def test_premultiplied_alpha(hair, tmp_path, bits):
    picture = hair(32, 40)
    straight = _read(_write(PngSequenceWriter(tmp_path / "a", "shot", bits), 1, picture))
    writer = PngSequenceWriter(tmp_path / "b", "shot", bits, is_premultiplied=True)
    associated = _read(_write(writer, 1, picture))
    assert writer.facts["alpha"] == "premultiplied"
    np.testing.assert_array_equal(associated[..., 3], straight[..., 3])
    expected = straight[..., :3] * (straight[..., 3:] / np.iinfo(straight.dtype).max)
    assert np.abs(associated[..., :3] - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize(("padding", "name"), [(1, "shot.7.png"), (4, "shot.0007.png"), (7, "shot.0000007.png")])
def test_numbers_keep_their_padding(tmp_path, padding, name):
    writer = PngSequenceWriter(tmp_path, "shot", padding=padding)
    assert writer.path(7).name == name
    assert writer.facts["files"] % 7 == name
    assert writer.path(12345678).name == "shot.12345678.png"
