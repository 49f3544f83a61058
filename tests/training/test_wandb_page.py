"""``docs/wandb.md``: the dashboard is the one that is made, and its examples run; its keys are in test_loggers.py.

Slow: the examples are sweeps.
"""

import contextlib
import io
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from howard.training.compare import __main__ as compare
from howard.training.offline_wandb import find_offline_runs, read_offline_run
from howard.training.workspace.dashboard import DASHBOARD
from tests.training.runs import ROOT, command, small_data

PAGE = (ROOT / "docs" / "wandb.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
# A sweep's jobs without what takes them long: the suite, the measurement of bfloat16,
# and hair, for which the person prior is run on every person.
FAST = (
    "suite=null",
    "trainer.precision=32-true",
    "logger=wandb",
    "trainer.max_steps=1",
    "data.recipe=paper",
)


def section(title: str) -> str:
    return PAGE.split(f"\n### {title}\n")[1].split("\n## ")[0].split("\n### ")[0]


def example(name: str) -> str:
    """The code block behind the comment ``<!-- test: NAME -->``."""
    found = re.search(rf"<!-- test: {name} -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_page_describes_the_dashboard_panel_by_panel() -> None:
    for spec in DASHBOARD:
        rows = [(title, re.findall(r"`([^`]+)`", keys)) for title, keys in ROW.findall(section(spec.title))]
        described = [(title, tuple(keys)) for title, keys in rows if keys]
        assert described == [(panel.title, panel.keys) for panel in spec.panels]


@pytest.fixture
def no_package_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B reads the metadata of every installed package for each run, a quarter of the time of one that is tiny."""
    monkeypatch.setenv("WANDB_X_SAVE_REQUIREMENTS", "false")


def sweep(folder: Path, data_root: Path, line: str, more: Sequence[str]) -> None:
    """Run a ``python train.py`` line of the page in a folder, made small."""
    program, script, *arguments = shlex.split(line)
    assert (program, script) == ("python", "train.py")
    small = [each for each in small_data(data_root) if each != "logger=csv"]
    done = command(*arguments, *small, *FAST, *more, folder=folder, timeout=1800)
    assert done.returncode == 0, done.stderr


def compared(folder: Path, line: str) -> str:
    """What a ``python -m howard.training.compare`` line prints, with its patterns as a shell expands them."""
    program, option, module, *arguments = shlex.split(line)
    assert (program, option, module) == ("python", "-m", "howard.training.compare")
    expanded = [
        path for argument in arguments for path in (map(str, sorted(folder.glob(argument))) if "*" in argument else [])
    ]
    settings = [argument.replace("output=", f"output={folder}/") for argument in arguments if "=" in argument]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        compare.main([*expanded, *settings])
    return printed.getvalue()


@pytest.mark.slow
@pytest.mark.usefixtures("no_package_list")
def test_the_sweep_is_compared_and_read_back(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two schedules with two seeds: the page's commands, and its Python on what they leave."""
    train, compare_line = example("sweep").splitlines()
    sweep(tmp_path, data_root, train, ["callbacks=tracking"])
    folders = find_offline_runs(tmp_path / "runs")
    assert len(folders) == 4
    printed = compared(tmp_path, compare_line)
    assert [line.count(" ± ") for line in printed.splitlines() if "optimiser.schedule=" in line] == [6, 6]
    assert (tmp_path / "schedules.html").is_file()
    monkeypatch.chdir(tmp_path)
    exec(example("read"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * 4
    told = {tuple(line.split()[1:4]) for line in lines[::2]}
    assert told == {("schedules", seed, schedule) for seed in "01" for schedule in ("constant", "cosine")}
    assert all("('smoke-weights', 'model')" in line and "'dataset'" in line for line in lines[1::2])


@pytest.mark.slow
@pytest.mark.usefixtures("no_package_list")
def test_thirty_runs_are_one_table(data_root: Path, tmp_path: Path) -> None:
    """Fifteen seeds of each schedule in one process; the networks are the smallest there are."""
    train = "python train.py -m experiment=smoke optimiser.schedule=constant,cosine"
    tiny = ["model.aspp_channels=8", "model.decoder_widths=[8,8,8]", "data.validation_samples=1"]
    seeds = f"seed={','.join(map(str, range(15)))}"
    sweep(tmp_path, data_root, train, ["callbacks=none", *tiny, seeds])
    runs = sorted((tmp_path / "runs" / "smoke").iterdir())
    assert len(runs) == 30
    folders = find_offline_runs(tmp_path / "runs")
    assert len({folder.name.partition("smoke-")[2] for folder in folders}) == 30
    assert all(read_offline_run(folder).curve("val/mad") for folder in folders)
    lines = compared(tmp_path, "python -m howard.training.compare runs/smoke/* output=all.html").splitlines()
    rows = [line for line in lines if any(run.name in line for run in runs)]
    assert len(rows) == 30
    spread = [line for line in lines if "optimiser.schedule=" in line and "│   15 │" in line]
    assert [line.count(" ± ") for line in spread] == [6, 6]
