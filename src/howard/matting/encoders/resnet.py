"""ResNet-50 and ResNet-101 encoders (He et al., CVPR 2016), last stage dilated to stay at stride 16.

Parameter names are torchvision's, so its ImageNet checkpoints and published Background Matting V2 files load by name.
"""

from torch import Tensor, nn

from howard.matting.encoders.base import Encoder, Features, initialise_convolutions


class Bottleneck(nn.Module):
    """1x1 reduce, 3x3, 1x1 expand by four, and a shortcut. (B, in, H, W) -> (B, 4 width, H / stride, W / stride)."""

    def __init__(self, in_channels: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        out_channels = 4 * width
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNetEncoder(Encoder):
    """ResNet with ``blocks`` bottlenecks per stage; channels 64, 256, 512, 2048 at strides 2, 4, 8, 16."""

    channels = (64, 256, 512, 2048)
    stem_name = "conv1.weight"

    def __init__(self, blocks: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(6, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, blocks[0], stride=1)
        self.layer2 = _stage(256, 128, blocks[1], stride=2)
        self.layer3 = _stage(512, 256, blocks[2], stride=2)
        self.layer4 = _stage(1024, 512, blocks[3], stride=1, dilation=2)
        initialise_convolutions(self)

    def forward(self, pair: Tensor, extra: Tensor | None = None) -> Features:
        """(B, 6, H, W) source and plate in [0, 1], extra inputs (B, n, H, W) or None, to four feature maps."""
        stride2 = self.relu(self.bn1(self.with_extra(self.conv1(pair), extra)))
        stride4 = self.layer1(self.maxpool(stride2))
        stride8 = self.layer2(stride4)
        return Features(stride2, stride4, stride8, self.layer4(self.layer3(stride8)))


def _stage(in_channels: int, width: int, count: int, stride: int, dilation: int = 1) -> nn.Sequential:
    # As in torchvision, the first block of a dilated stage, which would have the stride, has dilation 1.
    first = Bottleneck(in_channels, width, stride)
    rest = [Bottleneck(4 * width, width, dilation=dilation) for _ in range(count - 1)]
    return nn.Sequential(first, *rest)
