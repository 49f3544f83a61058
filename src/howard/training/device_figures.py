"""Memory and utilisation of the GPU that trains."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info

from howard.training.log_steps import is_logged

MEMORY, PEAK_MEMORY, UTILISATION = "device/memory_gb", "device/peak_memory_gb", "device/utilisation"
_GIB = 2**30  # bytes


class DeviceFigures(Callback):
    """Logs figures of the training device every ``trainer.log_every_n_steps`` steps; nothing on a CPU.

    On CUDA devices:

    * ``device/memory_gb``, ``device/peak_memory_gb``: GiB allocated now, and at most since training began;
    * ``device/utilisation``: percent of the last sampling period in which a kernel was running. It needs the package
      nvidia-ml-py; without it, it is left out.

    On MPS devices ``device/memory_gb`` alone. Figures are those of the first process's device.
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
        figures = {
            MEMORY: torch.cuda.memory_allocated(device) / _GIB,
            PEAK_MEMORY: torch.cuda.max_memory_allocated(device) / _GIB,
        }
        if self._has_utilisation:
            try:
                figures[UTILISATION] = float(torch.cuda.utilization(device))
            except (ModuleNotFoundError, RuntimeError) as error:  # no NVML package, or no NVML on this machine
                self._has_utilisation = False
                rank_zero_info(f"{UTILISATION} is not logged: {' '.join(str(error).split())}")
        return figures
