"""A network made ready to be run and not trained: the same outputs, sooner."""

from copy import deepcopy
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from howard.matting.baseline import BaselineNetwork
from howard.matting.network import MattingNetwork

Network = TypeVar("Network", bound=MattingNetwork | BaselineNetwork)
_BLOCK = 16  # channels that oneDNN works on together


def prepare_for_inference(network: Network, dtype: torch.dtype = torch.float32) -> Network:
    """A copy with batch norms folded into convolutions, weights in ``dtype`` and channels-last in memory.

    Takes three quarters of the time on a CPU (``benchmarks/runtimes.py``). ONNX Runtime and OpenVINO were measured
    beside it and gain a tenth of that more in fp32, a sixth in bf16: too little for another runtime to carry along.
    """
    prepared = deepcopy(network).eval().requires_grad_(False)
    if isinstance(prepared, BaselineNetwork):
        _fold_batch_norms(prepared, {})
    else:
        stem = prepared.backbone.get_submodule(prepared.backbone.stem_name.rpartition(".")[0])
        _fold_batch_norms(prepared, {stem: prepared.backbone.extra_stem})
        prepared.decoder.conv4 = _with_whole_blocks(prepared.decoder.conv4)
    return prepared.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def prefer_onednn(network: nn.Module, device: torch.device) -> None:
    """Have 1x1 convolutions run faster on a CPU, in place; their results stay the same.

    On one thread PyTorch leaves them to a matrix product, with copies before and after, that takes up to a third longer
    than oneDNN, unless they are dilated, which means nothing to a 1x1 kernel.
    """
    if device.type == "cpu":
        for module in network.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
                module.dilation = (2, 2)


def _with_whole_blocks(convolution: nn.Conv2d) -> nn.Conv2d:
    """A 3x3 convolution with further outputs of 0 up to a multiple of 16: a CPU takes longer for a part of a block."""
    missing = -convolution.out_channels % _BLOCK
    wider = nn.Conv2d(convolution.in_channels, convolution.out_channels + missing, 3, padding=1)
    wider.weight.data = F.pad(convolution.weight.data, (0, 0, 0, 0, 0, 0, 0, missing))
    wider.bias.data = F.pad(convolution.bias.data, (0, missing))  # type: ignore[union-attr]
    return wider.requires_grad_(False)


def _fold_batch_norms(module: nn.Module, beside: dict[nn.Module, nn.Conv2d | None]) -> None:
    """Replace every convolution that is followed by its batch norm by one convolution, all the way down.

    ``beside`` holds convolutions whose output is added before the batch norm; they are scaled alike.
    """
    before: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and before is not None and isinstance(before[1], nn.Conv2d):
            added = beside.get(before[1])
            if added is not None:
                scale = child.weight / (child.running_var + child.eps).sqrt()  # type: ignore[operator]
                added.weight.mul_(scale[:, None, None, None])
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, nn.Identity())
        _fold_batch_norms(child, beside)
        before = (name, child)
