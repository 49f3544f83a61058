"""What a run sets by the device it finds: batch size, learning rates, the average's decay, TF32, compilation."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from howard.errors import SettingsError

Device = Literal["cpu", "cuda", "mps"]


@dataclass(frozen=True)
class BatchPlan:
    """How many samples a process takes at a time, and how many all of them take for a step.

    Attributes:
        per_process: samples of a batch.
        per_step: samples of a step, of all processes and accumulated batches.
        base: samples of a step that the learning rates and the decay are meant for.
        power: 1 scales learning rates in proportion to the samples of a step (Goyal et al. 2017), 0.5 by the square
            root (Malladi et al. 2022, for Adam), 0 leaves them.
    """

    per_process: int
    per_step: int
    base: int
    power: float

    @property
    def rate_factor(self) -> float:
        """What the learning rates are multiplied with."""
        return (self.per_step / self.base) ** self.power

    def scaled_decay(self, decay: float) -> float:
        """The decay of a moving average that then spans as many samples (Busbridge et al. 2023)."""
        return decay ** (self.per_step / self.base)


def find_device(accelerator: str) -> Device:
    """The device that Lightning takes for an accelerator: ``auto``, ``cpu``, ``gpu``, ``cuda`` or ``mps``."""
    if accelerator != "cpu" and torch.cuda.is_available():
        return "cuda"
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def count_processes(devices: str, nodes: int, device: Device) -> int:
    """Processes of a run: one for each device of each machine, where ``auto`` is every GPU there is, or one CPU."""
    if devices.isdecimal():
        return int(devices) * nodes
    return (torch.cuda.device_count() if device == "cuda" else 1) * nodes


def plan_batches(
    batch_size: int | None, sizes: dict[str, int], device: Device, *, others: int, base: int | None, power: float
) -> BatchPlan:
    """Choose the batch size, and what follows from it.

    Args:
        batch_size: of a process; None takes the device's from ``sizes``.
        sizes: batch size by device.
        device: that the run is on.
        others: processes x accumulated batches.
        base: samples of a step that the learning rates are meant for; None leaves them as they are.
        power: see :class:`BatchPlan`.

    Raises:
        SettingsError: there is no batch size for the device.
    """
    if batch_size is None:
        if device not in sizes:
            raise SettingsError(f"scaling.batch_sizes has none for {device}; give it one, or data.batch_size=NUMBER")
        batch_size = sizes[device]
    per_step = batch_size * others
    return BatchPlan(batch_size, per_step, base or per_step, power)


def use_tf32() -> None:
    """Let CUDA devices compute float32 products with TF32's 10-bit mantissa; other devices are left as they are."""
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True


def compile_parts(network: nn.Module, backend: str = "inductor") -> None:
    """Compile a network's parts in place; names and weights stay as they are.

    Part by part, since stages call the network by more than one method.
    """
    for part in network.children():
        part.compile(backend=backend)
