"""Settings that depend on the device: batch size, learning rates, EMA decay, precision, TF32, compilation."""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
import torch.nn.functional as F
from omegaconf import DictConfig
from torch import nn

from howard.errors import SettingsError
from howard.machine import count_cores
from howard.training.assembly import selected_nodes

Device = Literal["cpu", "cuda", "mps"]
# "auto" takes bfloat16 on a CPU if its time relative to float32 is below this. A CPU without bfloat16 instructions
# emulates them, which takes about ten times as long.
_LARGEST_RATIO = 1.0


@dataclass(frozen=True)
class BatchPlan:
    """Batch size of a process and of an optimiser step, and the learning-rate scaling that follows.

    Attributes:
        per_process: samples per batch of one process.
        per_step: samples per optimiser step, over all processes and accumulated batches.
        base: samples per step for which the learning rates and the EMA decay were chosen.
        power: exponent of the learning-rate scaling: 1 is linear (Goyal et al. 2017), 0.5 the square root (Malladi et
            al. 2022, for Adam), 0 none.
    """

    per_process: int
    per_step: int
    base: int
    power: float

    @property
    def rate_factor(self) -> float:
        """Factor of the learning rates."""
        return (self.per_step / self.base) ** self.power

    def scaled_decay(self, decay: float) -> float:
        """The EMA decay that averages over the same number of samples (Busbridge et al. 2023)."""
        return decay ** (self.per_step / self.base)


def fit_to_device(config: DictConfig) -> None:
    """Set the batch size, the workers, and the learning rates and EMA decay scaled to them, in place."""
    device, scaling = find_device(config.trainer.accelerator), config.scaling
    processes = count_processes(str(config.trainer.devices), config.trainer.num_nodes, device)
    plan = plan_batches(
        config.data.batch_size,
        dict(scaling.batch_sizes),
        device,
        batches_per_step=processes * config.trainer.accumulate_grad_batches,
        base=scaling.base_batch_size,
        power=scaling.power,
    )
    config.data.batch_size = plan.per_process
    if config.data.workers is None:
        config.data.workers = count_cores()
    if scaling.base_batch_size is None:
        return
    for part, rate in config.optimiser.learning_rates.items():
        if rate is not None:
            config.optimiser.learning_rates[part] = rate * plan.rate_factor
    if "ema" in selected_nodes(config, "callbacks"):
        config.callbacks.ema.decay = plan.scaled_decay(config.callbacks.ema.decay)
    scaling.base_batch_size = None  # applied: the stored settings have the scaled rates
    print(f"{plan.per_step} samples per step on {device}, learning rates x {plan.rate_factor:.2f}")


def apply_speed_settings(config: DictConfig, network: Any) -> None:
    """Apply the settings ``tf32`` and ``compile``, which the stored settings of early runs lack."""
    if config.get("tf32"):
        use_tf32()
    if config.get("compile"):
        compile_parts(network)


def find_device(accelerator: str) -> Device:
    """The device that Lightning selects for an accelerator: ``auto``, ``cpu``, ``gpu``, ``cuda`` or ``mps``."""
    if accelerator != "cpu" and torch.cuda.is_available():
        return "cuda"
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def count_processes(devices: str, nodes: int, device: Device) -> int:
    """Number of processes of a run: one per device and machine; ``auto`` is all GPUs, or one CPU process."""
    if devices.isdecimal():
        return int(devices) * nodes
    return (torch.cuda.device_count() if device == "cuda" else 1) * nodes


def plan_batches(
    batch_size: int | None,
    sizes: dict[str, int],
    device: Device,
    *,
    batches_per_step: int,
    base: int | None,
    power: float,
) -> BatchPlan:
    """Choose the batch size.

    Args:
        batch_size: of one process; None takes that of the device from ``sizes``.
        sizes: batch size by device.
        device: of the run.
        batches_per_step: processes x accumulated batches.
        base: samples per step for which the learning rates were chosen; None does not scale them.
        power: see :class:`BatchPlan`.

    Raises:
        SettingsError: there is no batch size for the device.
    """
    if batch_size is None:
        if device not in sizes:
            raise SettingsError(f"scaling.batch_sizes has none for {device}; add it, or set data.batch_size=NUMBER")
        batch_size = sizes[device]
    per_step = batch_size * batches_per_step
    return BatchPlan(batch_size, per_step, base or per_step, power)


def resolve_precision(precision: str, accelerator: str) -> str:
    """Lightning's ``precision``; ``auto`` is bfloat16 if the device computes it faster than float32.

    Args:
        precision: ``auto``, or one of Lightning's values, which is returned unchanged.
        accelerator: Lightning's: ``auto``, ``cpu``, ``gpu``, ...
    """
    if precision != "auto":
        return precision
    if accelerator != "cpu" and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    return "bf16-mixed" if bfloat16_ratio() < _LARGEST_RATIO else "32-true"


@cache  # takes seconds where bfloat16 is slow, which would add up over the runs of a sweep
@torch.no_grad()
def bfloat16_ratio() -> float:
    """Ratio of the times of a convolution in bfloat16 and float32 on this CPU, the best of three; measured once."""
    image, kernel = torch.rand(1, 64, 64, 64), torch.rand(64, 64, 3, 3)
    times = {}
    for dtype in (torch.float32, torch.bfloat16):
        operands = image.to(dtype), kernel.to(dtype)
        F.conv2d(*operands, padding=1)
        times[dtype] = min(_seconds(*operands) for _ in range(3))
    return times[torch.bfloat16] / times[torch.float32]


def use_tf32() -> None:
    """Compute float32 products in TF32 (10-bit mantissa) on CUDA devices; no effect on other devices."""
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True


def compile_parts(network: nn.Module, backend: str = "inductor") -> None:
    """Compile a network's submodules in place; parameter names and values do not change.

    Submodule by submodule, since training stages call the network by more than one method.
    """
    for part in network.children():
        part.compile(backend=backend)


def _seconds(image: torch.Tensor, kernel: torch.Tensor) -> float:
    start = time.perf_counter()
    F.conv2d(image, kernel, padding=1)
    return time.perf_counter() - start
