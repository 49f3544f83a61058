"""Every experiment file composes and runs; a run exports its weights, stops and goes on."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

import train as entry
from howard.errors import InputError
from howard.matting import load_matting

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted(file.stem for file in (ROOT / "configs" / "experiment").glob("*.yaml"))


def small_data(root: Path) -> list[str]:
    """Overrides that keep an experiment's code and shrink what it eats."""
    return [
        f"data.root={root}",
        "data.people=[people]",
        "data.shares=[1]",
        "data.places=[places]",
        "data.size=64",
        "data.batch_size=2",
        "data.samples_per_epoch=8",
        "data.validation_samples=2",
        "data.workers=0",
        "trainer.accelerator=cpu",
        "wandb=disabled",
        "threads=1",
    ]


def composed(experiment: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        return compose("train", [f"experiment={experiment}", *overrides])


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_runs_a_step(experiment: str, data_root: Path, tmp_path: Path) -> None:
    config = composed(
        experiment, *small_data(data_root), "init=random", "trainer.fast_dev_run=true", "trainer.precision=bf16-mixed"
    )
    if config.model.crop:
        config.model.crop = [64, 96]
    assert config.name == experiment
    assert entry.train(config, tmp_path / "run") > 0


def test_every_experiment_is_listed() -> None:
    page = entry.list_experiments()
    assert EXPERIMENTS
    for experiment in EXPERIMENTS:
        assert f"experiment={experiment}" in page


def test_a_run_leaves_figures_pictures_and_weights(data_root: Path, tmp_path: Path) -> None:
    config = composed("smoke", *small_data(data_root), "trainer.max_steps=8", "trainer.log_every_n_steps=1")
    config.encoder_weights = None
    run = tmp_path / "run"
    entry.train(config, run)
    with (run / "csv" / "version_0" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(row["train/loss"] != "" for row in rows) == 8
    assert sum(row["val/mad"] != "" for row in rows) >= 2
    assert sorted(path.name for path in (run / "panels").iterdir()) == [f"panel_000000{step}.png" for step in (0, 4, 8)]
    metadata = load_matting(run / "weights.safetensors", device="cpu").metadata
    assert (metadata.name, metadata.mixing, metadata.extra_inputs) == ("smoke", "linear", ("coverage",))


def test_a_joint_stage_finds_the_coarse_run_it_fits(data_root: Path, tmp_path: Path) -> None:
    runs = [f"runs={tmp_path}", "trainer.max_steps=2", "encoder_weights=null", *small_data(data_root)]
    refine = composed("refine_lite", *runs)
    with pytest.raises(InputError, match="no finished coarse run with encoder efficientnet_lite0"):
        entry.train(refine, tmp_path / "refine_lite" / "0")
    entry.train(composed("coarse_lite", *runs), tmp_path / "coarse_lite" / "2026-01-01")
    entry.train(refine, tmp_path / "refine_lite" / "1")
    assert load_matting(tmp_path / "refine_lite" / "1" / "weights.safetensors", device="cpu").metadata.has_refiner
    with pytest.raises(InputError, match="no finished coarse run with encoder resnet50"):
        entry.train(composed("refine", *runs), tmp_path / "refine" / "0")
    with pytest.raises(InputError, match="init=nowhere"):
        entry.train(composed("refine_lite", *runs, "init=nowhere"), tmp_path / "refine_lite" / "2")


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)


def test_bad_settings_are_one_line(tmp_path: Path) -> None:
    for arguments, message in (
        (["experiment=coars"], "did you mean 'coarse'?"),
        (["experiment=smoke", "trainer.max_stps=3"], "did you mean 'trainer.max_steps'?"),
        (["experiment=smoke", "trainer.max_steps=many"], "trainer.max_steps=many is not a whole number"),
        (["experiment=smoke", "data.root=nowhere"], "no data folder nowhere"),
        (["resume=nowhere"], "resume=nowhere: config.yaml is not there"),
        (["resume=nowhere", "seed=1"], "leave out all others"),
    ):
        result = command(*arguments, folder=tmp_path)
        assert result.returncode == 2
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_asked_lists_the_experiments(tmp_path: Path) -> None:
    result = command(folder=tmp_path)
    assert result.returncode == 0
    assert "experiment=coarse_lite" in result.stdout


@pytest.mark.slow
def test_an_interrupted_run_goes_on(data_root: Path, tmp_path: Path) -> None:
    overrides = [
        *small_data(data_root),
        "encoder_weights=null",
        "trainer.max_steps=400",
        "checkpoint_steps=5",
        f"runs={tmp_path}",
    ]
    line = [sys.executable, str(ROOT / "train.py"), "experiment=smoke", *overrides]
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 240
        while not list(tmp_path.glob("smoke/*/checkpoints/last.ckpt")) and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 130
    [run] = (tmp_path / "smoke").iterdir()
    assert not (run / "weights.safetensors").exists()
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("max_steps: 400", "max_steps: 40"))
    result = command(f"resume={run}", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    with (run / "csv" / "version_1" / "metrics.csv").open() as file:
        first = next(int(row["step"]) for row in csv.DictReader(file))
    assert first >= 5, "it started over"
    assert load_matting(run / "weights.safetensors", device="cpu").metadata.name == "smoke"
    assert os.listdir(tmp_path) == ["smoke"]
