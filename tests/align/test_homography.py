"""Features and homography: a known one must be found again, and none where there is none."""

import cv2
import numpy as np
import pytest

from howard.align.features import Features, Matches, extract_features, match_features, match_quick_features
from howard.align.pictures import Size, apply_homography, resizing
from howard.align.two_view import estimate_homography, is_plausible_homography

SIZE = Size(400, 300)


def _matches(count, outliers, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    true = np.array([[1.02, 0.03, -7], [-0.02, 0.98, 5], [2e-5, -3e-5, 1]])
    plate = rng.uniform(0, SIZE, (count, 2))
    source = apply_homography(true, plate) + rng.normal(0, noise, (count, 2))
    source[:outliers] = rng.uniform(0, SIZE, (outliers, 2))
    return Matches(plate.astype(np.float32), source.astype(np.float32)), true


@pytest.mark.parametrize("outliers", [0, 60, 110])
def test_known_homography_is_recovered(outliers, corners_apart):
    matches, true = _matches(200, outliers)
    estimate = estimate_homography(matches, SIZE, SIZE)
    assert estimate.trusted
    assert corners_apart(estimate.matrix, true, SIZE) < 1
    assert estimate.inliers == pytest.approx(200 - outliers, abs=15)
    assert estimate.error_px < 0.6


@pytest.mark.parametrize(("outliers", "trusted"), [(0, True), (60, False)])
def test_matches_on_little_of_the_picture_must_be_nearly_unanimous(outliers, trusted):
    """Before a blank wall the right plate matches on a patch only: 12 cells of 40 here."""
    matches, _ = _matches(400, 0, noise=0.1)
    patch = np.array([SIZE.width * 0.74, SIZE.height * 0.38])
    inside = (matches.source < patch).all(axis=1)
    source = matches.source[inside]
    source[:outliers] = np.random.default_rng(1).uniform((0, 0), patch, (outliers, 2))
    estimate = estimate_homography(Matches(matches.plate[inside], source), SIZE, SIZE)
    assert estimate.grid_coverage == pytest.approx(0.3, abs=0.03)
    assert estimate.inliers > 25
    assert estimate.inlier_ratio > 0.35
    assert estimate.trusted == trusted


def test_the_same_matches_give_the_same_matrix():
    matches, _ = _matches(200, 100)
    first, second = (estimate_homography(matches, SIZE, SIZE) for _ in range(2))
    np.testing.assert_array_equal(first.matrix, second.matrix)


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_matches_give_none(count):
    assert estimate_homography(_matches(count, 0)[0], SIZE, SIZE) is None


def test_noise_is_not_trusted():
    estimate = estimate_homography(_matches(200, 200)[0], SIZE, SIZE)
    assert estimate is None or not estimate.trusted


def test_matches_in_one_corner_are_not_trusted():
    matches, _ = _matches(200, 0)
    corner = Matches(matches.plate / 5, matches.source / 5)
    assert not estimate_homography(corner, SIZE, SIZE).trusted


@pytest.mark.parametrize(
    ("matrix", "sane"),
    [
        (np.eye(3), True),
        (np.diag([1.5, 1.5, 1]), True),
        (np.diag([-1.0, 1, 1]) + np.array([[0, 0, 399], [0, 0, 0], [0, 0, 0]]), False),
        (np.diag([0.1, 0.1, 1]), False),
        (np.diag([9.0, 9, 1]), False),
        (np.array([[1, 0, 0], [0, 1, 0], [-0.004, 0, 1.0]]), False),
        (np.array([[1, 0.99, 0], [1, 1.0, 0], [0, 0, 1]]), False),
    ],
    ids=["identity", "zoom", "mirror", "speck", "giant", "horizon", "collapsed"],
)
def test_sanity(matrix, sane):
    assert is_plausible_homography(matrix, SIZE, SIZE) is sane


def test_sane_homographies_stay_sane_when_the_matrix_changes_sign():
    assert is_plausible_homography(-np.eye(3), SIZE, SIZE)


def test_pictures_are_matched_across_sizes(scene, homography, corners_apart):
    """A plate of another size: the pixel centres of both must be respected."""
    view = homography(1)
    source = scene.view(view, SIZE)
    plate = cv2.resize(scene.place, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    plate_size = Size(plate.shape[1], plate.shape[0])
    matches = match_features(extract_features(plate), extract_features(source))
    estimate = estimate_homography(matches, plate_size, SIZE)
    true = view @ resizing(plate_size, Size(640, 480))
    assert estimate.trusted
    center = np.array([[240.0, 180.0]])
    assert np.linalg.norm(apply_homography(estimate.matrix, center) - apply_homography(true, center)) < 0.3


def test_large_pictures_are_reduced_without_a_shift(texture):
    """Keypoints sought at half size lie where they lie at full size, to a fraction of a pixel."""
    small = texture(5, 300, 960)
    large = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    at_small, at_large = extract_features(small), extract_features(large)
    matches = match_features(at_small, at_large)
    expected = (matches.plate + 0.5) * 2 - 0.5
    assert len(expected) > 100
    np.testing.assert_allclose(np.median(matches.source - expected, axis=0), 0, atol=0.05)


def test_a_flat_picture_has_no_features():
    features = extract_features(np.full((90, 160, 3), 128, np.uint8))
    assert features.points.shape == (0, 2)
    assert features.descriptors.shape == (0, 128)
    assert len(match_features(features, features).plate) == 0


def test_ambiguous_features_are_not_matched():
    twin = np.full((3, 128), 8, np.uint8)
    features = Features(np.zeros((3, 2), np.float32), twin)
    assert len(match_features(features, features).plate) == 0


def test_binary_features_find_each_other_again_with_some_bits_turned():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (60, 256), np.uint8)
    turned = bits ^ (rng.random(bits.shape) < 0.1)
    order = rng.permutation(60)
    points = np.arange(120, dtype=np.float32).reshape(60, 2)
    there, here = (Features(points, np.packbits(each, axis=1)) for each in (bits, turned[order]))
    matches = match_quick_features(there, here)
    np.testing.assert_array_equal(matches.source, points)
    np.testing.assert_array_equal(matches.plate, points[order])
