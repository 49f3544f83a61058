"""Experiments made small, and ``train.py`` as a command."""

import subprocess
import sys
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

import howard.training.__main__  # registers the settings  # noqa: F401

ROOT = Path(__file__).parents[2]


def small_data(root: Path) -> list[str]:
    """Overrides that keep an experiment's code and shrink what it eats."""
    return [
        f"data.root={root}",
        "data.people=[people]",
        "data.shares=[1]",
        "data.places=[places]",
        "data.prepared=[]",
        "data.size=64",
        "data.batch_size=2",
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


def line(*arguments: str) -> list[str]:
    """``python train.py`` with these arguments."""
    return [sys.executable, str(ROOT / "train.py"), *arguments]


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``train.py`` in a folder and wait for it."""
    return subprocess.run(line(*arguments), cwd=folder, capture_output=True, text=True, timeout=600)
