"""Depthwise convolutions whose gradients are quick on a CPU."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel by itself, without bias: (B, C, H, W) to (B, C, H / stride, W / stride).

    The library's gradients take up to forty times as long as its forward pass where the convolution is dilated or works
    in bfloat16; on a CPU they are had by other means here, and are the same.

    Args:
        channels: C.
        size: side of the kernel, odd; padding keeps the picture's size but for the stride.
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
        for_x, for_weight = ctx.needs_input_grad[:2]
        x_gradient = weight_gradient = None
        if for_x and stride == 1:  # the transpose of such a convolution is one with the kernel turned round
            x_gradient = F.conv2d(gradient, weight.flip(2, 3), None, 1, padding, dilation, len(weight))
            for_x = False
        if for_x or for_weight:
            precise = torch.promote_types(x.dtype, torch.float32)
            found = torch.ops.aten.convolution_backward(
                *(each.to(precise) for each in (gradient, x, weight)),
                None,
                *([stride] * 2, [padding] * 2, [dilation] * 2),
                *(False, [0, 0], len(weight)),
                [for_x, for_weight, False],
            )
            x_gradient = found[0].to(x.dtype) if for_x else x_gradient
            weight_gradient = found[1].to(weight.dtype) if for_weight else None
        return x_gradient, weight_gradient, None, None
