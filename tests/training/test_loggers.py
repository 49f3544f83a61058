"""What W&B gets of a run, read back from the folder that ``wandb sync`` would send; no network."""

import json
from pathlib import Path
from typing import Any

import pytest
import wandb

import howard.training.__main__ as entry
from howard.evaluation.suite.results import STILL_METRICS
from howard.matting import load_network
from howard.training.bench_clips import METRICS, TABLE
from howard.training.monitors import MEMORY, PEAK_MEMORY, UTILISATION
from howard.training.offline_wandb import OfflineRun, find_offline_runs, read_offline_run
from howard.training.workspace.dashboard import dashboard_keys
from tests.training.runs import composed, logged_figures, small_data, wait_until_written

STEPS = 6


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory, data_root: Path) -> Path:
    """A short run, its checkpoint included."""
    run = tmp_path_factory.mktemp("runs") / "smoke" / "today"
    overrides = [*small_data(data_root), f"trainer.max_steps={STEPS}", "logger=wandb", "callbacks.panel.rows=2"]
    kept = ["callbacks.checkpoints.every_n_steps=3", "tags=[first,small]", "notes=a short one", "suite=null"]
    entry.train(composed("smoke", *overrides, *kept), run)
    assert wandb.run is None  # the next job of a sweep begins a run of its own
    return run


@pytest.fixture(scope="module")
def folder(run_folder: Path) -> Path:
    """The W&B folder of the run, once another process of wandb's has written it."""
    [found] = find_offline_runs(run_folder)
    wait_until_written(found)
    return found


@pytest.fixture(scope="module")
def logged(folder: Path) -> OfflineRun:
    return read_offline_run(folder)


@pytest.fixture(scope="module")
def history(logged: OfflineRun) -> list[dict[str, Any]]:
    return logged.history


def test_the_run_says_what_it_is(logged: OfflineRun) -> None:
    assert (logged.project, logged.group, logged.job_type) == ("howard", "smoke", "train")
    assert logged.name == "smoke/today"
    assert (logged.tags, logged.notes) == (["first", "small"], "a short one")
    assert logged.config["model"]["encoder"] == "efficientnet_lite0"
    assert logged.config["revision"]


def test_curves_are_there(history: list[dict[str, Any]]) -> None:
    losses = [row["train/loss"] for row in history if "train/loss" in row]
    assert len(losses) == STEPS
    assert [row["trainer/global_step"] for row in history if "train/loss" in row] == list(range(STEPS))
    scores = [row for row in history if "val/mad" in row]
    assert scores
    assert {"val/mad", "val/grad", "val/conn", "val/foreground_mad", "val/loss"} <= scores[0].keys()


def test_pictures_are_there_from_step_0_on(history: list[dict[str, Any]], folder: Path) -> None:
    panels = [name for row in history for name in row.get("panel/filenames", [])]
    assert len(panels) >= 3
    assert "panel_0_" in panels[0]
    assert all((folder / "files" / name).stat().st_size > 0 for name in panels)


def test_the_table_has_a_row_of_pictures_and_scores_for_each_sample(
    history: list[dict[str, Any]], folder: Path
) -> None:
    tables = {row["samples/path"] for row in history if "samples/path" in row}
    assert len(tables) == 1
    read = json.loads((folder / "files" / tables.pop()).read_text())
    assert read["columns"] == [
        "sample",
        "source",
        "plate",
        "true alpha",
        "alpha",
        "foreground",
        "composite",
        "mad",
        "grad",
    ]
    assert len(read["data"]) == 2
    assert all(row[-2] > 0 for row in read["data"])


def test_the_tables_pictures_wait_in_the_run_folder(logged: OfflineRun, folder: Path) -> None:
    [table] = [each for each in logged.artifacts if each.kind == "run_table"]
    pictures = [path for name, path in table.files.items() if name.startswith("media/images")]
    assert len(pictures) == 2 * 6
    assert all(path.is_relative_to(folder.parent) and path.stat().st_size > 0 for path in pictures)


def test_the_optimiser_and_the_loader_are_tracked(logged: OfflineRun, run_folder: Path) -> None:
    rates = [name for name in ("encoder", "aspp", "decoder", "refiner") if logged.curve(f"lr-Adam/{name}")]
    assert len(rates) == 4
    expected = {"encoder": 2.0e-4, "refiner": 1.0e-3}
    assert all(logged.curve(f"lr-Adam/{name}")[0] == (0, pytest.approx(rate)) for name, rate in expected.items())
    for key in ("gradient/norm", "ema/decay", "train/error_map_share", "train/data_wait_share"):
        steps, values = zip(*logged.curve(key), strict=True)
        assert list(steps) == list(range(STEPS))
        assert all(value >= 0 for value in values)
        assert logged_figures(run_folder, key) == pytest.approx(list(values), rel=1e-6)
    assert all(value == pytest.approx(0.9) for _, value in logged.curve("ema/decay"))
    assert not any(key.startswith("device/") for row in logged.history for key in row)


def test_weights_data_and_settings_are_artifacts(logged: OfflineRun, run_folder: Path) -> None:
    found = {each.name: each for each in logged.artifacts}
    model, data, config = (found[name] for name in ("smoke-weights", "howard-data", "smoke-config"))
    assert (model.kind, data.kind, config.kind) == ("model", "dataset", "config")
    assert sorted(model.files) == ["model_card.md", "weights.safetensors"]
    for artifact in (model, data, config):
        for name, path in artifact.files.items():
            assert path.read_bytes() == (run_folder / name).read_bytes()
            assert path.is_relative_to(run_folder)
    assert model.metadata["checkpoints"] == {"last checkpoint": "checkpoints/last.ckpt"}
    assert model.metadata["scores"]["val/mad"] == pytest.approx(logged.curve("val/mad")[-1][1], rel=1e-4)
    assert model.metadata["revision"] == logged.config["revision"]
    assert model.metadata["dirty"] == logged.config["revision"].endswith("-dirty")
    assert (
        model.metadata["data_version"]
        == data.metadata["digest"]
        == json.loads((run_folder / "data_version.json").read_text())["digest"]
    )


def test_the_model_card_says_what_the_weights_are(run_folder: Path) -> None:
    card = (run_folder / "model_card.md").read_text()
    assert card.startswith("# smoke\n")
    for expected in ("encoder efficientnet_lite0, refiner", "| people ", "| val/mad ", f"{STEPS} steps of 2 samples"):
        assert expected in card
    weights = load_network(run_folder / "weights.safetensors")[0]
    parameters = sum(each.numel() for each in weights.parameters())
    assert f"{parameters / 1e6:.1f} M parameters" in card


def test_every_key_of_the_dashboard_is_logged_by_a_smoke_run_or_by_its_callback(history: list[dict[str, Any]]) -> None:
    logged = {key.removesuffix("/_type") for row in history for key in row}
    # Logged by callbacks that have no use in a smoke run on a CPU, in tests of their own.
    suites = {f"{prefix}/PHENOMENON/{metric}" for prefix in ("suite", "suite_curves") for metric in STILL_METRICS}
    bench = {TABLE, *(f"bench/mean/{metric}" for metric in METRICS)}
    device = {MEMORY, PEAK_MEMORY, UTILISATION}
    lacking = {"lr-Adam/person", "lr-Adam/segmentation"}  # parts of other networks
    assert set(dashboard_keys()) - logged <= suites | bench | device | lacking
    assert len(logged & set(dashboard_keys())) >= 20
