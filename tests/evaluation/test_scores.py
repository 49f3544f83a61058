"""Scores collected over frames."""

import math

import numpy as np
import pytest
import torch

from howard.evaluation import metrics
from howard.evaluation import scores as scores_module
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import CLIP_SCORES, FRAME_SCORES, MatteScores, eight_bit


def collect(predicted: list[np.ndarray], true: list[np.ndarray]) -> dict[str, float]:
    scores = MatteScores()
    for frame in zip(predicted, true, strict=True):
        scores.update(*(as_batch(each) for each in frame))
    return {name: value.item() for name, value in scores.compute().items()}


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
    assert means["mad"] == pytest.approx(1e3 * eight_bit(as_batch(moving[0])).mean().item() / 2, rel=1e-5)


def test_alpha_is_rounded_to_eight_bits() -> None:
    rounded = eight_bit(torch.tensor([0, 0.4 / 255, 0.6 / 255, 1]))
    np.testing.assert_array_equal(rounded.numpy(), np.float32([0, 0, 1 / 255, 1]))


@pytest.mark.parametrize("chunk", [1, 2 * 60 * 40, 2**19])  # pixels: single frames, pairs, all frames
@pytest.mark.parametrize("sizes", [[5], [2, 3], [1, 4]])
def test_a_batch_scores_as_its_frames_one_by_one(
    moving: list[np.ndarray], sizes: list[int], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores_module, "_CHUNK", chunk)
    predicted = [0.8 * frame for frame in moving]
    scores = MatteScores()
    batches = [torch.cat([as_batch(frame) for frame in frames]).split(sizes) for frames in (predicted, moving)]
    for batch in zip(*batches, strict=True):
        scores.update(*batch)
    assert {name: value.item() for name, value in scores.compute().items()} == collect(predicted, moving)


def test_scores_of_half_precision_are_those_of_float(moving: list[np.ndarray]) -> None:
    half, whole = MatteScores(("mad", "grad", "conn")), MatteScores(("mad", "grad", "conn"))
    for frame in moving:
        rounded = as_batch(frame).bfloat16()
        half.update(0.5 * rounded, as_batch(frame))
        whole.update((0.5 * rounded).float(), as_batch(frame))
    assert half.compute() == whole.compute()


def test_after_a_reset_another_clip_begins(moving: list[np.ndarray]) -> None:
    scores = MatteScores(("dtssd",))
    for frames in (moving, moving[::-1]):
        scores.reset()
        for frame in frames:
            scores.update(as_batch(0 * frame), as_batch(frame))
        assert scores.frames[0][0, 0] == 0  # the first frame of a clip has changed from nothing
    assert len(scores.frames) == len(moving)


def test_foregrounds_are_compared_where_they_are_given() -> None:
    true, colour, other = np.ones((4, 4)), np.zeros((4, 4, 3)), np.full((4, 4, 3), 0.25)
    scores = MatteScores(("mad", "foreground_mad", "foreground_mse"))
    scores.update(*(as_batch(each) for each in (true, true, colour, other)))
    scores.update(as_batch(true), as_batch(true))
    assert [value.item() for value in scores.compute().values()] == pytest.approx([0, 250, 62.5])


def test_scores_of_two_processes_average_over_all_frames(moving: list[np.ndarray]) -> None:
    whole, first, second = (MatteScores(("mad", "grad")) for _ in range(3))
    for index, frame in enumerate(moving):
        for scores in (whole, first if index < 2 else second):
            scores.update(as_batch(0.5 * frame), as_batch(frame))
    joined = MatteScores(("mad", "grad"))
    joined.frames = torch.cat([*first.frames, *second.frames])  # type: ignore[assignment]
    assert joined.compute() == whole.compute()


def test_an_unknown_score_and_no_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="no score 'madd'"):
        MatteScores(("madd",))
    with pytest.raises(ValueError, match="no frame"):
        MatteScores().compute()


def test_every_metric_is_a_score() -> None:
    functions = {name for name in vars(metrics) if not name.startswith("_") and callable(getattr(metrics, name))}
    assert {"mad", "mse", "band_mad", "person_dropouts", "background_dropouts", "dtssd"} < functions
    assert {*FRAME_SCORES, *CLIP_SCORES} >= {"mad", "mse", "grad", "grad_lr", "conn", "dtssd", "dtssd_n", "band_mad"}
