"""Measures: values known beforehand."""

import numpy as np
import pytest

from howard.measures import holes, islands, plate_residual, recomposition_error


def _disc(size=41, radius=15):
    y, x = np.mgrid[:size, :size] - size // 2
    return (x**2 + y**2 <= radius**2).astype(np.float32)


def test_a_whole_matte_has_neither_holes_nor_islands():
    assert holes(_disc()) == 0
    assert islands(_disc()) == 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_empty_and_full_mattes(value):
    alpha = np.full((8, 9), value, np.float32)
    assert holes(alpha) == 0
    assert islands(alpha) == 0


def test_holes_are_counted_as_a_share_of_the_filled_silhouette():
    alpha = np.zeros((20, 20), np.float32)
    alpha[5:15, 5:15] = 1
    alpha[8:10, 8:13] = 0.3
    assert holes(alpha) == pytest.approx(10 / 100)


def test_a_gap_open_to_the_edge_is_no_hole():
    alpha = np.ones((10, 10), np.float32)
    alpha[4:, 4] = 0
    assert holes(alpha) == 0


def test_a_hole_is_closed_by_diagonal_neighbours():
    alpha = np.zeros((7, 7), np.float32)
    for y, x in ((1, 3), (2, 2), (2, 4), (3, 1), (3, 5), (4, 2), (4, 4), (5, 3)):
        alpha[y, x] = 1
    assert holes(alpha) == pytest.approx(5 / 13)


def test_islands_are_what_is_not_joined_to_the_largest_piece():
    alpha = _disc()
    alpha[:2, :3] = 1
    alpha[-1, -1] = 0.6
    assert islands(alpha) == pytest.approx(7 / alpha.size)


def test_plate_residual_looks_at_the_background_alone():
    source = np.full((4, 4, 3), 100, np.uint8)
    plate = source.copy()
    plate[0] += 20
    plate[3] = 0
    background = np.ones((4, 4), bool)
    background[3] = False
    residual = plate_residual(source, plate, background)
    assert residual.mean == pytest.approx(20 / 3)
    assert residual.wrong == pytest.approx(1 / 3)
    assert np.isnan(plate_residual(source, plate, np.zeros((4, 4), bool)).mean)


@pytest.mark.parametrize("linear_light", [True, False])
def test_recomposition_is_exact_in_the_light_of_the_mix_and_not_in_the_other(linear_light):
    from howard.colour import mix

    rng = np.random.default_rng(1)
    foreground, plate = rng.random((9, 8, 3)).astype(np.float32), rng.integers(0, 256, (9, 8, 3), np.uint8)
    alpha = np.linspace(0, 1, 72, dtype=np.float32).reshape(9, 8)
    mixed = mix(foreground, plate.astype(np.float32) / 255, alpha[..., None], linear_light)
    source = np.rint(255 * mixed).astype(np.uint8)
    coverage = np.ones((9, 8), np.float32)
    assert recomposition_error(source, alpha, foreground, plate, coverage, linear_light) < 0.5
    assert recomposition_error(source, alpha, foreground, plate, coverage, not linear_light) > 1


def test_recomposition_leaves_uncovered_pixels_out():
    source, plate = np.full((4, 4, 3), 50, np.uint8), np.full((4, 4, 3), 60, np.uint8)
    coverage = np.zeros((4, 4), np.float32)
    alpha, foreground = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.float32)
    assert np.isnan(recomposition_error(source, alpha, foreground, plate, coverage, True))
    coverage[0, 0] = 1
    assert recomposition_error(source, alpha, foreground, plate, coverage, True) == pytest.approx(10, abs=1e-3)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_measures_are_in_eight_bit_levels_at_any_depth(dtype):
    rng = np.random.default_rng(5)
    source, plate = (rng.integers(0, 256, (7, 6, 3), np.uint8) for _ in range(2))
    alpha, foreground = rng.random((7, 6)).astype(np.float32), rng.random((7, 6, 3)).astype(np.float32)
    everywhere = np.ones((7, 6), np.float32)

    def deep(image):
        return image.astype(np.uint16) * np.uint16(257) if dtype == np.uint16 else image.astype(np.float32) / 255

    shallow = plate_residual(source, plate, everywhere > 0)
    assert plate_residual(deep(source), deep(plate), everywhere > 0) == pytest.approx(shallow, abs=1e-4)
    expected = recomposition_error(source, alpha, foreground, plate, everywhere, True)
    found = recomposition_error(deep(source), alpha, foreground, deep(plate), everywhere, True)
    assert found == pytest.approx(expected, abs=1e-3)
