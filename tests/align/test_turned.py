"""Portrait pictures are judged like landscape ones: by the same thresholds, grids and sizes, turned."""

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align import PlateAligner
from howard.align.features import Matches
from howard.align.mesh import Residuals, fit_mesh
from howard.align.pictures import Grid, Size, orient_grid, scale_pixels
from howard.align.plate_index import PlateIndex, similarity, thumbnail
from howard.align.ranking import coverage_grid
from howard.align.two_view import filter_epipolar, fit_plane, grid_cells, grid_coverage

SIZE = Size(1280, 720)
UPRIGHT = Size(720, 1280)


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


def turn(image):
    """Turned by 90 degrees, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(image))


def turn_points(points, size=SIZE):
    """Where points, (N, 2), of a picture of ``size`` lie when it is turned."""
    return np.stack([points[:, 1], size.width - 1 - points[:, 0]], axis=1).astype(points.dtype)


def _points(count=400, seed=1, size=SIZE):
    return (np.random.default_rng(seed).random((count, 2)) * (np.array(size) - 1)).astype(np.float32)


def test_distances_scale_with_the_long_side():
    assert scale_pixels(3, Size(1920, 1080)) == scale_pixels(3, Size(1080, 1920)) == 3
    assert scale_pixels(3, Size(1440, 1080)) == pytest.approx(2.25)


def test_grids_turn_with_the_picture():
    assert orient_grid(Grid(8, 5), UPRIGHT) == Grid(5, 8)
    assert orient_grid(Grid(8, 5), Size(100, 100)) == Grid(8, 5)
    assert coverage_grid(SIZE) == Grid(96, 54)
    assert coverage_grid(UPRIGHT) == Grid(54, 96)
    points = _points()[:9]
    assert grid_coverage(points, SIZE) == grid_coverage(turn_points(points), UPRIGHT)
    assert len(set(grid_cells(_points(4000), SIZE))) == len(set(grid_cells(turn_points(_points(4000)), UPRIGHT))) == 40


def test_the_same_matches_agree_with_a_homography_and_with_one_epipolar_geometry():
    rng = np.random.default_rng(2)
    plate = _points()
    # Errors about the thresholds of 2 and 1.3 pixels: with another scale other matches would be kept.
    source = plate + rng.normal(0, 1.4, plate.shape).astype(np.float32) + np.float32([9, -5])
    matches = Matches(plate, source)
    turned = Matches(turn_points(plate), turn_points(source))
    plane, turned_plane = fit_plane(matches, SIZE), fit_plane(turned, UPRIGHT)
    assert plane is not None
    assert turned_plane is not None
    assert turned_plane.inliers.sum() == pytest.approx(plane.inliers.sum(), rel=0.03)
    rigid, turned_rigid = filter_epipolar(matches, SIZE), filter_epipolar(turned, UPRIGHT)
    assert len(turned_rigid.plate) == pytest.approx(len(rigid.plate), rel=0.1)


def test_meshes_bend_as_finely():
    points = _points(900, 3)
    offsets = np.stack([6 * np.sin(points[:, 0] / 90), 4 * np.cos(points[:, 1] / 70)], axis=1)
    mesh = fit_mesh(Residuals(points, offsets), SIZE, Size(320, 180))
    # An offset turns without the shift that a place has.
    turned_offsets = np.stack([offsets[:, 1], -offsets[:, 0]], axis=1)
    turned = fit_mesh(Residuals(turn_points(points), turned_offsets), UPRIGHT, Size(180, 320))
    expected = turn(np.stack([mesh[..., 1], -mesh[..., 0]], axis=-1))
    np.testing.assert_allclose(turned, expected, atol=1e-3)


def test_thumbnails_resemble_alike(texture):
    pictures = [texture(seed, 270, 480) for seed in (1, 2, 3)]
    scores = similarity(np.stack([thumbnail(each, False) for each in pictures]), pictures[1], False)
    upright = [turn(each) for each in pictures]
    turned = similarity(np.stack([thumbnail(each, True) for each in upright]), upright[1], True)
    np.testing.assert_allclose(turned, scores, rtol=0.02, atol=0.05)
    assert PlateIndex.of(upright).closest(upright[1], 3) == PlateIndex.of(pictures).closest(pictures[1], 3)


def test_sources_of_the_other_orientation_are_ranked_too(texture):
    plates = [texture(seed, 270, 480) for seed in (5, 6, 7)]
    assert sorted(PlateIndex.of(plates).closest(turn(plates[0]), 3)) == [0, 1, 2]


def test_a_turned_pair_aligns_as_well(scene, homography):
    to_source, to_plate = homography(1), homography(2)
    source, plate = (scene.view(view, (400, 300)) for view in (to_source, to_plate))
    clean = source.copy()
    source[120:, 150:240] = (210, 40, 60)
    errors = []
    for way in (np.asarray, turn):
        aligned = PlateAligner([Shot(way(plate))]).align(Shot(way(source)))
        wrong = cv2.absdiff(aligned.image, way(clean)).mean(axis=2)[aligned.coverage > 0.5] > 10
        assert aligned.status == "good"
        errors.append((float(wrong.mean()), float(aligned.coverage.mean())))
    (wrong, coverage), (turned_wrong, turned_coverage) = errors
    assert turned_wrong <= 1.1 * max(wrong, 0.005)
    assert turned_coverage == pytest.approx(coverage, abs=0.005)
