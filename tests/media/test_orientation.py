"""Orientations of display matrices, and rotated and mirrored videos."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.media import open_reader
from howard.media.orientation import Orientation, make_upright, orientation_of_matrix
from tests.media.video_files import HEIGHT, WIDTH, closest, decode, ffmpeg, write_clip

ALL = [Orientation(*flags) for flags in itertools.product((False, True), repeat=3)]


@pytest.mark.parametrize("orientation", ALL)
def test_rotation_and_mirroring_match_the_operation(orientation):
    image = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8)
    first = image[:, ::-1] if orientation.mirrored else image
    upright = make_upright(image, orientation)
    np.testing.assert_array_equal(upright, np.rot90(first, orientation.rotation // 90))
    assert upright.flags.c_contiguous


@pytest.mark.parametrize("orientation", ALL)
@settings(deadline=None)
@given(scale=st.floats(0.1, 3e4), tilt=st.floats(-0.7, 0.7))
def test_a_matrix_gives_the_nearest_orientation(orientation, scale, tilt):
    # Where a stored point is shown: columns are the images of the axes.
    x, y = (1, 0), (0, 1)
    if orientation.swapped:
        x, y = y, x
    shown = np.array([x, y], float).T
    shown[0] *= -1 if orientation.flip_x else 1
    shown[1] *= -1 if orientation.flip_y else 1
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    (a, c), (b, d) = scale * turn @ shown
    assert orientation_of_matrix(a, b, c, d) == orientation


def test_a_zero_matrix_is_upright():
    assert orientation_of_matrix(0, 0, 0, 0) == Orientation()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [(), ("-display_hflip",), ("-display_vflip",)])
def test_phone_and_front_camera_footage(tmp_path, rotation, mirror):
    source = write_clip(tmp_path / "stored.mp4", "h264", "-frames:v", "2")
    path = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", f"{rotation}", *mirror, "-i", source, "-c", "copy", path)
    width, height = (HEIGHT, WIDTH) if rotation % 180 else (WIDTH, HEIGHT)
    shown = decode(path, width, height)
    with open_reader(path) as reader:
        assert (reader.info.width, reader.info.height) == (width, height)
        assert reader.info.mirrored == bool(mirror)
        image = reader[0].image
    # Of the eight ways to lay it down, the one that the other decoder chose.
    ways = [make_upright(image, each) for each in ALL if not each.swapped]
    assert closest(shown[0], np.stack(ways)) == 0


def test_clip_info_has_rotation_and_mirroring(tmp_path):
    source = write_clip(tmp_path / "stored.mp4", "h264", "-frames:v", "1")
    ffmpeg("-display_rotation", "90", "-display_hflip", "-i", source, "-c", "copy", tmp_path / "turned.mov")
    with open_reader(tmp_path / "turned.mov") as reader:
        assert (reader.info.rotation, reader.info.mirrored) in {(90, True), (270, True)}
