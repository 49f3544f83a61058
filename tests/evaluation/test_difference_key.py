"""The difference key, and that tuning it finds the best setting."""

import cv2
import numpy as np
import pytest

from howard.evaluation import metrics
from howard.evaluation.difference_key import difference_key, tune_thresholds


def frame_pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    plate = generator.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    source = np.clip(plate + generator.normal(0, 30, plate.shape), 0, 255).astype(np.uint8)
    return source, plate


def test_equals_its_definition() -> None:
    source, plate = frame_pair(0)
    difference = np.abs(source.astype(float) - plate).max(axis=2)
    t = np.clip((difference - 10) / (50 - 10), 0, 1)
    expected = cv2.medianBlur((t * t * (3 - 2 * t)).astype(np.float32), 3)
    np.testing.assert_allclose(difference_key(source, plate, low=10, high=50), expected, atol=1e-6)


def test_no_difference_is_background_and_uncovered_is_person() -> None:
    _, plate = frame_pair(1)
    coverage = np.ones(plate.shape[:2], np.float32)
    coverage[:, :5] = 0
    alpha = difference_key(plate, plate, coverage)
    assert alpha.dtype == np.float32
    assert (alpha[:, :5] == 1).all()
    assert (alpha[:, 5:] == 0).all()


@pytest.mark.parametrize(("low", "high"), [(20, 20), (30, 20)])
def test_low_must_be_below_high(low: int, high: int) -> None:
    with pytest.raises(ValueError, match=f"low={low} must be below high={high}"):
        difference_key(*frame_pair(2), low=low, high=high)


def test_refuses_other_depths_and_sizes() -> None:
    source, plate = frame_pair(3)
    with pytest.raises(ValueError, match="8-bit"):
        difference_key(source.astype(np.uint16), plate)
    with pytest.raises(ValueError, match="one size"):
        difference_key(source, plate[:-1])


def test_tuning_finds_the_setting_that_made_the_truth() -> None:
    samples = [(*pair, None, difference_key(*pair, low=14, high=62)) for pair in map(frame_pair, range(3))]
    assert tune_thresholds(samples) == (14, 62)


def test_tuning_beats_its_neighbours_and_ignores_uncovered_pixels() -> None:
    source, plate = frame_pair(4)
    coverage = np.ones(plate.shape[:2], np.float32)
    coverage[:4] = 0
    true = np.clip(np.random.default_rng(5).normal(0.5, 0.4, plate.shape[:2]), 0, 1)

    def error(low: int, high: int) -> float:
        alpha = difference_key(source, plate, low=low, high=high)
        return metrics.mad(alpha[4:], np.rint(true[4:] * 255) / 255)

    low, high = tune_thresholds([(source, plate, coverage, true)])
    best = error(low, high)
    around = [(low + i, high + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if 0 <= low + i < high + j <= 255]
    assert all(best <= error(*pair) + 1e-5 for pair in around)
