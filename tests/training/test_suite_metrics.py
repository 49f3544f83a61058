"""A run's exported weights on the validation suite: logged, kept, and shown beside other runs."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from howard.cli import hydra_arguments
from howard.evaluation.suite.results import read_results
from howard.matting import MattingNetwork, WeightsMetadata, save_weights
from howard.training import suite_metrics
from howard.training.compare import __main__ as compare
from howard.training.compare.comparison_page import all_metric_names, compare_page, suite_metric_names
from howard.training.compare.run_records import read_run
from howard.training.loggers import csv_logger
from howard.training.run_folders import EXPORTED
from howard.training.suite_metrics import log_suite
from tests.evaluation.suites import SAMPLE, small_recipe
from tests.training.runs import ROOT, composed

NETWORK = {"encoder": "efficientnet_lite0", "aspp_channels": 16, "decoder_widths": (16, 12, 8)}


def finished_run(folder: Path, seed: int) -> Path:
    """The folder of a run with weights and a figure, as train.py leaves it."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    network = MattingNetwork(**NETWORK, has_refiner=False)
    save_weights(folder / EXPORTED, network.state_dict(), WeightsMetadata(**NETWORK, has_refiner=False))
    (folder / "config.yaml").write_text(f"seed: {seed}\n")
    return folder


def trainer(run: Path) -> SimpleNamespace:
    """What is asked of Lightning's trainer."""
    root_device = SimpleNamespace(root_device=torch.device("cpu"))
    return SimpleNamespace(loggers=[csv_logger(run)], global_step=7, strategy=root_device)


@pytest.fixture
def small_suite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(suite_metrics, "load_recipe", small_recipe)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("small_suite")
def test_figures_are_logged_kept_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [finished_run(tmp_path / "x" / str(seed), seed) for seed in (1, 2)]
    for folder in folders:
        log_suite(folder, SAMPLE, trainer(folder), limit=1, stills_only=True, workers=0)
    runs = [read_run(folder) for folder in folders]
    results = read_results(folders[0] / "suite.json")
    assert set(results.rows) == set(small_recipe().phenomena)
    assert runs[0].curves["suite/low_light/mad"] == [(7, pytest.approx(results.values("low_light", "mad")[0]))]
    assert runs[0].last("suite/mean/mad") == pytest.approx(results.means()["mean"]["mad"])
    names = suite_metric_names(runs)
    assert names[:2] == ["suite/border_objects/mad", "suite/camouflage/mad"]
    assert names.index("suite/mean/mad") == len(small_recipe().phenomena)
    assert not any(name.startswith("suite/") for name in all_metric_names(runs))
    page = compare_page(runs)
    assert "Validation suite" in page
    assert "<svg" not in page
    capsys.readouterr()
    compare.main([*map(str, folders), f"output={tmp_path / 'page.html'}"])
    assert "suite/mean/lost" in capsys.readouterr().out


def test_where_the_data_is_not_one_line_says_so_and_nothing_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished_run(tmp_path / "x" / "1", 1)
    log_suite(run, SAMPLE, trainer(run), limit=1, stills_only=True, workers=0)
    said = capsys.readouterr().out
    assert said.startswith(f"validation suite skipped: there is no folder {SAMPLE / 'people_real'}")
    assert said.count("\n") == 1
    assert not (run / "suite.json").exists()
    assert not (run / "csv").exists()


def test_the_suite_can_be_switched_off_and_on() -> None:
    assert composed("smoke").suite == {"limit": 24, "stills_only": True}
    assert composed("smoke", "suite=null").suite is None
    assert hydra_arguments(["experiment=smoke", "suite=null"], "train", ROOT / "configs")
