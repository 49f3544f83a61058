"""Running a network: selection of device and precision, and optimisations that keep the outputs."""

from copy import deepcopy
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from howard.errors import SettingsError
from howard.matting.baseline import BaselineNetwork
from howard.matting.network import MattingNetwork

Network = TypeVar("Network", bound=MattingNetwork | BaselineNetwork)
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_BLOCK = 16  # channels per block in oneDNN
# Names in torch.cpu.get_capabilities(): matrix tiles, and AVX-512 dot products.
_BF16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16")


def prepare_for_inference(network: Network, dtype: torch.dtype = torch.float32) -> Network:
    """A copy with batch norms folded into convolutions, weights in ``dtype``, in channels-last memory layout.

    On a CPU it takes three quarters of the time (``benchmarks/runtimes.py``). ONNX Runtime and OpenVINO would save
    another tenth in fp32 and a sixth in bf16, which does not justify the dependency.
    """
    prepared = deepcopy(network).eval().requires_grad_(False)
    if isinstance(prepared, BaselineNetwork):
        _fold_batch_norms(prepared, {})
    else:
        stem = prepared.backbone.get_submodule(prepared.backbone.stem_name.rpartition(".")[0])
        _fold_batch_norms(prepared, {stem: prepared.backbone.extra_stem})
        prepared.decoder.conv4 = _pad_to_blocks(prepared.decoder.conv4)
    return prepared.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def prefer_onednn(network: nn.Module, device: torch.device) -> None:
    """Make 1x1 convolutions use oneDNN on a CPU, in place; their results stay the same.

    On one thread PyTorch computes them as matrix products with copies before and after, which take up to a third longer
    than oneDNN, except for dilated ones; dilation has no effect on a 1x1 kernel.
    """
    if device.type == "cpu":
        for module in network.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
                module.dilation = (2, 2)


def _pad_to_blocks(convolution: nn.Conv2d) -> nn.Conv2d:
    """A 3x3 convolution padded with zero outputs to a multiple of 16: a partial block takes a CPU longer."""
    missing = -convolution.out_channels % _BLOCK
    wider = nn.Conv2d(convolution.in_channels, convolution.out_channels + missing, 3, padding=1)
    wider.weight.data = F.pad(convolution.weight.data, (0, 0, 0, 0, 0, 0, 0, missing))
    wider.bias.data = F.pad(convolution.bias.data, (0, missing))  # type: ignore[union-attr]
    return wider.requires_grad_(False)


def _fold_batch_norms(module: nn.Module, added: dict[nn.Module, nn.Conv2d | None]) -> None:
    """Replace each convolution followed by its batch norm by one convolution, recursively.

    ``added`` maps a convolution to another one whose output is added to its output before the batch norm.
    """
    before: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and before is not None and isinstance(before[1], nn.Conv2d):
            other = added.get(before[1])
            if other is not None:
                scale = child.weight / (child.running_var + child.eps).sqrt()  # type: ignore[operator]
                other.weight.mul_(scale[:, None, None, None])
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, nn.Identity())
        _fold_batch_norms(child, added)
        before = (name, child)


def select_device(name: str) -> torch.device:
    """The device of a name as torch gives it; ``auto`` is a GPU if there is one.

    Raises:
        SettingsError: it is unknown or not available.
    """
    if name == "auto":
        name = next((kind for kind in ("cuda", "mps", "xpu") if _count_devices(kind)), "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(
            f"unknown device {name!r}; choose auto, cpu, cuda, cuda:1, mps or another of torch's"
        ) from error
    if device.type != "cpu" and (device.index or 0) >= _count_devices(device.type):
        raise SettingsError(f"device={name} is not available here; use device=auto")
    return device


def _count_devices(kind: str) -> int:
    """Number of available devices of a kind."""
    module = getattr(torch, kind, None)
    is_available, count = (getattr(module, name, None) for name in ("is_available", "device_count"))
    return int(count()) if is_available is not None and count is not None and is_available() else 0


def select_precision(precision: str, device: torch.device) -> str:
    """A key of :data:`PRECISIONS`; ``auto`` is the fastest one on the device.

    Raises:
        SettingsError: it is unknown or not available on the device.
    """
    if precision == "auto":
        if device.type == "cuda":
            return "fp16"
        return "bf16" if device.type == "cpu" and _cpu_multiplies_bf16() else "fp32"
    if precision not in PRECISIONS:
        raise SettingsError(f"unknown precision {precision!r}; choose auto, {', '.join(PRECISIONS)}")
    if precision == "fp16" and device.type == "cpu":
        raise SettingsError("precision=fp16 is for GPUs; on a CPU use fp32, or bf16 for speed")
    return precision


def _cpu_multiplies_bf16() -> bool:
    """Whether the CPU has bfloat16 instructions: without them bf16 takes longer than fp32."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _BF16_INSTRUCTIONS)
