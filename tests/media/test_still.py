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
        assert (reader.info.width, reader.info.height, reader.info.dtype) == (7, 5, "uint8")
        assert (reader.info.name, reader.info.files) == ("plate", (path,))
    np.testing.assert_array_equal(frames[0].image, np.full((5, 7, 3), COLOUR, np.uint8))
    assert (frames[0].index, frames[0].number, frames[0].time) == (0, 1, 0)
    with pytest.raises(IndexError, match="frames 0 to 0"):
        reader[1]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_kept(tmp_path, suffix):
    path = tmp_path / f"deep{suffix}"
    values = np.random.default_rng(0).integers(0, 65536, (4, 5, 3), np.uint16)
    cv2.imwrite(str(path), values[..., ::-1])
    reader = open_reader(path)
    assert (reader.info.dtype, reader.info.pixel_format) == ("uint16", "rgb48le")
    np.testing.assert_array_equal(reader[0].image, values)


def test_sixteen_bits_are_rounded_where_eight_are_asked_for(tmp_path):
    path = tmp_path / "deep.png"
    values = np.array([0, 128, 129, 32896, 65534, 65535], np.uint16)
    cv2.imwrite(str(path), np.repeat(values[None, :, None], 3, axis=2))
    assert read_still(path)[0, :, 0].tolist() == [0, 0, 1, 128, 255, 255]


def test_grey_and_transparent_stills_are_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((3, 4), 77, np.uint8))
    cv2.imwrite(str(tmp_path / "clear.png"), np.full((3, 4, 4), (*COLOUR[::-1], 9), np.uint8))
    assert (open_reader(tmp_path / "grey.png")[0].image == 77).all()
    assert (open_reader(tmp_path / "clear.png")[0].image == COLOUR).all()


# EXIF's orientations and where they leave the bright top left quarter of what is stored.
@pytest.mark.parametrize(("orientation", "bright"), [(1, (0, 0)), (3, (1, 1)), (6, (0, 1)), (8, (1, 0))])
def test_photographs_stand_upright(tmp_path, orientation, bright):
    stored = np.full((32, 48, 3), 40, np.uint8)
    stored[:16, :24] = 220
    data = cv2.imencode(".jpg", stored)[1].tobytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([orientation, 0, 0, 0]) + bytes(4)
    (tmp_path / "photo.jpg").write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    with open_reader(tmp_path / "photo.jpg") as reader:
        image = reader[0].image
        assert image.shape == ((32, 48, 3) if orientation in (1, 3) else (48, 32, 3))
        assert (reader.info.height, reader.info.width) == image.shape[:2]
    height, width = image.shape[:2]
    quarters = image[..., 1].reshape(2, height // 2, 2, width // 2).mean(axis=(1, 3))
    assert np.unravel_index(quarters.argmax(), (2, 2)) == bright


@pytest.mark.parametrize("content", [b"no picture", b"\xff\xd8\xff\xe0 cut"])
def test_broken_stills(tmp_path, content):
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a still"):
        open_reader(path)


def test_empty_stills(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match=r"empty\.png is empty"):
        open_reader(tmp_path / "empty.png")


def test_a_still_in_another_colour_space_can_be_told(tmp_path):
    cv2.imwrite(str(tmp_path / "linear.png"), np.full((2, 2, 3), round(0.18 * 65535), np.uint16))
    reader = open_reader(tmp_path / "linear.png", colour="linear")
    assert reader.info.dtype == "float32"
    np.testing.assert_allclose(reader[0].image, 0.46135, atol=1e-4)
