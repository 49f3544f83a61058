"""Training runs of a single step, as small as they get."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

CONFIGS = Path(__file__).parents[2] / "configs"
SMALLEST = {
    "experiment": "smoke",
    "init": "random",
    "encoder_weights": "null",
    "logger": "csv",
    "threads": 1,
    "data.sampling_weights": "[1]",
    "data.size": 64,
    "data.batch_size": 2,
    "data.samples_per_epoch": 4,
    "data.validation_samples": 2,
    "trainer.accelerator": "cpu",
    "trainer.fast_dev_run": "true",
}


@pytest.fixture(scope="session")
def configured() -> Callable[..., DictConfig]:
    """Composes ``experiment=smoke`` for a folder of people and a folder of places."""

    def build(people: Path, places: Path, workers: int = 0) -> DictConfig:
        # Either may be anywhere: an absolute name below the root is itself.
        data = {"data.root": people.parent, "data.people": f"['{people}']", "data.places": f"['{places}']"}
        overrides = SMALLEST | data | {"data.workers": workers}
        with initialize_config_dir(str(CONFIGS), version_base=None):
            return compose("train", [f"{key}={value}" for key, value in overrides.items()])

    return build
