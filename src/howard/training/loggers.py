"""Loggers of a run's metrics: CSV always, W&B, TensorBoard and MLflow by setting."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch.loggers import CSVLogger, MLFlowLogger, TensorBoardLogger, WandbLogger

from howard.requirements import require
from howard.training.run_folders import run_label


@dataclass(frozen=True)
class LoggedRun:
    """Description of a run for its loggers.

    Attributes:
        folder: the run folder.
        experiment: name of its experiment.
        job_type: ``train`` or ``test``.
        settings: plain values of the whole config.
        tags: of the run.
        notes: a remark, or None.
    """

    folder: Path
    experiment: str
    job_type: str
    settings: dict[str, Any]
    tags: tuple[str, ...] = ()
    notes: str | None = None

    @property
    def name(self) -> str:
        """Experiment and run folder, unique within the folder of all runs."""
        return f"{self.experiment}/{run_label(self.folder)}"


def csv_logger(folder: Path) -> CSVLogger:
    """Writes ``csv/version_N/metrics.csv`` in the run folder, with a new N for every session of a resumed run."""
    return CSVLogger(folder, name="csv", flush_logs_every_n_steps=1)  # a killed process loses no rows


def wandb_logger(
    run: LoggedRun,
    *,
    mode: Literal["offline", "online"] = "offline",
    project: str = "howard",
    entity: str | None = None,
    group: str | None = None,
    job_type: str | None = None,
) -> WandbLogger:
    """A W&B run, stored in the run folder. A resumed run keeps its name and id, so that W&B joins its sessions.

    Args:
        run: the logged run.
        mode: ``offline`` stores everything in the folder until ``wandb sync``.
        project: in W&B.
        entity: user or team in W&B; None is that of the current login.
        group: of the run; None is the experiment's name.
        job_type: within the group; None is that of the run.

    Raises:
        MissingPackageError: wandb is not installed.
    """
    require("wandb", "logger=wandb")
    return WandbLogger(
        project=project,
        entity=entity,
        name=run.name,
        id=run.name.replace("/", "-"),
        resume="allow",
        save_dir=run.folder,
        offline=mode == "offline",
        group=group or run.experiment,
        job_type=job_type or run.job_type,
        tags=list(run.tags),
        notes=run.notes,
        config=run.settings,
    )


def tensorboard_logger(run: LoggedRun) -> TensorBoardLogger:
    """Writes event files into ``tensorboard/`` in the run folder; raises MissingPackageError without tensorboard."""
    require("tensorboard", "logger=tensorboard")
    return TensorBoardLogger(run.folder, name="tensorboard", version="")


def mlflow_logger(run: LoggedRun, *, tracking_uri: str | None = None) -> MLFlowLogger:
    """An MLflow run under the experiment's name.

    Args:
        run: the logged run; tags become MLflow tags without a value.
        tracking_uri: of a server; None writes into ``mlruns/`` in the run folder.

    Raises:
        MissingPackageError: mlflow is not installed.
    """
    require("mlflow", "logger=mlflow")
    tags = {tag: "" for tag in run.tags} | {"job_type": run.job_type}
    if run.notes is not None:
        tags["mlflow.note.content"] = run.notes
    uri = tracking_uri or f"file:{run.folder.resolve() / 'mlruns'}"
    return MLFlowLogger(run.experiment, run_name=run.name, tracking_uri=uri, tags=tags)


def finish_tracking(has_failed: bool) -> None:
    """Finish the W&B run of this process, if any, so that the next job of a sweep gets a run of its own."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and getattr(wandb, "run", None) is not None:
        wandb.finish(exit_code=int(has_failed))
