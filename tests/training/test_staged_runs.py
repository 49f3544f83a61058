"""Stages share the time of the whole, and are told apart from runs of their own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.errors import InputError
from howard.training import run_folders
from howard.training.staged_runs import planned_minutes, stage_minutes
from tests.training.test_resume import make_run

SHARES = st.lists(st.floats(0.1, 10), min_size=1, max_size=4)


@given(st.floats(0.1, 1000), SHARES)
def test_stages_that_keep_to_their_time_take_all_of_it(total: float, shares: list[float]) -> None:
    spent = 0.0
    for index in range(len(shares)):
        assert planned_minutes(total, shares, index) == pytest.approx(spent, abs=1e-6)
        spent += stage_minutes(total, shares, index, spent)
    assert spent == pytest.approx(total)


def test_what_a_stage_takes_too_long_the_later_ones_lack() -> None:
    assert stage_minutes(9, [1, 1, 1], 1, 5) == 2
    assert stage_minutes(9, [1, 3], 1, 10) == 0


def test_a_run_of_stages_is_found_by_the_checkpoint_of_a_stage(tmp_path: Path) -> None:
    run = make_run(tmp_path / "flagship" / "today", run_folders.SETTINGS, run_folders.STAGES)
    stage = run_folders.stage_folder(run, 0, "flagship_coarse")
    assert run_folders.newest_unfinished(tmp_path) is None
    make_run(stage, run_folders.SETTINGS, str(run_folders.CHECKPOINT))
    assert run_folders.newest_unfinished(tmp_path) == run_folders.newest_unfinished(tmp_path, "flagship") == run
    assert run_folders.newest_unfinished(tmp_path, "flagship_coarse") is None
    make_run(stage, run_folders.EXPORTED)
    assert run_folders.newest_unfinished(tmp_path) == run, "its second stage is still to come"
    assert run_folders.check_resumable(run) == run
    make_run(run, run_folders.EXPORTED)
    assert run_folders.newest_unfinished(tmp_path) is None
    with pytest.raises(InputError, match="all of its stages are finished"):
        run_folders.check_resumable(run)


def test_a_stage_is_labelled_with_its_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "flagship" / "today", run_folders.STAGES)
    assert run_folders.run_label(run_folders.stage_folder(run, 1, "joint")) == "today_2_joint"
    assert run_folders.run_label(run) == "today"
