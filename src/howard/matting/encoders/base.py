"""Base class of the encoders: outputs, declared channels, and extra inputs."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn


class Features(NamedTuple):
    """Feature maps of one image pair, each (B, C, H / stride, W / stride) with the size rounded up."""

    stride2: Tensor
    stride4: Tensor
    stride8: Tensor
    stride16: Tensor


class Encoder(nn.Module):
    """Base of the encoders: six input channels (source RGB, plate RGB in [0, 1]) to four feature maps.

    Extra inputs are processed by ``extra_stem``, a convolution in parallel to the stem whose output is added to the
    stem's. Its weights start at 0, so that a trained network gains an input without a change of its output. It does not
    exist without extra inputs, so that published weights load strictly.
    """

    channels: ClassVar[tuple[int, int, int, int]]  # of stride 2, 4, 8, 16
    stem_name: ClassVar[str]  # parameter name of the stem's kernel, inside the encoder
    stem_stride: ClassVar[int] = 2

    def __init__(self) -> None:
        super().__init__()
        self.extra_stem: nn.Conv2d | None = None

    def add_extra_inputs(self, count: int) -> None:
        """Add ``count`` input channels; 0 keeps the published architecture."""
        if count == 0:
            return
        stem = self.get_parameter(self.stem_name)
        size = stem.shape[-1]
        self.extra_stem = nn.Conv2d(count, stem.shape[0], size, self.stem_stride, size // 2, bias=False)
        nn.init.zeros_(self.extra_stem.weight)

    def with_extra(self, stem: Tensor, extra: Tensor | None) -> Tensor:
        """Add the convolution of the extra inputs to the stem's output (both before normalisation).

        Raises:
            ValueError: extra inputs are given to an encoder without them, or are missing.
        """
        if (extra is None) != (self.extra_stem is None):
            wanted = 0 if self.extra_stem is None else self.extra_stem.in_channels
            given = 0 if extra is None else extra.shape[1]
            raise ValueError(f"the encoder takes {wanted} extra input channels, {given} were given")
        return stem if self.extra_stem is None else stem + self.extra_stem(extra)


# Factor on both halves of a six-channel stem: about 1 / sqrt(2), so that their sum has the variance of the kernel.
_STEM_GAIN = 0.7


def initialise_convolutions(module: nn.Module) -> None:
    """He initialisation (He et al. 2015, fan-out) of every convolution; batch norms keep weight 1 and bias 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def six_channel_stem(kernel: Tensor) -> Tensor:
    """A stem kernel for source and plate, (C, 6, k, k), from an ImageNet stem kernel (C, 3, k, k).

    The plate gets the *negative* kernel, so that the first layer initially responds to their difference; both are
    scaled to keep the output's magnitude. In short runs the error was half of that with the same sign for both.
    """
    return torch.cat([_STEM_GAIN * kernel, -_STEM_GAIN * kernel], dim=1)
