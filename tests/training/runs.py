"""Experiments made small, and ``train.py`` as a command."""

import csv
import subprocess
import sys
import time
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

import howard.training.__main__  # registers the settings  # noqa: F401
from howard.errors import InputError
from howard.training.offline_wandb import read_offline_run

ROOT = Path(__file__).parents[2]


# The sample's collections, as images of 64 pixels.
SMALL_COLLECTIONS = (
    "data.people=[people]",
    "data.sampling_weights=[1]",
    "data.places=[places]",
    "data.prepared=[]",
    "data.size=64",
    "data.batch_size=2",
)


def small_data(root: Path) -> list[str]:
    """Overrides that keep an experiment's code and shrink what it eats."""
    return [
        f"data.root={root}",
        *SMALL_COLLECTIONS,
        "data.samples_per_epoch=8",
        "data.validation_samples=2",
        "data.workers=0",
        "trainer.accelerator=cpu",
        "trainer.log_every_n_steps=1",
        "trainer.enable_progress_bar=false",
        "encoder_weights=null",
        "logger=csv",
        "threads=1",
    ]


def composed(experiment: str, *overrides: str) -> DictConfig:
    """An experiment's whole config."""
    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        return compose("train", [f"experiment={experiment}", *overrides])


def logged_figures(run: Path, name: str) -> list[float]:
    """What the CSV logger of a run wrote of a figure, row by row."""
    with (run / "csv" / "version_0" / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]


def wait_until_written(offline_run: Path) -> None:
    """Wait for the process of wandb's that writes a finished run, and may not have begun."""
    deadline = time.monotonic() + 60
    while not (list(offline_run.glob("*.wandb")) and is_written(offline_run)):
        assert time.monotonic() < deadline, f"{offline_run} was not written"
        time.sleep(0.2)


def is_written(offline_run: Path) -> bool:
    try:
        return read_offline_run(offline_run).is_finished
    except InputError:  # not begun
        return False


def line(*arguments: str) -> list[str]:
    """``python train.py`` with these arguments."""
    return [sys.executable, str(ROOT / "train.py"), *arguments]


def command(*arguments: str, folder: Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run ``train.py`` in a folder and wait for it, at most ``timeout`` seconds."""
    return subprocess.run(line(*arguments), cwd=folder, capture_output=True, text=True, timeout=timeout)
