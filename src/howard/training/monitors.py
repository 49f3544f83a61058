"""Callbacks that log metrics of the training itself: gradient norm, throughput, GPU memory, the error map's level."""

import time
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from howard.data.datamodule import MattingDataModule
from howard.matting import CoarseMatte

GRADIENT_NORM = "gradient/norm"
MEMORY, PEAK_MEMORY, UTILISATION = "device/memory_gb", "device/peak_memory_gb", "device/utilisation"
PREDICTED_ERROR, TRUE_ERROR, ERROR_RATIO = "train/error_map", "train/true_error", "train/error_map_share"
_GIB = 2**30  # bytes
_SMALLEST_ERROR = 1e-8  # lower bound of the divisor of the error ratio
# An error map whose mean is below this fraction of the true error's counts as collapsed. In single steps of working
# maps, at the start of a smoke run and in the middle of people_refine, the ratio was between 0.08 and 2.9.
_COLLAPSED_RATIO = 0.01


def is_logged_next(trainer: Trainer) -> bool:
    """Whether the metrics of the current optimiser step, not yet counted in ``global_step``, are logged."""
    return (trainer.global_step + 1) % _interval(trainer) == 0


def is_logged(trainer: Trainer, batch_idx: int) -> bool:
    """Whether the finished batch completed an optimiser step whose metrics are logged."""
    ends_a_step = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
    return ends_a_step and trainer.global_step % _interval(trainer) == 0


class GradientNorm(Callback):
    """Logs ``gradient/norm``, the L2 norm over all parameters, every ``trainer.log_every_n_steps`` steps.

    It is the norm of the unscaled gradient before clipping: if it stays above ``trainer.gradient_clip_val``, every
    step is clipped.
    """

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        if not is_logged_next(trainer):
            return
        parameters: list[Any] = [each for group in optimizer.param_groups for each in group["params"]]
        gradients = [each.grad for each in parameters if each.grad is not None]
        pl_module.log(GRADIENT_NORM, get_total_norm(gradients))


class Throughput(Callback):
    """Logs ``train/samples_per_second`` and ``train/data_wait_share`` every ``trainer.log_every_n_steps`` steps.

    Samples are counted over all processes. The second is the fraction of time between the end of a step and the arrival
    of the next batch from the workers; batch transforms on the device count as training. Validation counts as neither.
    """

    def __init__(self) -> None:
        self._window_start = self._step_end = 0.0
        self._samples = 0
        self._waited = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start_window(time.perf_counter())

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, MattingDataModule)
        self._waited += max(0.0, data.batch_arrived - self._step_end)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._step_end = time.perf_counter()
        self._samples += len(batch["source"]) * trainer.world_size
        if is_logged(trainer, batch_idx):
            seconds = self._step_end - self._window_start
            metrics = {"samples_per_second": self._samples / seconds, "data_wait_share": self._waited / seconds}
            pl_module.log_dict({f"train/{name}": value for name, value in metrics.items()})
            self._start_window(self._step_end)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        now = time.perf_counter()
        self._window_start += now - self._step_end
        self._step_end = now

    def _start_window(self, now: float) -> None:
        self._window_start = self._step_end = now
        self._samples, self._waited = 0, 0.0


class DeviceStats(Callback):
    """Logs memory and utilisation of the training device every ``trainer.log_every_n_steps`` steps; nothing on a CPU.

    On CUDA devices:

    * ``device/memory_gb``, ``device/peak_memory_gb``: GiB allocated now, and the maximum since training began;
    * ``device/utilisation``: percent of the last sampling period in which a kernel was running; only if the package
      nvidia-ml-py is installed.

    On MPS devices only ``device/memory_gb``. Measured on the first process's device.
    """

    def __init__(self) -> None:
        self._has_utilisation = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if pl_module.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(pl_module.device)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if pl_module.device.type != "cpu" and is_logged(trainer, batch_idx):
            pl_module.log_dict(self._measure(pl_module.device))

    def _measure(self, device: torch.device) -> dict[str, float]:
        if device.type == "mps":
            return {MEMORY: torch.mps.current_allocated_memory() / _GIB}
        if device.type != "cuda":
            return {}
        metrics = {
            MEMORY: torch.cuda.memory_allocated(device) / _GIB,
            PEAK_MEMORY: torch.cuda.max_memory_allocated(device) / _GIB,
        }
        if self._has_utilisation:
            try:
                metrics[UTILISATION] = float(torch.cuda.utilization(device))
            except (ModuleNotFoundError, RuntimeError) as error:  # no NVML package, or no NVML on this machine
                self._has_utilisation = False
                rank_zero_info(f"{UTILISATION} is not logged: {' '.join(str(error).split())}")
        return metrics


class ErrorMapLevel(NamedTuple):
    """Batch means, scalars: of the predicted error map, and of the true error that it should predict."""

    predicted: Tensor
    true: Tensor

    @property
    def ratio(self) -> Tensor:
        """Predicted over true mean: 1 is ideal, 0 a collapsed map."""
        return self.predicted / self.true.clamp_min(_SMALLEST_ERROR)


def measure_error_map(coarse: CoarseMatte, true_alpha: Tensor) -> ErrorMapLevel:
    """The level of a batch's error map; ``true_alpha`` is (B, 1, H, W) in [0, 1]."""
    size = coarse.alpha.shape[2:]
    small = F.interpolate(true_alpha, size=size, mode="bilinear", align_corners=False)
    return ErrorMapLevel(coarse.error.detach().mean(), (coarse.alpha.detach() - small).abs().mean())


class ErrorMapWatch(Callback):
    """Warns once if the coarse network's error map has collapsed to 0, so that it no longer selects what is refined.

    Args:
        patience: consecutive checks, one every ``trainer.log_every_n_steps`` steps, in which the map's mean is below a
            hundredth of the true error's.
    """

    def __init__(self, patience: int = 5) -> None:
        self.patience = patience
        self._collapsed = 0
        self._has_warned = False

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        metrics = trainer.callback_metrics
        if self._has_warned or PREDICTED_ERROR not in metrics or trainer.global_step % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        # Reading the metrics synchronises with the device: only as often as they are logged.
        has_collapsed = float(metrics[PREDICTED_ERROR]) < _COLLAPSED_RATIO * float(metrics[TRUE_ERROR])
        self._collapsed = self._collapsed + 1 if has_collapsed else 0
        if self._collapsed >= self.patience:
            self._has_warned = True
            rank_zero_warn(
                f"the error map has been 0 in {self._collapsed} checks, at step {trainer.global_step}: arbitrary "
                "patches are refined; lower optimiser.learning_rates.decoder, or raise stage.loss.error"
            )


def _interval(trainer: Trainer) -> int:
    return trainer.log_every_n_steps  # type: ignore[attr-defined]
