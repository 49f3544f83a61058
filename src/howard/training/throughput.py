"""How fast a run trains, and how much of its time it waits for data."""

import time
from typing import Any

from lightning import Callback, LightningModule, Trainer

from howard.data.datamodule import MattingDataModule
from howard.training.log_steps import is_logged


class Throughput(Callback):
    """Logs ``train/samples_per_second`` and ``train/data_wait_share`` every ``trainer.log_every_n_steps`` steps.

    Samples are those of all processes together. The share is of the time between the end of a step and the arrival of
    the next batch from the workers; what is done to a batch on the device counts as training. Validation counts as
    neither.
    """

    def __init__(self) -> None:
        self._window_began = self._step_ended = 0.0
        self._samples = 0
        self._waited = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin_window(time.perf_counter())

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, MattingDataModule)
        self._waited += max(0.0, data.batch_arrived - self._step_ended)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._step_ended = time.perf_counter()
        self._samples += len(batch["source"]) * trainer.world_size
        if is_logged(trainer, batch_idx):
            seconds = self._step_ended - self._window_began
            figures = {"samples_per_second": self._samples / seconds, "data_wait_share": self._waited / seconds}
            pl_module.log_dict({f"train/{name}": value for name, value in figures.items()})
            self._begin_window(self._step_ended)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        now = time.perf_counter()
        self._window_began += now - self._step_ended
        self._step_ended = now

    def _begin_window(self, now: float) -> None:
        self._window_began = self._step_ended = now
        self._samples, self._waited = 0, 0.0
