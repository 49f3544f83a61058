"""Atrous spatial pyramid pooling as in DeepLabV3 (Chen et al., arXiv 1706.05587, section 3.3)."""

import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.joining import join


class ASPP(nn.Module):
    """Looks at stride-16 features at several scales at once: (B, in, h, w) -> (B, out, h, w).

    A 1x1 convolution, three 3x3 ones at growing dilation, and the image mean; joined by a 1x1 projection.
    """

    def __init__(
        self, in_channels: int, out_channels: int, dilations: tuple[int, ...] = (3, 6, 9), dropout: float = 0.5
    ) -> None:
        super().__init__()
        branches = [_conv_bn_relu(in_channels, out_channels, 1)]
        branches += [_conv_bn_relu(in_channels, out_channels, 3, dilation) for dilation in dilations]
        branches.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), *_conv_bn_relu(in_channels, out_channels, 1)))
        self.convs = nn.ModuleList(branches)
        self.project = nn.Sequential(*_conv_bn_relu(len(branches) * out_channels, out_channels, 1), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        *local, pooled = [branch(x) for branch in self.convs]
        pooled = F.interpolate(pooled, size=x.shape[2:], mode="bilinear", align_corners=False)
        return self.project(join(*local, pooled))


def _conv_bn_relu(in_channels: int, out_channels: int, size: int, dilation: int = 1) -> nn.Sequential:
    padding = 0 if size == 1 else dilation
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
