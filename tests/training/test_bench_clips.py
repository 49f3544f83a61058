"""Benchmark clips at the end of a run: scores, pictures, files, and what loggers get."""

import csv
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from howard.errors import InputError
from howard.evaluation.benchmark.clip_scores import score_clip
from howard.evaluation.true_clip import TrueClip
from howard.matting import MattingNetwork, WeightsMetadata, load_matting, save_weights
from howard.media import read_still
from howard.training.bench_clips import (
    BenchTable,
    ScoredClip,
    bench_table,
    mean_scores,
    middle_frames,
    spread_indices,
    write_files,
)
from howard.training.loggers import csv_logger
from howard.training.run_end import FinishedRun
from howard.training.run_folders import EXPORTED
from tests.evaluation.ball_clip import write_ball_clip
from tests.training.runs import logged_figures

NETWORK = {"encoder": "efficientnet_lite0", "aspp_channels": 16, "decoder_widths": (16, 12, 8)}
STRIP = np.zeros((8, 6, 3), np.uint8)


def scored(name: str, mad: float, dtssd: float = 1.0) -> ScoredClip:
    scores = {"mad": mad, "mse": 1.0, "grad": 1.0, "conn": 1.0, "dtssd": dtssd, "band_mad": 1.0}
    return ScoredClip(name, 2, scores, STRIP)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> TrueClip:
    return write_ball_clip(tmp_path_factory.mktemp("clips") / "ball")


@pytest.fixture(scope="module")
def finished(clip: TrueClip, tmp_path_factory: pytest.TempPathFactory) -> tuple[FinishedRun, SimpleNamespace]:
    """A run with weights that has scored two frames of the clip, and its trainer."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    metadata = WeightsMetadata(**NETWORK, has_refiner=False)
    save_weights(folder / EXPORTED, MattingNetwork(**NETWORK, has_refiner=False).state_dict(), metadata)
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    trainer: Any = SimpleNamespace(loggers=[csv_logger(folder)], global_step=7, strategy=strategy)
    run = FinishedRun(folder, "mine", metadata, "abc", {})
    BenchTable(str(clip.folder.parent), frames=2, pictures=2, quality="fast").on_run_end(trainer, run)
    return run, trainer


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(lines))


def test_scores_are_those_of_the_benchmark(finished: tuple[FinishedRun, Any], clip: TrueClip) -> None:
    folder = finished[0].folder
    predictor = load_matting(folder / EXPORTED, "cpu")
    [row, mean] = rows(folder / "bench" / "scores.csv")
    expected = score_clip(clip, predictor, "1-2", quality="fast").scores["film"]
    for metric in ("mad", "grad", "dtssd", "band_mad"):
        assert float(row[metric]) == pytest.approx(expected[metric], rel=1e-4)
        assert logged_figures(folder, f"bench/ball/{metric}") == pytest.approx([expected[metric]], rel=1e-4)
    assert (row["clip"], row["frames"], mean["clip"]) == ("ball", "2", "mean")


def test_the_pictures_are_a_column_for_each_frame(finished: tuple[FinishedRun, Any]) -> None:
    strip = read_still(finished[0].folder / "bench" / "ball.png")
    height = strip.shape[0] // 4
    assert strip.shape == (4 * height, 2 * 240, 3)
    true = strip[height : 2 * height]
    assert true.min() == 0
    assert true.max() == 255
    assert np.array_equal(true[..., 0], true[..., 2])
    assert strip[3 * height :].any()  # an untrained network is wrong somewhere


def test_clips_that_are_not_there_are_named(finished: tuple[FinishedRun, Any], tmp_path: Path) -> None:
    run, trainer = finished
    with pytest.raises(InputError, match="does not exist"):
        BenchTable(str(tmp_path / "nowhere")).on_run_end(trainer, run)


@pytest.mark.parametrize("counts", [{"frames": 0}, {"pictures": 0}])
def test_at_least_one_frame_is_wanted(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        BenchTable("clips", **counts)


@given(st.integers(1, 500), st.none() | st.integers(1, 500))
def test_frames_are_consecutive_in_the_middle_and_within_the_clip(count: int, limit: int | None) -> None:
    frames = middle_frames(count, limit)
    assert len(frames) == min(count, limit or count)
    assert 0 <= frames[0] <= frames[-1] < count
    assert abs(frames[0] - (count - 1 - frames[-1])) <= 1


@given(st.integers(0, 9), st.integers(1, 60), st.integers(1, 9))
def test_shown_frames_are_spread_over_those_scored(first: int, length: int, count: int) -> None:
    frames = range(first, first + length)
    shown = spread_indices(frames, count)
    assert len(set(shown)) == min(count, length)
    assert set(shown) <= set(frames)
    assert shown[0] == first
    assert count == 1 or shown[-1] == frames[-1]


def test_a_score_that_there_is_not_is_empty_and_left_out_of_the_mean(tmp_path: Path) -> None:
    clips = [scored("a", 1.0, math.nan), scored("b", 3.0, 5.0)]
    assert mean_scores(clips)["mad"] == 2
    assert mean_scores(clips)["dtssd"] == 5
    write_files(tmp_path, clips)
    assert [row["dtssd"] for row in rows(tmp_path / "scores.csv")] == ["", "5.0", "5.0"]
    columns, table = bench_table(clips)
    assert [line[columns.index("dtssd")] for line in table] == [None, 5.0]
    assert [line[0] for line in table] == ["a", "b"]
