"""Stills as videos of one frame."""

import cv2
import numpy as np
import pytest

from howard.errors import InputError
from howard.media import open_reader, read_still

COLOUR = (200, 100, 30)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".PNG"])
def test_a_still_is_one_frame(tmp_path, suffix):
    path = tmp_path / f"plate{suffix}"
    cv2.imwrite(str(path), np.full((5, 7, 3), COLOUR[::-1], np.uint8))
    with open_reader(path) as reader:
        frames = list(reader)
        assert len(reader) == len(frames) == 1
        assert (reader.info.width, reader.info.height) == (7, 5)
    np.testing.assert_array_equal(frames[0].image, np.full((5, 7, 3), COLOUR, np.uint8))
    assert (frames[0].index, frames[0].number, frames[0].time) == (0, 1, 0)
    with pytest.raises(IndexError, match="frame 0 only"):
        reader[1]


def test_sixteen_bits_are_rounded(tmp_path):
    path = tmp_path / "deep.png"
    values = np.array([0, 128, 129, 32896, 65534, 65535], np.uint16)
    cv2.imwrite(str(path), np.repeat(values[None, :, None], 3, axis=2))
    assert read_still(path)[0, :, 0].tolist() == [0, 0, 1, 128, 255, 255]


def test_broken_still(tmp_path):
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="cannot be read as a still"):
        open_reader(path)
