"""Warping: direction, pixel centres, coverage."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.align.pictures import Size, apply_homography, reduce_to, resize_offsets, size_of
from howard.align.warp import interpolated_positions, plate_positions, sample_plate, shrink_plate, warp_reduced


def _shift(x, y):
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def test_matrix_maps_plate_to_source():
    plate = np.zeros((40, 50, 3), np.uint8)
    plate[20, 10] = 200
    image, coverage = sample_plate(plate, plate_positions(_shift(5, -3), Size(50, 40)))
    assert image[17, 15].tolist() == [200] * 3
    assert image.astype(int).sum() == 600
    assert not coverage[:, :6].any()
    assert not coverage[-4:].any()


def test_flow_says_where_the_homography_had_put_it():
    plate = np.zeros((40, 50, 3), np.uint8)
    plate[20, 10] = 200
    flow = np.zeros((40, 50, 2), np.float32)
    flow[...] = (4, -2)
    image, _ = sample_plate(plate, plate_positions(np.eye(3), Size(50, 40), flow))
    assert image[22, 6].tolist() == [200] * 3


@settings(max_examples=30, deadline=None)
@given(st.integers(7, 90), st.integers(7, 90), st.floats(-0.2, 0.2), st.floats(-4e-4, 4e-4), st.booleans())
def test_interpolated_positions_are_those_of_every_pixel(width, height, angle, tilt, is_displaced):
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([[c, -s, 3], [s, c, -2], [tilt, tilt / 2, 1]])
    size = Size(width, height)
    y, x = np.mgrid[: (height + 1) // 2, : (width + 1) // 2]
    # Half a pixel of odd sizes makes no difference to so smooth a displacement.
    waves = np.dstack([np.sin(x / 40), np.cos(y / 40)]).astype(np.float32) if is_displaced else None
    whole = None if waves is None else resize_offsets(waves, size)
    expected = plate_positions(matrix, size, whole)
    found = interpolated_positions(matrix, size, waves)
    assert found.shape == expected.shape
    # The outermost pixels lie between the last node of a displacement and nothing.
    np.testing.assert_allclose(found, expected, atol=0.05 if is_displaced else 0.01)


@settings(max_examples=30, deadline=None)
@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(-0.2, 0.2), st.floats(0.7, 1.4), st.integers(0, 2**31))
def test_covered_pixels_never_depend_on_what_lies_outside_the_plate(x, y, angle, zoom, seed):
    """The plate inside a larger picture: whatever surrounds it, covered pixels stay the same."""
    matrix = (
        _shift(x, y)
        @ np.diag([zoom, zoom, 1])
        @ np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    )
    plate = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8)
    alone = sample_plate(plate, plate_positions(matrix, Size(40, 30)))
    framed = np.pad(plate, ((9, 9), (9, 9), (0, 0)), constant_values=255)
    inside = sample_plate(framed, plate_positions(matrix @ _shift(-9, -9), Size(40, 30)))
    difference = np.abs(alone.image.astype(int) - inside.image)[alone.coverage]
    # Positions are rounded to 1/32 pixel, and rounding may fall to either side.
    assert np.mean(difference > 12) < 0.02 if difference.size else True
    assert (alone.image[~alone.coverage] == 0).all()


def test_nothing_beyond_the_horizon_is_covered():
    """The plate's x = 50 is seen infinitely far away; source pixels left of x = 50 look behind it."""
    matrix = _shift(100, 0) @ np.array([[1, 0, 0], [0, 1, 0], [-0.02, 0, 1]])
    positions = plate_positions(matrix, Size(200, 20))
    coverage = sample_plate(np.full((20, 300, 3), 99, np.uint8), positions).coverage
    assert np.isfinite(positions).all()
    assert not coverage[:, :51].any()
    np.testing.assert_allclose(apply_homography(matrix, positions[5, 60:])[:, 0], np.arange(60, 200), atol=0.05)


@pytest.mark.parametrize("factor", [2, 3])
def test_a_finer_plate_is_averaged_first(texture, factor):
    source = texture(2, 90, 120)
    plate = source.repeat(factor, axis=0).repeat(factor, axis=1)
    to_source = np.array([[1 / factor, 0, (1 / factor - 1) / 2], [0, 1 / factor, (1 / factor - 1) / 2], [0, 0, 1]])
    reduced, matrix = shrink_plate(plate, to_source)
    assert size_of(reduced) == (120, 90)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-9)
    np.testing.assert_array_equal(reduced, source)


def test_warping_reduced_pictures_agrees_with_reducing_the_warp(scene, homography):
    size = Size(400, 300)
    matrix = homography(4)
    source = scene.view(matrix, size)
    reduced = scene.place.reshape(240, 2, 320, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    small = source.reshape(150, 2, 200, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    warped = warp_reduced(reduced, small, matrix, Size(640, 480), size)
    assert warped.coverage.all()
    assert np.abs(warped.image.astype(int) - small).mean() < 4


@pytest.mark.parametrize("shape", [(64, 96), (48, 72), (62, 92), (61, 97), (20, 30)])
def test_reduced_pictures_are_means_whether_halved_on_the_way_or_not(shape):
    image = cv2.GaussianBlur(np.random.default_rng(2).uniform(0, 255, shape).astype(np.float32), (0, 0), 3)
    reduced = reduce_to(image, 24)
    assert max(reduced.shape) == 24
    expected = cv2.resize(image, reduced.shape[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(reduced, expected, atol=1e-3)
