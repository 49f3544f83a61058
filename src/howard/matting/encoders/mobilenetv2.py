"""MobileNetV2 encoder (Sandler et al., CVPR 2018), last stride removed and the blocks after it dilated.

Parameter names are torchvision's, so its ImageNet checkpoint and published Background Matting V2 files load by name.
"""

from torch import Tensor, nn

from howard.matting.encoders.base import Encoder, Features, initialise_convolutions
from howard.matting.network_operations import DepthwiseConv2d

# Expansion, channels, repeats, stride of the first repeat, dilation of the later ones (Table 2 of the paper).
_STAGES = (
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 2, 1),
    (6, 96, 3, 1, 1),
    (6, 160, 3, 1, 2),  # stride 2 as published
    (6, 320, 1, 1, 2),
)


class InvertedResidual(nn.Module):
    """1x1 expand, depthwise 3x3, linear 1x1 projection; a shortcut if the shape allows it."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        width = in_channels * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(_conv_bn_relu(in_channels, width, 1))
        layers += [
            nn.Sequential(DepthwiseConv2d(width, 3, stride, dilation), nn.BatchNorm2d(width), nn.ReLU6(inplace=True)),
            nn.Conv2d(width, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        ]
        self.conv = nn.Sequential(*layers)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.has_shortcut else self.conv(x)


class MobileNetV2Encoder(Encoder):
    """MobileNetV2 without its final 1x1 block; channels 16, 24, 32, 320 at strides 2, 4, 8, 16."""

    channels = (16, 24, 32, 320)
    stem_name = "features.0.0.weight"

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_conv_bn_relu(6, 32, 3, stride=2)]
        in_channels = 32
        for expansion, channels, repeats, stride, dilation in _STAGES:
            for repeat in range(repeats):
                # The single block of the last stage is dilated too; in other stages the first block is not.
                dilated = repeat > 0 or repeats == 1
                blocks.append(
                    InvertedResidual(
                        in_channels, channels, expansion, stride if repeat == 0 else 1, dilation if dilated else 1
                    )
                )
                in_channels = channels
        self.features = nn.Sequential(*blocks)
        initialise_convolutions(self)

    def forward(self, pair: Tensor, extra: Tensor | None = None) -> Features:
        """(B, 6, H, W) source and plate in [0, 1], extra inputs (B, n, H, W) or None, to four feature maps."""
        convolution, norm, relu = self.features[0].children()
        x = relu(norm(self.with_extra(convolution(pair), extra)))
        stride2 = self.features[1](x)
        stride4 = self.features[2:4](stride2)
        stride8 = self.features[4:7](stride4)
        return Features(stride2, stride4, stride8, self.features[7:](stride8))


def _conv_bn_relu(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU6(inplace=True),
    )
