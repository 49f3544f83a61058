"""What every encoder shares: its outputs, its declared channels, and the way extra inputs enter."""

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

    Inputs beyond source and plate enter through ``extra_stem``, a convolution beside the stem whose output is added to
    the stem's. It starts at zero, so a network gains an input without forgetting anything, and it is absent
    when there is none, so published weights still load strictly.
    """

    channels: ClassVar[tuple[int, int, int, int]]  # of stride 2, 4, 8, 16
    stem_name: ClassVar[str]  # parameter name of the stem's kernel, inside the encoder
    stem_stride: ClassVar[int] = 2

    def __init__(self) -> None:
        super().__init__()
        self.extra_stem: nn.Conv2d | None = None

    def add_extra_inputs(self, count: int) -> None:
        """Give the encoder ``count`` further input channels; a count of 0 leaves it as published."""
        if count == 0:
            return
        stem = self.get_parameter(self.stem_name)
        size = stem.shape[-1]
        self.extra_stem = nn.Conv2d(count, stem.shape[0], size, self.stem_stride, size // 2, bias=False)
        nn.init.zeros_(self.extra_stem.weight)

    def with_extra(self, stem: Tensor, extra: Tensor | None) -> Tensor:
        """Add the extra inputs' share to the stem's output (both before normalisation).

        Raises:
            ValueError: extra inputs are given to an encoder built without them, or the other way round.
        """
        if (extra is None) != (self.extra_stem is None):
            wanted = 0 if self.extra_stem is None else self.extra_stem.in_channels
            given = 0 if extra is None else extra.shape[1]
            raise ValueError(f"the encoder takes {wanted} extra input channels, {given} were given")
        return stem if self.extra_stem is None else stem + self.extra_stem(extra)


# Scale of both halves of a six-channel stem: about 1 / sqrt(2), so that the sum of the two has the kernel's variance.
_STEM_GAIN = 0.7


def initialise_convolutions(module: nn.Module) -> None:
    """He initialisation (He et al. 2015, fan-out) of every convolution; batch norms keep weight 1 and bias 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def six_channel_stem(kernel: Tensor) -> Tensor:
    """Spread an ImageNet stem kernel (C, 3, k, k) over source and plate: (C, 6, k, k).

    The plate gets the *negative* of the source's kernel, so the first layer starts out seeing their difference; both
    are scaled to keep the output's magnitude. In short runs this halved the error against giving both the same sign.
    """
    return torch.cat([_STEM_GAIN * kernel, -_STEM_GAIN * kernel], dim=1)
