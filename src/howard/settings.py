"""Folders of data and runs, and the settings of the training data, as typed dataclasses.

Does not import torch, so that mistyped settings are reported at once.
"""

import os
from dataclasses import dataclass, field
from enum import StrEnum

from omegaconf import MISSING

DATA_DIR_VARIABLE, RUNS_DIR_VARIABLE = "HOWARD_DATA_DIR", "HOWARD_RUNS_DIR"
DEFAULT_DATA_DIR, DEFAULT_RUNS_DIR = "data", "runs"


@dataclass
class PathsNode:
    """Folders of data collections and of runs: environment variables, or by default in the working directory."""

    data_dir: str = f"${{oc.env:{DATA_DIR_VARIABLE},{DEFAULT_DATA_DIR}}}"
    runs_dir: str = f"${{oc.env:{RUNS_DIR_VARIABLE},{DEFAULT_RUNS_DIR}}}"


def data_dir() -> str:
    """The folder of collections for commands without Hydra: ``HOWARD_DATA_DIR``, else ``data``."""
    return os.environ.get(DATA_DIR_VARIABLE, DEFAULT_DATA_DIR)


def runs_dir() -> str:
    """The folder of runs for commands without Hydra: ``HOWARD_RUNS_DIR``, else ``runs``."""
    return os.environ.get(RUNS_DIR_VARIABLE, DEFAULT_RUNS_DIR)


# Repeated here so that the setting is checked without importing torch.
EpochName = StrEnum("EpochName", ["people", "frames"])


@dataclass
class DataNode:
    """People composited over places; see :class:`howard.data.datamodule.MattingDataModule`."""

    _target_: str = "howard.data.datamodule.MattingDataModule"
    root: str = MISSING
    pack: str | None = None
    pack_memory_gb: float = 8.0
    people: list[str] = field(default_factory=lambda: ["people_real", "people_rendered"])
    sampling_weights: list[float] | None = None
    places: list[str] = field(default_factory=lambda: ["backgrounds", "plate_pairs"])
    prepared: list[str] = field(default_factory=list)
    prepared_fraction: float = 0.25
    licences: list[str] = field(default_factory=lambda: ["open", "by_sa", "gpl", "stock"])
    recipe: str = "paper"
    mixing: str | None = None
    strength: list[float] | None = None
    strength_samples: int = 0
    size: int = 512
    frames: int = 1
    batch_size: int | None = 8
    samples_per_epoch: int | None = None
    validation_samples: int = 96
    workers: int | None = 2
    seed: int = 0
    hard_examples: bool = False
    epoch: EpochName = EpochName.people
    place_memory_gb: float = 4.0
    streaming: bool = False
