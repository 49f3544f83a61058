"""Fractions of time: waiting for data in training, and computing scores in validation."""

import logging
import time
import warnings
from typing import Any, NamedTuple

import torch
from lightning import Callback, LightningModule, Trainer

from howard.cli import config_folder
from howard.cli.composing import compose_config, hydra_ready
from howard.evaluation.scores import MatteScores
from howard.training.assembly import build
from howard.training.devices import fit_to_device, resolve_precision
from howard.training.fitting import build_parts
from howard.training.monitors import Throughput


class TimeFractions(NamedTuple):
    """Fractions in [0, 1], and samples a second of training."""

    data_wait: float
    scoring: float
    samples_per_second: float


class _ValidationClock(Callback):
    """Measures seconds of validation epochs, and of the scores in them."""

    def __init__(self, scores: MatteScores) -> None:
        self.epoch = self.scoring = self._began = 0.0
        for name in ("update", "compute"):
            setattr(scores, name, self._timed(getattr(scores, name)))

    def _timed(self, function: Any) -> Any:
        def timed(*arguments: Any) -> Any:
            began = _now()
            result = function(*arguments)
            self.scoring += _now() - began
            return result

        return timed

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._began = _now()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.epoch += _now() - self._began


def measure_fractions(experiment: str, steps: int, overrides: list[str]) -> TimeFractions:
    """Train ``steps`` steps of an experiment to warm up and as many again, validate once, and write nothing."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    with hydra_ready(config_folder()):
        config = compose_config("train", [f"experiment={experiment}", "logger=csv", *overrides])
    fit_to_device(config)
    _, module, data = build_parts(config)
    clock = _ValidationClock(module.scores)
    trainer = build(
        config.trainer,
        max_steps=2 * steps,
        precision=resolve_precision(config.trainer.precision, config.trainer.accelerator),
        callbacks=[clock, Throughput()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=steps,
    )
    trainer.fit(module, datamodule=data)
    figures = dict(trainer.callback_metrics)
    trainer.validate(module, datamodule=data, verbose=False)
    data_wait, samples_per_second = (
        float(figures[f"train/{name}"]) for name in ("data_wait_share", "samples_per_second")
    )
    return TimeFractions(data_wait, clock.scoring / clock.epoch, samples_per_second)


def _now() -> float:
    """Wall time after all queued work of the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
