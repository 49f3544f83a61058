"""Where a run's figures go: CSV always, W&B if asked for."""

from pathlib import Path
from typing import Any, Literal

from lightning.pytorch.loggers import CSVLogger, Logger, WandbLogger

from howard.training.folders import label


def csv_loggers(run: Path, experiment: str, settings: dict[str, Any]) -> list[Logger]:
    """``csv/version_N/metrics.csv`` in the run's folder, one N for every sitting, so that resuming loses nothing.

    Args:
        run: the run's folder.
        experiment: its experiment's name.
        settings: plain values of the whole config.
    """
    return [CSVLogger(run, name="csv", flush_logs_every_n_steps=1)]  # what is not written is lost with the process


def wandb_loggers(
    run: Path,
    experiment: str,
    settings: dict[str, Any],
    *,
    mode: Literal["offline", "online"] = "offline",
    project: str = "howard",
    entity: str | None = None,
) -> list[Logger]:
    """The same, and a W&B run in the run's folder: all runs of one experiment are one group.

    A run that is resumed keeps its name and id, so W&B joins its sessions.

    Args:
        run: as there.
        experiment: as there.
        settings: stored with the W&B run.
        mode: ``offline`` keeps everything in the folder until ``wandb sync``.
        project: in W&B.
        entity: user or team in W&B; None is whoever is logged in.
    """
    logger = WandbLogger(
        project=project,
        entity=entity,
        name=f"{experiment}/{label(run)}",
        id=f"{experiment}-{label(run)}",
        resume="allow",
        save_dir=run,
        offline=mode == "offline",
        group=experiment,
        job_type="train",
        config=settings,
    )
    return [*csv_loggers(run, experiment, settings), logger]
