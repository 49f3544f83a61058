"""Stills as sequences of one frame."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

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


def test_sixteen_bits_are_rounded_to_eight(tmp_path):
    path = tmp_path / "deep.png"
    values = np.array([0, 128, 129, 32896, 65534, 65535], np.uint16)
    cv2.imwrite(str(path), np.repeat(values[None, :, None], 3, axis=2))
    assert read_still(path)[0, :, 0].tolist() == [0, 0, 1, 128, 255, 255]


def test_grey_and_transparent_stills_are_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((3, 4), 77, np.uint8))
    cv2.imwrite(str(tmp_path / "clear.png"), np.full((3, 4, 4), (*COLOUR[::-1], 9), np.uint8))
    assert (open_reader(tmp_path / "grey.png")[0].image == 77).all()
    assert (open_reader(tmp_path / "clear.png")[0].image == COLOUR).all()


# What brings each of EXIF's orientations upright, from the words of EXIF 2.32 (4.6.4) on where the first row and the
# first column of what is stored lie in the picture.
UPRIGHT = {
    1: lambda stored: stored,  # top, left
    2: lambda stored: np.fliplr(stored),  # top, right
    3: lambda stored: np.rot90(stored, 2),  # bottom, right
    4: lambda stored: np.flipud(stored),  # bottom, left
    5: lambda stored: np.fliplr(np.rot90(stored, -1)),  # left, top
    6: lambda stored: np.rot90(stored, -1),  # right, top
    7: lambda stored: np.fliplr(np.rot90(stored, 1)),  # right, bottom
    8: lambda stored: np.rot90(stored, 1),  # left, bottom
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_orientations(tmp_path, orientation, suffix):
    y, x = np.mgrid[:32, :48]
    stored = np.stack([5 * x, 7 * y, 128 + 0 * x], axis=2).astype(np.uint8)
    fields = Image.Exif()
    fields[0x0112] = orientation
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(stored).save(path, exif=fields, **({"lossless": True} if suffix == ".webp" else {}))
    with open_reader(path) as reader:
        image = reader[0].image
        assert (reader.info.height, reader.info.width) == image.shape[:2]
    np.testing.assert_allclose(image, UPRIGHT[orientation](stored), atol=16 if suffix == ".jpg" else 0)
    # Pillow turns by itself, by the same field.
    shown = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    np.testing.assert_allclose(image, shown, atol=0)


def test_an_invalid_orientation_is_upright(tmp_path):
    fields = Image.Exif()
    fields[0x0112] = 77
    Image.fromarray(np.zeros((3, 5, 3), np.uint8)).save(tmp_path / "photo.png", exif=fields)
    assert open_reader(tmp_path / "photo.png")[0].image.shape == (3, 5, 3)


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


def test_the_colour_of_a_still_can_be_overridden(tmp_path):
    cv2.imwrite(str(tmp_path / "linear.png"), np.full((2, 2, 3), round(0.18 * 65535), np.uint16))
    reader = open_reader(tmp_path / "linear.png", colour="linear")
    assert reader.info.dtype == "float32"
    np.testing.assert_allclose(reader[0].image, 0.46135, atol=1e-4)
