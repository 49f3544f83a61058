"""The metrics: against the field's own figures, and what must hold whatever the matte."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.evaluation import metrics
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import MatteScores, eight_bit

REFERENCE = Path(__file__).parents[1] / "reference"
PER_PIXEL = [metrics.mad, metrics.mse, metrics.gradient_error, metrics.connectivity_error]
PUBLISHED_NAMES = {
    "mad": "mad",
    "mse": "mse",
    "grad_lr": "grad_lr",
    "grad_hr": "grad",
    "conn": "conn",
    "dtssd": "dtssd",
}


def matte(seed: int, height: int = 36, width: int = 48) -> np.ndarray:
    """A blob with a soft edge, in 8-bit steps."""
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    blob = np.clip(8 * (cv2.GaussianBlur(noise, (0, 0), 4) - 0.5) + 0.5, 0, 1)
    return eight_bit(as_batch(blob))[0, 0].numpy()


def scored(frames: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """The scores of a clip of predicted and true mattes."""
    scores = MatteScores()
    for frame in frames:
        scores.update(*(as_batch(each) for each in frame))
    return {name: value.item() for name, value in scores.compute().items()}


SEEDS = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def vectors() -> tuple[np.ndarray, np.ndarray, dict]:
    arrays = np.load(REFERENCE / "metric_vectors.npz")
    figures = json.loads((REFERENCE / "metric_vectors.json").read_text(encoding="utf-8"))
    return arrays["pred"], arrays["true"], figures


def test_every_frame_scores_as_published(vectors: tuple[np.ndarray, np.ndarray, dict]) -> None:
    predicted, true, figures = vectors
    for index, expected in enumerate(figures["frames"]):
        measured = scored([(predicted[index], true[index])])
        before = (predicted[index - 1], true[index - 1]) if index else (None, None)
        measured["dtssd"] = metrics.dtssd(predicted[index], true[index], *before)
        for published, name in PUBLISHED_NAMES.items():
            assert measured[name] == pytest.approx(expected[published], abs=1e-5), (index, name)


def test_the_clip_scores_as_published(vectors: tuple[np.ndarray, np.ndarray, dict]) -> None:
    predicted, true, figures = vectors
    means = scored(list(zip(predicted, true, strict=True)))
    for published, name in PUBLISHED_NAMES.items():
        assert means[name] == pytest.approx(figures["mean"][published], abs=1e-5), name


def test_values_known_by_hand() -> None:
    predicted, true = np.full((4, 5), 0.25), np.zeros((4, 5))
    assert metrics.mad(predicted, true) == pytest.approx(250)
    assert metrics.mse(predicted, true) == pytest.approx(62.5)
    assert metrics.dtssd(predicted, true, true, true) == pytest.approx(25)


@given(SEEDS)
def test_the_truth_scores_zero(seed: int) -> None:
    true = matte(seed)
    assert all(value == 0 or math.isnan(value) for value in scored([(true, true)] * 2).values())


@given(SEEDS, SEEDS)
def test_errors_are_symmetric_and_not_negative(first: int, second: int) -> None:
    for score in PER_PIXEL:
        forwards, backwards = score(matte(first), matte(second)), score(matte(second), matte(first))
        assert forwards == pytest.approx(backwards)
        assert forwards >= 0


@given(SEEDS, SEEDS)
def test_mirroring_the_frame_changes_nothing(first: int, second: int) -> None:
    predicted, true = matte(first), matte(second)
    # Connectivity follows one of two equally large bodies, and which is the first depends on the side one begins at.
    symmetric = [score for score in PER_PIXEL if score is not metrics.connectivity_error]
    for score in (*symmetric, metrics.band_mad, metrics.gradient_error_low_resolution):
        mirrored = score(predicted[:, ::-1], true[:, ::-1])
        assert mirrored == pytest.approx(score(predicted, true), rel=1e-4, nan_ok=True)


def test_half_the_matte_hides_from_the_low_resolution_gradient_only() -> None:
    true = matte(3)
    assert metrics.gradient_error_low_resolution(true / 2, true) == pytest.approx(0, abs=1e-6)
    assert metrics.gradient_error(true / 2, true) > 0.01


def test_a_flat_matte_has_no_gradient_to_stretch() -> None:
    flat = np.full((8, 8), 0.3)
    assert metrics.gradient_error_low_resolution(flat, flat / 2) == 0


def test_gradient_of_a_ramp_is_the_same_across_and_down() -> None:
    ramp = np.tile(np.linspace(0, 1, 64), (64, 1))
    across, down = (metrics.gradient_error(each, np.zeros((64, 64))) for each in (ramp, ramp.T))
    assert across == pytest.approx(down, rel=1e-5)


def test_connectivity_notices_an_island() -> None:
    true = np.zeros((20, 20))
    true[:, :8] = 1
    island = true.copy()
    island[5:8, 14:17] = 1
    assert metrics.connectivity_error(island, true) == pytest.approx(9 / 1e3)


def test_band_covers_ten_pixels_at_1080p() -> None:
    true = np.zeros((1080, 1920))
    true[540, 30] = 0.5
    band = metrics.edge_band(true)
    assert band[530:551, 30].all()
    assert not band[529, 30]
    assert not band[551, 30]
    np.testing.assert_array_equal(metrics.edge_band(np.rot90(true)), np.rot90(band))
    assert metrics.edge_band(true[::2, ::2]).sum() == 81  # a disc of radius 5


def test_band_of_a_hard_edge_is_unknown() -> None:
    assert math.isnan(metrics.band_mad(np.ones((4, 4)), np.ones((4, 4))))


def test_dropouts_count_each_side_on_its_own() -> None:
    true = np.array([[1.0, 1.0, 1.0, 0.5], [0.0, 0.0, 0.0, 0.0]])
    predicted = np.array([[0.0, 1.0, 0.6, 0.0], [0.9, 0.0, 0.5, 0.2]])
    assert metrics.person_dropouts(predicted, true) == pytest.approx(1 / 3)
    assert metrics.background_dropouts(predicted, true) == pytest.approx(1 / 4)
    assert math.isnan(metrics.person_dropouts(predicted, np.zeros((2, 4))))


def test_foreground_counts_only_where_there_is_a_person() -> None:
    true = np.array([[0.0, 0.2]])
    colour, other = np.zeros((1, 2, 3)), np.array([[[1.0, 1.0, 1.0], [0.5, 0.0, 0.0]]])
    assert metrics.foreground_mad(other, colour, true) == pytest.approx(500 / 3)
    assert metrics.foreground_mse(other, colour, true) == pytest.approx(250 / 3)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(1, 1, 2, 3\) and \(1, 1, 3, 2\)"):
        metrics.mad(np.zeros((2, 3)), np.zeros((3, 2)))
