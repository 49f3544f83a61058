"""Tensor operations of the networks with their own gradients or memory layout.

They give the same values as the PyTorch functions that they replace, and are faster on a CPU or train better.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def concat_channels(*maps: Tensor) -> Tensor:
    """Concatenate (B, C, H, W) maps along C; the result has the memory layout of the first map.

    ``torch.cat`` along dimension 1 copies channels-last maps value by value, which takes up to thirty times as long as
    copying whole pixels.
    """
    if not maps[0].is_contiguous(memory_format=torch.channels_last):
        return torch.cat(maps, dim=1)
    for values in maps:
        if values.requires_grad:
            values.register_hook(_to_channels_last)
    return torch.cat([values.permute(0, 2, 3, 1) for values in maps], dim=3).permute(0, 3, 1, 2)


def split_channels(maps: Tensor, *channels: int) -> tuple[Tensor, ...]:
    """Split (B, C, H, W) maps along C into parts of the given numbers of channels; remaining channels are dropped.

    Gradients stay channels-last: those of ``torch.split`` along dimension 1 would lose that layout and be permuted
    value by value.
    """
    pixels = maps.permute(0, 2, 3, 1)
    return tuple(each.permute(0, 3, 1, 2) for each in pixels[..., : sum(channels)].split(channels, dim=3))


def _to_channels_last(gradient: Tensor | None) -> Tensor | None:
    """Make the gradient of one of the concatenated maps contiguous; None if nothing depends on the map.

    As a strided view it would make the backward pass of an upsampling take six times as long.
    """
    return None if gradient is None else gradient.contiguous(memory_format=torch.channels_last)


def clamp_inward(values: Tensor) -> Tensor:
    """``values.clamp(0, 1)`` that passes the gradient of values outside [0, 1] if it leads back inside.

    With an ordinary clamp, an output that is below 0 everywhere has a gradient of 0 and cannot recover.
    """
    if not (torch.is_grad_enabled() and values.requires_grad):
        return values.clamp(0, 1)
    return _InwardClamp.apply(values)  # type: ignore[return-value]


class _InwardClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(values)
        return values.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (values,) = ctx.saved_tensors
        # Gradient descent subtracts the gradient: a positive one lowers the value, a negative one raises it.
        leads_outward = ((values < 0) & (gradient > 0)) | ((values > 1) & (gradient < 0))
        return gradient.masked_fill(leads_outward, 0)


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution without bias: (B, C, H, W) to (B, C, H / stride, W / stride), rounded up.

    If the convolution is dilated or in bfloat16, PyTorch's backward pass on a CPU takes up to forty times as long as
    the forward pass. This class computes the same gradients faster on a CPU.

    Args:
        channels: C.
        size: side of the kernel, odd; the padding is half of it, so that only the stride changes the image size.
        stride: between samples of the output.
        dilation: between taps of the kernel.
    """

    def __init__(self, channels: int, size: int, stride: int = 1, dilation: int = 1) -> None:
        padding = size // 2 * dilation
        super().__init__(channels, channels, size, stride, padding, dilation, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or not torch.is_grad_enabled():
            return super().forward(x)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            x, weight = x.to(dtype), weight.to(dtype)
        return _Depthwise.apply(x, weight, self.stride[0], self.dilation[0])


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, dilation: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.dilation = stride, dilation
        return F.conv2d(x, weight, None, stride, weight.shape[-1] // 2 * dilation, dilation, len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        [gradient] = gradients
        stride, dilation, padding = ctx.stride, ctx.dilation, weight.shape[-1] // 2 * ctx.dilation
        needs_x, needs_weight = ctx.needs_input_grad[:2]
        x_gradient = weight_gradient = None
        if needs_x and stride == 1:  # the transpose of this convolution is a convolution with the flipped kernel
            x_gradient = F.conv2d(gradient, weight.flip(2, 3), None, 1, padding, dilation, len(weight))
            needs_x = False
        if needs_x or needs_weight:
            precise = torch.promote_types(x.dtype, torch.float32)
            found = torch.ops.aten.convolution_backward(
                *(each.to(precise) for each in (gradient, x, weight)),
                None,
                *([stride] * 2, [padding] * 2, [dilation] * 2),
                *(False, [0, 0], len(weight)),
                [needs_x, needs_weight, False],
            )
            x_gradient = found[0].to(x.dtype) if needs_x else x_gradient
            weight_gradient = found[1].to(weight.dtype) if needs_weight else None
        return x_gradient, weight_gradient, None, None
