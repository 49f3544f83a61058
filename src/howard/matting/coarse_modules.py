"""The decoder: four steps up from stride 16 to full coarse resolution (Lin et al. 2021, section 4.1)."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.encoders import Features
from howard.matting.joining import join

# Output channels that a CPU's convolutions work on together.
_BLOCK = 8


class Decoded(NamedTuple):
    """What the decoder gives."""

    outputs: Tensor  # (B, out_channels, H, W), or fewer channels
    features: Tensor  # (B, C, H, W), what the last convolution was given


class Decoder(nn.Module):
    """Four times: double the size bilinearly, join the skip, 3x3 convolution; BN and ReLU on the first three.

    Args:
        in_channels: of the ASPP output.
        skip_channels: of the encoder's features at strides 2, 4, 8, and of the raw input at stride 1 (6).
        widths: output channels of the first three steps.
        out_channels: of the last step.
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

    def forward(self, x: Tensor, skips: Features, pair: Tensor, wanted: int | None = None) -> Decoded:
        """ASPP output, encoder features and the raw (B, 6, H, W) input in [0, 1] to the last step's outputs: all, or
        the first ``wanted`` of them."""
        x = self.relu(self.bn1(self.conv1(_upsample_and_join(x, skips.stride8))))
        x = self.relu(self.bn2(self.conv2(_upsample_and_join(x, skips.stride4))))
        x = _upsample_and_join(self.relu(self.bn3(self.conv3(_upsample_and_join(x, skips.stride2)))), pair)
        # A part of a block takes a CPU longer than the whole one.
        count = None if wanted is None else -(-wanted // _BLOCK) * _BLOCK
        kernel, bias = self.conv4.weight[:count], self.conv4.bias[:count]  # type: ignore[index]
        return Decoded(F.conv2d(x, kernel, bias, padding=1)[:, :wanted], x)


def _upsample_and_join(x: Tensor, skip: Tensor) -> Tensor:
    x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
    return join(x, skip.to(x.dtype))  # under autocast a float32 input would make everything float32
