"""The callbacks and loggers of a run, all writing into its folder."""

from pathlib import Path
from typing import Any

from lightning import Callback
from lightning.pytorch.callbacks import EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, Logger, WandbLogger

from howard.training.panels import ValidationPanel


def build_callbacks(run: Path, ema: float | None, checkpoint_steps: int) -> list[Callback]:
    """Checkpoints (``checkpoints/last.ckpt``), learning rates, panels, and the running mean of the weights.

    Args:
        run: the run's folder.
        ema: decay of the running mean, which validation and export then use; None for none.
        checkpoint_steps: steps between checkpoints.
    """
    callbacks: list[Callback] = [
        ModelCheckpoint(run / "checkpoints", filename="{step}", save_last=True, every_n_train_steps=checkpoint_steps),
        LearningRateMonitor(logging_interval="step"),
        ValidationPanel(run / "panels"),
    ]
    return callbacks if ema is None else [EMAWeightAveraging(decay=ema), *callbacks]


def build_loggers(run: Path, group: str, wandb_mode: str, settings: Any) -> list[Logger]:
    """CSV always, W&B offline, online or disabled, with all runs of one experiment in one group.

    The CSV is ``csv/version_N/metrics.csv``, one N for every sitting, so that resuming loses nothing.

    Args:
        run: the run's folder.
        group: the experiment's name.
        wandb_mode: ``offline``, ``online`` or ``disabled``.
        settings: plain values of the whole config, stored with the W&B run.
    """
    loggers: list[Logger] = [CSVLogger(run, name="csv")]
    if wandb_mode != "disabled":
        loggers.append(
            WandbLogger(
                project="howard",
                name=f"{group}/{run.name}",
                save_dir=run,
                offline=wandb_mode == "offline",
                group=group,
                job_type="train",
                config=settings,
            )
        )
    return loggers
