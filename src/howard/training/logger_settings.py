"""The settings of loggers, as typed dataclasses; see :mod:`howard.training.settings`. CSV files are always written."""

from dataclasses import dataclass
from enum import StrEnum

WandbMode = StrEnum("WandbMode", ["offline", "online"])


@dataclass
class WandbNode:
    """Figures and pictures in W&B; see :func:`howard.training.loggers.wandb_logger`."""

    _target_: str = "howard.training.loggers.wandb_logger"
    _partial_: bool = True
    mode: WandbMode = WandbMode.offline
    project: str = "howard"
    entity: str | None = None
    group: str | None = None
    job_type: str | None = None


@dataclass
class TensorBoardNode:
    """Figures in TensorBoard; see :func:`howard.training.loggers.tensorboard_logger`."""

    _target_: str = "howard.training.loggers.tensorboard_logger"
    _partial_: bool = True


@dataclass
class MlflowNode:
    """Figures in MLflow; see :func:`howard.training.loggers.mlflow_logger`."""

    _target_: str = "howard.training.loggers.mlflow_logger"
    _partial_: bool = True
    tracking_uri: str | None = None


LOGGERS: dict[str, type] = {"wandb": WandbNode, "tensorboard": TensorBoardNode, "mlflow": MlflowNode}
