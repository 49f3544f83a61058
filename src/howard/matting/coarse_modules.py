"""Parts of the coarse network after its encoder: ASPP, decoder, and projections of the person prior's maps."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.encoders import Features
from howard.matting.network_operations import concat_channels
from howard.matting.person_maps import STRIDE_CHANNELS, PersonMaps
from howard.matting.tiles import gather_windows, within

# The number of decoder outputs is rounded up to a multiple of this: CPU convolutions compute whole blocks of channels.
_BLOCK = 8


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling as in DeepLabV3 (Chen et al., arXiv 1706.05587, section 3.3).

    Stride-16 features (B, in, h, w) -> (B, out, h, w): a 1x1 convolution, three 3x3 convolutions of increasing
    dilation and the image mean, concatenated and projected by a 1x1 convolution.
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
        return self.project(concat_channels(*local, pooled))


class DecoderOutput(NamedTuple):
    """Result of :class:`Decoder`."""

    outputs: Tensor  # (B, out_channels, H, W), or the first channels only
    features: Tensor  # (B, C, H, W), input of the last convolution


class Decoder(nn.Module):
    """Four steps from stride 16 to full coarse resolution (Lin et al. 2021, section 4.1).

    Each step upsamples by two bilinearly, concatenates the skip connection and applies a 3x3 convolution; the first
    three are followed by batch norm and ReLU.

    Args:
        in_channels: of the ASPP output.
        skip_channels: of the encoder's features at strides 2, 4, 8.
        widths: output channels of the first three steps.
        out_channels: of the last step.
        input_channels: of the network's input, the skip connection at stride 1.
    """

    def __init__(
        self,
        in_channels: int,
        skip_channels: tuple[int, int, int],
        widths: tuple[int, int, int],
        out_channels: int,
        input_channels: int = 6,
    ) -> None:
        super().__init__()
        skip2, skip4, skip8 = skip_channels
        self.conv1 = nn.Conv2d(in_channels + skip8, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.conv2 = nn.Conv2d(widths[0] + skip4, widths[1], 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(widths[1])
        self.conv3 = nn.Conv2d(widths[1] + skip2, widths[2], 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(widths[2])
        self.conv4 = nn.Conv2d(widths[2] + input_channels, out_channels, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor, skips: Features, pair: Tensor, wanted: int | None = None) -> DecoderOutput:
        """Decode a batch.

        Args:
            x: ASPP output, (B, in_channels, H / 16, W / 16).
            skips: the encoder's features.
            pair: the network's input, (B, 6, H, W) in [0, 1].
            wanted: number of output channels to compute, the first ones; None means all.
        """
        x = self.relu(self.bn1(self.conv1(_upsample_and_concat(x, skips.stride8))))
        x = self.relu(self.bn2(self.conv2(_upsample_and_concat(x, skips.stride4))))
        x = _upsample_and_concat(self.relu(self.bn3(self.conv3(_upsample_and_concat(x, skips.stride2)))), pair)
        # A partial block of channels takes a CPU longer than a whole one.
        count = None if wanted is None else -(-wanted // _BLOCK) * _BLOCK
        kernel, bias = self.conv4.weight[:count], self.conv4.bias[:count]  # type: ignore[index]
        return DecoderOutput(F.conv2d(x, kernel, bias, padding=1)[:, :wanted], x)


class LazyHidden(NamedTuple):
    """The decoder's hidden features, computed only in the windows that the refiner reads: most are never read.

    ``features`` (B, C, h, w) is the input of the decoder's last convolution; ``weight`` (D, C, 3, 3) and ``bias`` (D,)
    are its parameters for the D hidden outputs. The result has type ``dtype``.
    """

    features: Tensor
    weight: Tensor
    bias: Tensor
    dtype: torch.dtype

    def whole(self) -> Tensor:
        """All hidden features, (B, D, h, w), at least 0."""
        return F.conv2d(self.features, self.weight, self.bias, padding=1).to(self.dtype).relu_()

    def windows(self, batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Hidden features at consecutive rows (n, r) and columns (n, c) of the images ``batch`` (n,): (n, r, c, D).

        Values outside the image are finite but undefined.
        """
        rows, columns = _widened(rows), _widened(columns)
        height, width = self.features.shape[2:]
        read = gather_windows(self.features, batch, rows, columns)
        # The convolution's zero padding.
        read *= within(rows, height)[:, :, None, None].to(read.dtype)
        read *= within(columns, width)[:, None, :, None].to(read.dtype)
        hidden = F.conv2d(read.permute(0, 3, 1, 2), self.weight, self.bias)
        return hidden.to(self.dtype).relu_().permute(0, 2, 3, 1)


class PersonProjections(nn.Module):
    """1x1 convolutions from the person prior's maps to the encoder's channels at strides 4, 8 and 16.

    Their weights start at 0, so that a trained network gains this branch without a change of its output.

    Args:
        encoder_channels: of the encoder's features at strides 4, 8, 16.
    """

    def __init__(self, encoder_channels: tuple[int, int, int]) -> None:
        super().__init__()
        pairs = zip(STRIDE_CHANNELS, encoder_channels, strict=True)
        self.stride4, self.stride8, self.stride16 = (nn.Conv2d(*pair, 1, bias=False) for pair in pairs)
        for projection in self.children():
            assert isinstance(projection, nn.Conv2d)
            nn.init.zeros_(projection.weight)

    def forward(self, person: PersonMaps, features: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        """Add the projected maps to features at strides 4, 8, 16; shapes stay those of the features."""
        added = []
        for projection, maps, own in zip(self.children(), person[1:4], features, strict=True):
            projected = projection(maps.to(own.dtype))
            if projected.shape[2:] != own.shape[2:]:
                projected = F.interpolate(projected, size=own.shape[2:], mode="bilinear", align_corners=False)
            added.append(own + projected)
        return added


def _conv_bn_relu(in_channels: int, out_channels: int, size: int, dilation: int = 1) -> nn.Sequential:
    padding = 0 if size == 1 else dilation
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def _upsample_and_concat(x: Tensor, skip: Tensor) -> Tensor:
    x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
    return concat_channels(x, skip.to(x.dtype))  # under autocast a float32 input would make the result float32


def _widened(index: Tensor) -> Tensor:
    """Consecutive indices (n, r) with one more at either end, (n, r + 2)."""
    return torch.cat([index[:, :1] - 1, index, index[:, -1:] + 1], dim=1)
