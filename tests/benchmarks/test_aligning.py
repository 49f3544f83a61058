"""The compared methods find known homographies, and scores count known errors."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.aligning.figures import average
from benchmarks.aligning.methods import Attempt, align_bgmv2, align_homography, fit_colour, warp_attempt
from benchmarks.aligning.scoring import Row, Score, Truth, homography_errors, remaining_errors, score
from benchmarks.scenes import Size
from benchmarks.scenes.procedural import place

ROOT = Path(__file__).parents[2]
SIZE = Size(640, 360)
EMPTY = np.zeros(0)
MATRIX = np.array([[1.02, -0.015, 9.0], [0.012, 1.01, -6.0], [1e-5, -8e-6, 1]])


@pytest.fixture(scope="module")
def plate() -> np.ndarray:
    return place(np.random.default_rng(4), SIZE)


@pytest.fixture(scope="module")
def truth(plate) -> Truth:
    alpha = np.zeros((SIZE.height, SIZE.width), np.float32)
    alpha[120:, 250:390] = 1
    return Truth(cv2.warpPerspective(plate, MATRIX, SIZE, flags=cv2.INTER_CUBIC), alpha)


def attempt_of(image: np.ndarray, matrix: np.ndarray = MATRIX) -> Attempt:
    return Attempt(image, np.ones(image.shape[:2], bool), matrix, 0, failed=False)


@pytest.mark.parametrize(("align", "most"), [(align_homography, 0.5), (align_bgmv2, 3.0)])
def test_compared_methods_find_a_known_homography(align, most, plate, truth):
    found = align(truth.clean, plate)
    grid = np.dstack(np.meshgrid(np.arange(0, 640, 8.0), np.arange(0, 360, 8.0)))
    positions = cv2.perspectiveTransform(grid, np.linalg.inv(MATRIX))
    errors = homography_errors(found, positions, np.ones(grid.shape[:2], bool), 8)
    assert np.median(errors) < most


@pytest.mark.parametrize("align", [align_homography, align_bgmv2])
def test_compared_methods_report_failure_without_features(align, plate):
    blank = np.full_like(plate, 90)
    assert align(blank, plate) is None
    attempt = warp_attempt(None, blank, plate, 3, np.ones(blank.shape[:2], bool))
    assert attempt.failed
    assert not attempt.covered.any()


def test_colours_are_fitted_in_the_usable_region(plate):
    source = np.clip(plate * np.array([0.8, 0.9, 1.05]) + 7, 0, 255).round().astype(np.uint8)
    usable = np.ones(plate.shape[:2], bool)
    usable[:, :200] = False
    spoilt = source.copy()
    spoilt[:, :200] = 0
    fitted = fit_colour(spoilt, plate, usable)
    inside = (source < 250).all(axis=2)
    assert cv2.absdiff(fitted, source)[inside].mean() < 1


def test_a_perfect_plate_has_no_errors(truth):
    found = score(attempt_of(truth.clean), truth, EMPTY, EMPTY)
    assert (found.wrong, found.near, found.behind, found.uncovered) == (0, 0, 0, 0)
    assert not found.failed


def test_errors_are_counted_by_region(truth):
    image = truth.clean.astype(int)
    image[200:, 300:340] += np.where(image[200:, 300:340] > 127, -60, 60)
    behind = score(attempt_of(image.astype(np.uint8)), truth, EMPTY, EMPTY)
    assert (behind.wrong, behind.near) == (0, 0)
    assert behind.behind == pytest.approx(160 * 40 / (240 * 140))
    image = truth.clean.astype(int)
    image[:, :50] += np.where(image[:, :50] > 127, -60, 60)
    far = score(attempt_of(image.astype(np.uint8)), truth, EMPTY, EMPTY)
    assert (far.near, far.behind) == (0, 0)
    assert far.wrong == pytest.approx(360 * 50 / (640 * 360 - 240 * 140))


def test_uncovered_pixels_are_not_wrong(truth):
    covered = np.ones((SIZE.height, SIZE.width), bool)
    covered[:, :160] = False
    image = truth.clean.copy()
    image[:, :160] = 0
    found = score(attempt_of(image)._replace(covered=covered), truth, EMPTY, EMPTY)
    assert found.wrong == 0
    assert found.uncovered == pytest.approx(0.25)


@pytest.mark.parametrize(("errors", "left", "failed"), [(30.0, 9.0, True), (30.0, 0.1, False), (3.0, 9.0, False)])
def test_gross_homography_errors_fail_unless_corrected(truth, errors, left, failed):
    found = score(attempt_of(truth.clean), truth, np.full(9, errors), np.full(9, left))
    assert found.failed is failed


def test_the_errors_of_a_homography_are_distances_in_the_source():
    moved = MATRIX.copy()
    grid = np.dstack(np.meshgrid(np.arange(0, 640, 8.0), np.arange(0, 360, 8.0)))
    positions = cv2.perspectiveTransform(grid, np.linalg.inv(MATRIX))
    everywhere = np.ones(grid.shape[:2], bool)
    np.testing.assert_allclose(homography_errors(moved, positions, everywhere, 8), 0, atol=1e-6)
    shift = np.array([[1, 0, 3.0], [0, 1, -4.0], [0, 0, 1]])
    np.testing.assert_allclose(homography_errors(shift @ MATRIX, positions, everywhere, 8), 5, atol=1e-6)


@pytest.mark.parametrize("shift", [0.0, 1.5, 5.0])
def test_optical_flow_measures_the_remaining_displacement(truth, shift):
    move = np.array([[1, 0, shift], [0, 1, 0.0]])
    image = cv2.warpAffine(truth.clean, move, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    left = remaining_errors(image, truth.clean, truth.background)
    assert np.median(left) == pytest.approx(shift, abs=0.15)


def test_groups_are_weighted_equally_and_unknown_is_none():
    def row(group: str, wrong: float) -> Row:
        unknown = float("nan")
        return Row(group, "ours", Score(wrong, wrong, wrong, 0, 1.0, 2.0, unknown, unknown, failed=False))

    rows = [row("a", 0.1), row("a", 0.3), row("b", 0.4)]
    found = average(rows, {"only b": ("b",)})["ours"]
    assert found["a"]["wrong"] == pytest.approx(0.2)
    assert found["all"]["wrong"] == pytest.approx(0.3)
    assert found["only b"]["wrong"] == pytest.approx(0.4)
    assert found["all"]["h_px"] is None


@pytest.mark.slow
def test_the_command_scores_scenes_without_any_data(tmp_path):
    json_path = tmp_path / "figures.json"
    command = [sys.executable, "benchmarks/alignment.py", "--section", "scenes", "--kind", "facade", "--frames", "1"]
    options = ["--width", "480", "--data", str(tmp_path / "none"), "--jobs", "1", "--json", str(json_path)]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "held out from tuning" in done.stdout
    found = json.loads(json_path.read_text())["scenes"]
    assert set(found) == {"fast", "standard", "best", "homography", "bgmv2", "exact map"}
    assert found["exact map"]["all"]["wrong"] < 0.8 * found["bgmv2"]["all"]["wrong"] + 0.02
    assert found["exact map"]["all"]["px"] < 0.5
