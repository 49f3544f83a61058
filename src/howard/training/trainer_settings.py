"""The settings of Lightning's trainer, of its clock and of its devices; see :mod:`howard.training.settings`."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ProfilerName = StrEnum("ProfilerName", ["simple", "advanced", "pytorch"])


@dataclass
class TrainerNode:
    """Lightning's trainer."""

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
    # The profile is written into the run's folder.
    profiler: ProfilerName | None = None
    # Validation pictures start before the first step by themselves.
    num_sanity_val_steps: int = 0
    enable_progress_bar: bool = True
    fast_dev_run: bool = False


@dataclass
class BudgetNode:
    """Training by the clock; see :class:`howard.training.budget.TimeBudget`.

    ``minutes`` are those of the whole run, start and last validation included, null for training by steps or epochs.
    A run of several stages has ``minutes`` for all together, and each stage has a ``share`` of them, in proportion to
    those of the others. There are ``validations`` in that time, evenly spread.
    """

    minutes: float | None = None
    share: float = 1.0
    validations: int = 3


@dataclass
class ScalingNode:
    """Batch size and learning rates by device; see :class:`howard.training.devices.BatchPlan`.

    ``batch_sizes`` are by device (cpu, cuda, mps) and count where ``data.batch_size`` is null. ``base_batch_size`` is
    how many samples a step the learning rates and the average's decay are meant for; null leaves these as they are.
    """

    base_batch_size: int | None = None
    power: float = 1.0
    batch_sizes: dict[str, int] = field(default_factory=dict)
