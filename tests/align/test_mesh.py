"""The grid through what the homography leaves in the matches."""

import numpy as np
import pytest

from howard.align.features import Matches
from howard.align.mesh import Residuals, _solve_blocks, fit_mesh, match_residuals
from howard.align.pictures import Size

SIZE, REDUCED = Size(1280, 720), Size(640, 360)
NOBODY = np.zeros((90, 160), bool)


def _points(count, seed=0):
    return np.random.default_rng(seed).uniform(0, SIZE, (count, 2))


def test_residuals_say_where_the_homography_puts_what_is_seen():
    source = _points(50)
    matches = Matches((source + np.array([7, -3])).astype(np.float32), source.astype(np.float32))
    residuals = match_residuals(matches, np.eye(3), NOBODY, SIZE)
    np.testing.assert_allclose(residuals.offsets, np.tile((7, -3), (50, 1)), atol=1e-3)


def test_the_person_and_wild_matches_are_left_out():
    source = _points(200)
    matches = Matches(source.astype(np.float32), source.astype(np.float32))
    matches.plate[0] += 500
    left = NOBODY.copy()
    left[:, :80] = True
    points = match_residuals(matches, np.eye(3), left, SIZE).points
    assert 0 < len(points) < 200
    assert (points[:, 0] > SIZE.width / 2 - 1).all()


@pytest.mark.parametrize("wrong", [0, 40])
def test_a_bend_is_followed_whatever_some_matches_say(wrong):
    points = _points(400)
    offsets = np.stack([8 * np.sin(points[:, 0] / 300), 5 * np.cos(points[:, 1] / 250)], axis=1)
    offsets[:wrong] += np.random.default_rng(1).uniform(-40, 40, (wrong, 2))
    mesh = fit_mesh(Residuals(points, offsets), SIZE, REDUCED)
    assert (mesh.shape, mesh.dtype) == ((360, 640, 2), np.float32)
    x, y = np.meshgrid(np.arange(640) * 2 + 0.5, np.arange(360) * 2 + 0.5)
    expected = np.stack([4 * np.sin(x / 300), 2.5 * np.cos(y / 250)], axis=-1)
    assert np.median(np.abs(mesh - expected)) < 0.15


def test_too_few_matches_bend_nothing():
    mesh = fit_mesh(Residuals(_points(5), np.full((5, 2), 9.0)), SIZE, REDUCED)
    np.testing.assert_array_equal(mesh, 0)


def test_solving_by_blocks_is_solving():
    rng = np.random.default_rng(0)
    far = abs(np.subtract.outer(np.arange(112), np.arange(112))) >= 28
    half = rng.normal(0, 0.1, (112, 112))
    normal = np.where(far, 0, half + half.T) + 10 * np.eye(112)
    right = rng.normal(0, 1, (112, 2))
    np.testing.assert_allclose(_solve_blocks(normal, right, 28), np.linalg.solve(normal, right), atol=1e-10)
