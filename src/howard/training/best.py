"""The weights of the best validation, kept as a weights file."""

import math
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer

from howard.errors import SettingsError
from howard.matting import WeightsMetadata, save_weights
from howard.training.averaging import exported_state
from howard.training.folders import BEST


class BestWeights(Callback):
    """Writes ``best.safetensors`` into the trainer's root folder whenever a validation is the best so far.

    Args:
        metadata: written into the file.
        monitor: the figure that is compared; lower is better.

    Raises:
        SettingsError: no validation logs the figure (at the first one).
    """

    def __init__(self, metadata: WeightsMetadata, monitor: str) -> None:
        self.metadata, self.monitor = metadata, monitor
        self.value = math.inf

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        figures = trainer.callback_metrics
        if self.monitor not in figures:
            logged = ", ".join(sorted(name for name in figures if name.startswith("val/")))
            raise SettingsError(f"callbacks.best.monitor={self.monitor} is not logged; choose one of {logged}")
        value = float(figures[self.monitor])
        if value < self.value:
            self.value = value
            if trainer.is_global_zero:
                path = Path(trainer.default_root_dir) / BEST
                save_weights(path, exported_state(trainer, pl_module), self.metadata)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.value = state_dict["value"]
