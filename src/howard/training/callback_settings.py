"""The settings of Lightning callbacks, as typed dataclasses; see :mod:`howard.training.settings`.

Each is registered under its own name in the mapping ``callbacks``, which has no type itself: callbacks are removed
with ``~callbacks.NAME`` and added with ``+callbacks.NAME._target_=...``.
"""

from dataclasses import dataclass
from enum import StrEnum

from howard.quality import QUALITIES

QualityName = StrEnum("QualityName", list(QUALITIES))


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
    """See :func:`howard.training.averaging.ema`."""

    _target_: str = "howard.training.averaging.ema"
    decay: float = 0.995


@dataclass
class LearningRatesNode:
    """Lightning's own, which logs ``lr-OPTIMISER/PART`` every ``trainer.log_every_n_steps`` steps."""

    _target_: str = "lightning.pytorch.callbacks.LearningRateMonitor"
    logging_interval: str | None = "step"
    log_momentum: bool = False
    log_weight_decay: bool = False


@dataclass
class GradientNormNode:
    """See :class:`howard.training.gradient_norm.GradientNorm`."""

    _target_: str = "howard.training.gradient_norm.GradientNorm"


@dataclass
class DeviceNode:
    """See :class:`howard.training.device_figures.DeviceFigures`."""

    _target_: str = "howard.training.device_figures.DeviceFigures"


@dataclass
class ThroughputNode:
    """See :class:`howard.training.throughput.Throughput`."""

    _target_: str = "howard.training.throughput.Throughput"


@dataclass
class ErrorMapNode:
    """See :class:`howard.training.error_map.ErrorMapWatch`."""

    _target_: str = "howard.training.error_map.ErrorMapWatch"
    patience: int = 5


@dataclass
class BestNode:
    """See :class:`howard.training.best.BestWeights`."""

    _target_: str = "howard.training.best.BestWeights"
    _partial_: bool = True
    monitor: str = "val/mad"


@dataclass
class SuiteCurvesNode:
    """See :class:`howard.training.suite_curves.SuiteCurves`."""

    _target_: str = "howard.training.suite_curves.SuiteCurves"
    _partial_: bool = True
    every_n_validations: int = 1
    limit: int | None = 4


@dataclass
class ArtifactsNode:
    """See :class:`howard.training.artifacts.Artifacts`."""

    _target_: str = "howard.training.artifacts.Artifacts"


@dataclass
class BenchNode:
    """See :class:`howard.training.bench.BenchTable`."""

    _target_: str = "howard.training.bench.BenchTable"
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
