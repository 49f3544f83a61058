"""Pairs of plate frames: the homography between them, and the parallax that it leaves, seen by a source."""

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align.caches import DiskCache
from howard.align.pictures import Size, apply_homography
from howard.align.plate_graph import PlateGraph, view_parallax
from howard.align.plate_index import index_plate
from howard.align.plate_store import PlateStore
from howard.align.validity import ValidityFinder

SIZE = (320, 240)


class Still(NamedTuple):
    image: np.ndarray


class Plate(list):
    """Pictures that are known by name, as those of a file are."""

    fingerprint = "plate"

    def key_of(self, index):
        return f"frame{index}"


def open_store(pictures, folder=None):
    disk = None if folder is None else DiskCache(folder)
    plate = Plate(Still(picture) for picture in pictures)
    return PlateStore(plate, feature_side=960, frame_bytes=2**24, disk=disk)


@pytest.fixture
def matrices(homography):
    return [homography(number) for number in range(2)]


@pytest.fixture
def pictures(scene, matrices):
    return [scene.view(matrix, SIZE) for matrix in matrices]


def with_box(picture, shift):
    """A near box that stands elsewhere by ``shift`` pixels, in a frame whose far place stands still."""
    moved = picture.copy()
    near = cv2.rotate(picture, cv2.ROTATE_180)[80:160, 100:190]
    moved[80:160, 100 + shift : 190 + shift] = near
    return moved


def test_the_known_homography_between_two_frames_is_recovered(pictures, matrices, corners_apart):
    pair = PlateGraph(open_store(pictures), 2**22).pair(0, 1)
    assert corners_apart(pair.matrix, matrices[0] @ np.linalg.inv(matrices[1]), SIZE) < 1
    assert pair.parallax.shape == (240, 320, 2)
    assert np.abs(pair.parallax[20:-20, 20:-20]).mean() < 0.2


def test_parallax_is_where_the_near_thing_stands(pictures):
    pair = PlateGraph(open_store([pictures[0], with_box(pictures[0], 4)]), 2**22).pair(0, 1)
    still = PlateGraph(open_store([with_box(pictures[0], 0), with_box(pictures[0], 4)]), 2**22).pair(0, 1)
    np.testing.assert_allclose(np.median(still.parallax[95:145, 120:170], axis=(0, 1)), (4, 0), atol=0.5)
    assert np.abs(pair.parallax[:60]).mean() < 0.2


def test_frames_of_two_places_have_nothing_in_common(pictures, texture):
    pair = PlateGraph(open_store([pictures[0], texture(9, 240, 320)]), 2**22).pair(0, 1)
    assert pair.matrix is None
    assert pair.parallax.size == 0


def test_a_pair_is_read_from_disk_without_reading_the_plate(pictures, tmp_path, monkeypatch):
    first = PlateGraph(open_store(pictures, tmp_path), 2**22).pair(0, 1)
    store = open_store(pictures, tmp_path)
    monkeypatch.setattr(store, "frame", lambda index: pytest.fail("the plate was read"))
    again = PlateGraph(store, 2**22).pair(0, 1)
    np.testing.assert_array_equal(again.matrix, first.matrix)
    np.testing.assert_allclose(again.parallax, first.parallax, atol=0.01)


def test_pairs_of_masked_frames_are_not_taken_from_those_of_whole_ones(pictures, tmp_path):
    PlateGraph(open_store(pictures, tmp_path), 2**22).pair(0, 1)
    masked = open_store(pictures, tmp_path)
    masked.validity = ValidityFinder(lambda picture: np.zeros(picture.shape[:2], bool), keeps_static=False)
    assert PlateGraph(masked, 2**22).pair(0, 1).matrix is None


def test_a_known_plate_is_not_read_through_again(pictures, tmp_path, monkeypatch):
    plate = Plate(Still(picture) for picture in pictures)
    ranked = index_plate(plate, tmp_path).closest(pictures[1], 2)
    monkeypatch.setattr(Plate, "__iter__", lambda plate: pytest.fail("the plate was read through"))
    assert index_plate(plate, tmp_path).closest(pictures[1], 2) == ranked == [1, 0]


def test_a_source_sees_parallax_through_its_homography():
    """What the main frame shows at x and the other one at x + p, the source shows at H x and H (x + p)."""
    matrix = np.array([[1.1, 0.05, 7], [-0.04, 0.95, -5], [2e-5, 1e-5, 1]])
    size = Size(160, 120)
    parallax = np.full((120, 160, 2), (3, -2), np.float32)
    seen = view_parallax(parallax, matrix, size, size, size)
    points = np.array([[40.0, 30], [80, 60], [120, 90]])
    offset = np.array([3, -2])
    there = apply_homography(matrix, apply_homography(np.linalg.inv(matrix), points) + offset)
    found = [seen[int(y), int(x)] for x, y in points]
    np.testing.assert_allclose(found, there - points, atol=1e-2)


def test_parallax_scales_with_the_pictures():
    size = Size(160, 120)
    parallax = np.full((120, 160, 2), (3, -2), np.float32)
    double = view_parallax(parallax, np.eye(3), size, size, Size(320, 240))
    np.testing.assert_allclose(double[60:-60, 60:-60], np.broadcast_to((6, -4), (120, 200, 2)), atol=1e-3)
