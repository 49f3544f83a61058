"""Scoring a clip whose truth is known, from its folder to the table and the JSON."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from howard.errors import InputError
from howard.evaluation.benchmark.clip_report import METHODS, ClipReport
from howard.evaluation.benchmark.clip_scores import score_clip
from howard.evaluation.benchmark.clip_tables import clips_table, plates_table
from howard.evaluation.difference_key import difference_key
from howard.evaluation.tables import to_json
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.pipeline import FrameDone
from tests.evaluation.ball_clip import FRAMES, HEIGHT, WIDTH, write_ball_clip
from tests.pipeline.difference_key import KeyCoarse, KeyMatte

ROOT = Path(__file__).parents[2]


class KeyPredictor:
    """Stands in for a network: alpha is the difference key of whatever plate it is given."""

    metadata = SimpleNamespace(mixing="linear")
    find_people = None
    device = "cpu"

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None) -> KeyMatte:
        alpha = difference_key(source, plate, coverage)[None, None]
        quarter = alpha[:, :, ::4, ::4]
        foreground = np.moveaxis(source, -1, 0)[None] / np.float32(255)
        return KeyMatte(alpha, foreground, KeyCoarse(quarter, 0 * quarter), 0 * quarter)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> TrueClip:
    return write_ball_clip(tmp_path_factory.mktemp("clips") / "ball")


@pytest.fixture(scope="module")
def report(clip: TrueClip) -> ClipReport:
    return score_clip(clip, KeyPredictor(), edges="network", window=0)


def test_truth_is_read_in_full_depth(clip: TrueClip) -> None:
    alpha = clip.alpha(0)
    assert (alpha.shape, alpha.dtype, alpha.max()) == ((HEIGHT, WIDTH), np.float32, 1)
    assert len(np.unique(alpha)) > 256
    assert clip.clean(0).shape == (HEIGHT, WIDTH, 3)


def test_the_key_as_network_scores_as_the_key(report: ClipReport) -> None:
    assert report.frames == FRAMES
    assert report.scores["film"] == report.scores["key"]
    assert report.scores["clean"]["mad"] <= report.scores["film"]["mad"]
    assert report.scores["clean"]["person_dropouts"] == 0


def test_the_plate_is_judged_over_the_true_background(report: ClipReport) -> None:
    assert report.plate.statuses == {"good": FRAMES}
    assert report.plate.residual < 4
    assert report.plate.uncovered < 0.2


def test_frames_are_chosen_by_number_and_progress_is_told(clip: TrueClip) -> None:
    told: list[FrameDone] = []
    part = score_clip(clip, KeyPredictor(), frames="2-3", progress=told.append, edges="network")
    assert part.frames == 2
    assert [(event.number, event.done, event.total) for event in told] == [(2, 1, 2), (3, 2, 2)]


def test_frames_are_scored_with_their_neighbours(clip: TrueClip) -> None:
    whole, alone = ([], [])
    score_clip(clip, KeyPredictor(), edges="network", on_frame=whole.append)
    score_clip(clip, KeyPredictor(), frames="2", edges="network", on_frame=alone.append)
    ((index, _, _, alphas),) = alone
    assert index == 1
    without = KeyPredictor()(whole[1].source, clip.clean(1), None).alpha[0, 0]
    assert not np.array_equal(alphas["clean"], without)
    for method in METHODS:
        np.testing.assert_array_equal(alphas[method], whole[1].alphas[method])


def test_an_unaligned_plate_is_worse_than_an_aligned_one(report: ClipReport) -> None:
    assert report.scores["unaligned"]["mad"] > 2 * report.scores["film"]["mad"]


def test_json_can_be_read_back_and_unknown_scores_are_null() -> None:
    read = json.loads(to_json(clips={"here": {"mad": 1.5, "dtssd_n": math.nan}}))
    assert read == {"clips": {"here": {"mad": 1.5, "dtssd_n": None}}}


def test_the_table_has_every_clip_on_every_road_and_their_mean(report: ClipReport) -> None:
    twice = replace(report, scores={name: {n: 3 * v for n, v in each.items()} for name, each in report.scores.items()})
    lines = clips_table({"once": report, "thrice": twice}).splitlines()
    assert len(lines) == 2 + 3 * len(METHODS)
    assert len({line.count("|") for line in lines}) == 1
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    mads = {(row[1], row[2]): float(row[3]) for row in cells[2:]}
    for about in METHODS.values():
        assert mads[about, "mean"] == pytest.approx(2 * mads[about, "once"], rel=0.01, abs=0.02)


def test_plates_are_told_of_clip_by_clip(report: ClipReport) -> None:
    table = plates_table({"here": report})
    assert "here" in table
    assert f"{FRAMES} good" in table


def test_clips_are_found_in_a_folder_or_in_the_folders_in_it(clip: TrueClip) -> None:
    assert find_clips(clip.folder) == [TrueClip(clip.folder.resolve())]
    assert clip in find_clips(clip.folder.parent)


def test_a_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shot\.mp4 does not exist; a clip to score is laid out like data/sample"):
        TrueClip(tmp_path)


def test_unreadable_truth_is_named(clip: TrueClip) -> None:
    with pytest.raises(InputError, match=r"0099\.png cannot be read"):
        clip.alpha(99)


@pytest.mark.parametrize(
    ("arguments", "trouble"),
    [
        (["clips=nowhere"], "nowhere does not exist; give a folder laid out like data/sample, or a folder of such"),
        (["clips=nowhere", "quality=great"], "quality=great is not known; choose fast, standard or best"),
    ],
)
def test_the_command_says_trouble_in_one_line(arguments: list[str], trouble: str) -> None:
    command = [sys.executable, "-m", "howard.evaluation.benchmark", *arguments]
    done = subprocess.run(command, cwd=ROOT / "src", capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == f"error: {trouble}\n"


@pytest.mark.slow
def test_the_command_prints_and_writes_what_the_shipped_weights_score(clip: TrueClip, tmp_path: Path) -> None:
    scores = tmp_path / "scores.json"
    options = [f"clips={clip.folder}", "frames=1-2", f"json={scores}"]
    command = [sys.executable, "-m", "howard.evaluation.benchmark", *options]
    done = subprocess.run(command, cwd=ROOT / "src", capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    [roads] = [each["roads"] for each in json.loads(scores.read_text())["clips"].values()]
    assert f"{roads['film']['mad']:.2f}" in done.stdout
