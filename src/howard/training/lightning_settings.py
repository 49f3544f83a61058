"""Settings of Lightning's trainer, callbacks and loggers, of the time budget and of the scaling to the device.

Typed dataclasses; see :mod:`howard.training.train_settings`. Callbacks and loggers are registered under their names in
the mappings ``callbacks`` and ``logger``, which are untyped: members are removed with ``~callbacks.NAME`` and added
with ``+callbacks.NAME._target_=...``. Metrics are always written to CSV files.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from howard.quality import QUALITIES

WandbMode = StrEnum("WandbMode", ["offline", "online"])
ProfilerName = StrEnum("ProfilerName", ["simple", "advanced", "pytorch"])
QualityName = StrEnum("QualityName", list(QUALITIES))


@dataclass
class TrainerNode:
    """Arguments of Lightning's ``Trainer``."""

    _target_: str = "lightning.Trainer"
    max_epochs: int | None = None
    max_steps: int = -1
    accelerator: str = "auto"
    devices: str = "auto"
    num_nodes: int = 1
    strategy: str = "auto"
    sync_batchnorm: bool = False
    precision: str = "16-mixed"
    accumulate_grad_batches: int = 1
    gradient_clip_val: float | None = None
    check_val_every_n_epoch: int = 1
    val_check_interval: Any = None
    benchmark: bool | None = None
    log_every_n_steps: int = 10
    limit_train_batches: int | None = None
    limit_val_batches: int | None = None
    limit_test_batches: int | None = None
    overfit_batches: int = 0
    # The profile is written into the run folder.
    profiler: ProfilerName | None = None
    # No sanity check: the validation panel already runs before the first step.
    num_sanity_val_steps: int = 0
    enable_progress_bar: bool = True
    fast_dev_run: bool = False


@dataclass
class BudgetNode:
    """Training for a given time; see :class:`howard.training.budget.TimeBudget`.

    ``minutes`` is the duration of the whole run, from its start to the last validation; null trains by steps or epochs.
    The stages of a run of several stages divide its ``minutes`` in proportion to their ``weight``. ``validations`` are
    spread evenly over that time.
    """

    minutes: float | None = None
    weight: float = 1.0
    validations: int = 3


@dataclass
class ScalingNode:
    """Batch size and learning rates by device; see :class:`howard.training.devices.BatchPlan`.

    ``batch_sizes`` by device (cpu, cuda, mps) are used if ``data.batch_size`` is null. ``base_batch_size`` is the
    number of samples per step for which the learning rates and the EMA decay were chosen; null does not scale them.
    ``power`` is the exponent of the scaling.
    """

    base_batch_size: int | None = None
    power: float = 1.0
    batch_sizes: dict[str, int] = field(default_factory=dict)


@dataclass
class CheckpointsNode:
    """See :class:`howard.training.checkpoints.Checkpoints`."""

    _target_: str = "howard.training.checkpoints.Checkpoints"
    every_n_steps: int = 100


@dataclass
class PanelNode:
    """See :class:`howard.training.panels.ValidationPanel`."""

    _target_: str = "howard.training.panels.ValidationPanel"
    rows: int = 6


@dataclass
class TimelapseNode:
    """See :class:`howard.training.timelapse.Timelapse`."""

    _target_: str = "howard.training.timelapse.Timelapse"
    every_n_steps: int = 25


@dataclass
class EmaNode:
    """See :func:`howard.training.checkpoints.ema`."""

    _target_: str = "howard.training.checkpoints.ema"
    decay: float = 0.995


@dataclass
class LearningRatesNode:
    """Lightning's monitor, which logs ``lr-OPTIMISER/PART`` every ``trainer.log_every_n_steps`` steps."""

    _target_: str = "lightning.pytorch.callbacks.LearningRateMonitor"
    logging_interval: str | None = "step"
    log_momentum: bool = False
    log_weight_decay: bool = False


@dataclass
class GradientNormNode:
    """See :class:`howard.training.monitors.GradientNorm`."""

    _target_: str = "howard.training.monitors.GradientNorm"


@dataclass
class DeviceNode:
    """See :class:`howard.training.monitors.DeviceStats`."""

    _target_: str = "howard.training.monitors.DeviceStats"


@dataclass
class ThroughputNode:
    """See :class:`howard.training.monitors.Throughput`."""

    _target_: str = "howard.training.monitors.Throughput"


@dataclass
class ErrorMapNode:
    """See :class:`howard.training.monitors.ErrorMapWatch`."""

    _target_: str = "howard.training.monitors.ErrorMapWatch"
    patience: int = 5


@dataclass
class BestNode:
    """See :class:`howard.training.checkpoints.BestWeights`."""

    _target_: str = "howard.training.checkpoints.BestWeights"
    _partial_: bool = True
    monitor: str = "val/mad"


@dataclass
class SuiteCurvesNode:
    """See :class:`howard.training.suite_metrics.SuiteCurves`."""

    _target_: str = "howard.training.suite_metrics.SuiteCurves"
    _partial_: bool = True
    every_n_validations: int = 1
    limit: int | None = 4


@dataclass
class ArtifactsNode:
    """See :class:`howard.training.artifacts.Artifacts`."""

    _target_: str = "howard.training.artifacts.Artifacts"


@dataclass
class BenchNode:
    """See :class:`howard.training.bench_clips.BenchTable`."""

    _target_: str = "howard.training.bench_clips.BenchTable"
    clips: str = "data/bench_public"
    frames: int | None = 24
    pictures: int = 4
    quality: QualityName = QualityName["standard"]


CALLBACKS: dict[str, type] = {
    "checkpoints": CheckpointsNode,
    "panel": PanelNode,
    "timelapse": TimelapseNode,
    "error_map": ErrorMapNode,
    "learning_rates": LearningRatesNode,
    "gradient_norm": GradientNormNode,
    "throughput": ThroughputNode,
    "device": DeviceNode,
    "suite_curves": SuiteCurvesNode,
    "artifacts": ArtifactsNode,
    "bench": BenchNode,
    "best": BestNode,
    "ema": EmaNode,
}


@dataclass
class WandbNode:
    """Metrics and pictures in W&B; see :func:`howard.training.loggers.wandb_logger`."""

    _target_: str = "howard.training.loggers.wandb_logger"
    _partial_: bool = True
    mode: WandbMode = WandbMode.offline
    project: str = "howard"
    entity: str | None = None
    group: str | None = None
    job_type: str | None = None


@dataclass
class TensorBoardNode:
    """Metrics in TensorBoard; see :func:`howard.training.loggers.tensorboard_logger`."""

    _target_: str = "howard.training.loggers.tensorboard_logger"
    _partial_: bool = True


@dataclass
class MlflowNode:
    """Metrics in MLflow; see :func:`howard.training.loggers.mlflow_logger`."""

    _target_: str = "howard.training.loggers.mlflow_logger"
    _partial_: bool = True
    tracking_uri: str | None = None


LOGGERS: dict[str, type] = {"wandb": WandbNode, "tensorboard": TensorBoardNode, "mlflow": MlflowNode}
