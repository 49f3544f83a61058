"""Collecting a clip's scores."""

import math

import numpy as np
import pytest

from howard.evaluation.scores import ClipScores, eight_bit


def collect(predicted: list[np.ndarray], true: list[np.ndarray]) -> dict[str, float]:
    scores = ClipScores()
    for frame in zip(predicted, true, strict=True):
        scores.add(*frame)
    return scores.means()


@pytest.fixture
def moving() -> list[np.ndarray]:
    """A soft bar that walks to the right."""
    bar = np.clip(2 - np.abs(np.arange(60) - 20) / 4, 0, 1)
    return [np.tile(np.roll(bar, 3 * index), (40, 1)) for index in range(5)]


def test_a_frozen_matte_moves_no_better_than_itself(moving: list[np.ndarray]) -> None:
    assert collect([moving[0]] * 5, moving)["dtssd_n"] == pytest.approx(1)


def test_a_matte_that_follows_moves_better_than_a_frozen_one(moving: list[np.ndarray]) -> None:
    assert collect([0.9 * frame for frame in moving], moving)["dtssd_n"] < 0.2


def test_where_nothing_moves_the_normalised_score_is_unknown(moving: list[np.ndarray]) -> None:
    assert math.isnan(collect([moving[0]] * 3, [moving[0]] * 3)["dtssd_n"])


def test_frames_without_a_score_are_left_out_of_its_mean(moving: list[np.ndarray]) -> None:
    empty = np.zeros_like(moving[0])
    means = collect([empty, empty], [empty, moving[0]])
    assert means["person_dropouts"] == 1
    assert means["mad"] == pytest.approx(1e3 * eight_bit(moving[0]).mean() / 2, rel=1e-5)


def test_alpha_is_rounded_to_eight_bits() -> None:
    np.testing.assert_array_equal(eight_bit(np.array([0, 0.4 / 255, 0.6 / 255, 1])), np.float32([0, 0, 1 / 255, 1]))


def test_no_frames_no_means() -> None:
    with pytest.raises(ValueError, match="no frame"):
        ClipScores().means()
