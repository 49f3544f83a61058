"""Sweeps side by side: a row for each run, and mean and spread over the seeds."""

import statistics
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from howard.training.compare import __main__ as command
from howard.training.compare.comparison_page import compare_page, shared_metric_names
from howard.training.compare.run_records import RunRecord, read_run
from howard.training.compare.summary_tables import run_rows, seed_groups, spread_rows
from tests.training.test_compare import write_figures

MADS = {("constant", 0): 10.0, ("constant", 1): 14.0, ("cosine", 0): 6.0, ("cosine", 1): 8.0}


def record(seed: int, schedule: str, mad: float) -> RunRecord:
    stored = {"seed": str(seed), "optimiser.schedule": schedule, "tags": f"[{seed}]", "logger.wandb.group": "x"}
    return RunRecord(f"x/{schedule}{seed}", stored, {"val/mad": [(1, mad)]}, "abc", True, None, None)


def write_run(folder: Path, seed: int, schedule: str, mad: float) -> Path:
    rows = [{"epoch": 0, "step": 4, "val/mad": mad, "train/samples_per_second": mad, "bench/mean/mad": mad / 2}]
    write_figures(folder / "csv" / "version_0", rows)
    stored = {"seed": seed, "data": {"seed": "${seed}"}, "optimiser": {"schedule": schedule}, "runs": str(folder)}
    (folder / "config.yaml").write_text(yaml.safe_dump(stored))
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> list[Path]:
    return [
        write_run(tmp_path / "x" / f"{schedule}{seed}", seed, schedule, mad) for (schedule, seed), mad in MADS.items()
    ]


def test_runs_are_grouped_by_all_settings_but_seed_and_remarks(sweep: list[Path]) -> None:
    groups = seed_groups([read_run(run) for run in sweep])
    assert [group.label for group in groups] == ["optimiser.schedule=constant", "optimiser.schedule=cosine"]
    assert [len(group.runs) for group in groups] == [2, 2]


def test_mean_and_standard_deviation_over_seeds(sweep: list[Path]) -> None:
    table = spread_rows([read_run(run) for run in sweep])
    assert table is not None
    assert table.headings == ["settings", "runs", "val/mad", "bench/mean/mad"]
    assert [row.cells for row in table.rows] == [
        ["optimiser.schedule=constant", "2", "12 ± 2.8", "6 ± 1.4"],
        ["optimiser.schedule=cosine", "2", "7 ± 1.4", "3.5 ± 0.71"],
    ]
    assert [row.is_best[2] for row in table.rows] == [False, True]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0.1, 1000), min_size=2, max_size=8))
def test_the_spread_is_that_of_the_runs(mads: list[float]) -> None:
    table = spread_rows([record(seed, "cosine", mad) for seed, mad in enumerate(mads)])
    assert table is not None
    [row] = table.rows
    mean, spread = (float(part) for part in row.cells[2].split(" ± "))
    assert mean == pytest.approx(statistics.fmean(mads), rel=1e-3)
    assert spread == pytest.approx(statistics.stdev(mads), rel=0.06, abs=1e-9)
    assert row.cells[:2] == ["all", str(len(mads))]


def test_without_repeated_settings_there_is_no_spread() -> None:
    assert spread_rows([record(0, "cosine", 1.0), record(0, "constant", 2.0)]) is None


def test_a_run_without_a_figure_has_a_dash() -> None:
    new = RunRecord("x/new", {"seed": "1"}, {"train/loss": [(0, 1.0)]}, "abc", False, None, None)
    rows = run_rows([record(0, "cosine", 1.0), new]).rows
    assert [row.cells[-1] for row in rows] == ["1", "-"]
    assert not any(any(row.is_best) for row in rows)


def test_many_runs_are_rows_and_the_page_has_the_same(
    tmp_path: Path, sweep: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    more = [write_run(tmp_path / "x" / f"cosine{seed}", seed, "cosine", 5.0 + seed) for seed in range(2, 6)]
    command.main([*map(str, [*sweep, *more]), f"output={tmp_path / 'page.html'}"])
    printed = capsys.readouterr().out
    assert "8 runs, last values" in printed
    assert all(sum(f"{run.name} " in line for line in printed.splitlines()) == 1 for run in [*sweep, *more])
    assert "optimiser.schedule=cosine" in printed
    page = (tmp_path / "page.html").read_text()
    assert "mean and standard deviation over seeds" in page
    assert "<td class=best>6</td>" in page


def test_smaller_is_not_better_for_speed(sweep: list[Path]) -> None:
    runs = [read_run(run) for run in sweep]
    assert shared_metric_names(runs) == ["val/mad"]
    assert "train/samples_per_second" in compare_page(runs)  # its curve is there all the same
