"""The decoder: four steps up from stride 16 to full coarse resolution (Lin et al. 2021, section 4.1)."""

import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.encoders import Features
from howard.matting.joining import join


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

    def forward(self, x: Tensor, skips: Features, pair: Tensor, wanted: int | None = None) -> Tensor:
        """ASPP output, encoder features and the raw (B, 6, H, W) input in [0, 1] to (B, out_channels, H, W), or to the
        first ``wanted`` of these channels."""
        x = self.relu(self.bn1(self.conv1(_upsample_and_join(x, skips.stride8))))
        x = self.relu(self.bn2(self.conv2(_upsample_and_join(x, skips.stride4))))
        x = self.relu(self.bn3(self.conv3(_upsample_and_join(x, skips.stride2))))
        kernel, bias = self.conv4.weight[:wanted], self.conv4.bias[:wanted]  # type: ignore[index]
        return F.conv2d(_upsample_and_join(x, pair), kernel, bias, padding=1)


def _upsample_and_join(x: Tensor, skip: Tensor) -> Tensor:
    x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
    return join(x, skip.to(x.dtype))  # under autocast a float32 input would make everything float32
