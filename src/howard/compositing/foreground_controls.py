"""Finishing controls: what an artist changes of a matte and its colours. Without any, everything stays as it is.

Alpha is changed in the order levels, choke, feather. Pixels are those of the frame itself, whatever its size.
"""

from functools import reduce
from math import ceil, exp, floor
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.erosion import erode
from howard.compositing.pyramid import enlarge, shrink, sum_channels, sum_pyramid

# Feathering by n pixels is a Gaussian of this many sigma: a hard edge comes to reach from 2 to 98 % over 2 n pixels.
_FEATHER_SIGMAS = 2.0
# Sigmas at which the Gaussian is cut off.
_KERNEL_SIGMAS = 3.0
# Luminance of linear light (ITU-R BT.709).
_LUMINANCE = (0.2126, 0.7152, 0.0722)
# What a colour counts that is known at the next coarser scale only: so little that the nearest colours dominate.
_COARSER = 0.1
# Pixels, at a long side of 1920, over which the plate's colour is averaged: the width of soft hair.
_CAST_SIZE = 32
# Chroma, as a share of luminance, below which a plate counts as grey: the tint that white balance leaves in grey walls.
_GREY = 0.05
# Alpha from which despilling fades out towards opaque pixels.
_NEARLY_OPAQUE = 0.98
_NOTHING = 1e-12


class FinishingControls(NamedTuple):
    """Settings of the finish; the defaults change nothing.

    ``choke`` moves the edge of alpha inward by so many pixels of the frame, outward where it is negative. ``black`` and
    ``white`` are the alphas that become 0 and 1. ``feather`` softens the edge over so many pixels to either side.
    ``despill`` in [0, 1] is the share of the plate's colour cast that is taken from soft edges.
    """

    choke: float = 0.0
    black: float = 0.0
    white: float = 1.0
    feather: float = 0.0
    despill: float = 0.0

    def checked(self) -> "FinishingControls":
        """These controls.

        Raises:
            ValueError: one of them has a value that cannot be used.
        """
        if not 0 <= self.black < self.white <= 1:
            raise ValueError(f"black={self.black} and white={self.white}: need 0 <= black < white <= 1")
        if not 0 <= self.feather < float("inf"):
            raise ValueError(f"feather={self.feather}: need a number of pixels, 0 or more")
        if not abs(self.choke) < float("inf"):
            raise ValueError(f"choke={self.choke}: need a number of pixels")
        if not 0 <= self.despill <= 1:
            raise ValueError(f"despill={self.despill}: need a number from 0 to 1")
        return self

    @property
    def is_identity(self) -> bool:
        """Whether nothing is changed."""
        return self == FinishingControls()

    @property
    def reach(self) -> int:
        """Pixels by which alpha may grow outward, and the foreground's colour has to go on."""
        # Between whole radii, choking interpolates.
        return max(0, _kernel_radius(self.feather) - floor(self.choke))


def finish_alpha(alpha: Tensor, controls: FinishingControls) -> Tensor:
    """Alpha (B, 1, H, W) in [0, 1] after levels, choke and feather; the very input where these change nothing."""
    alpha = adjust_levels(alpha, controls.black, controls.white)
    return feather(choke(alpha, controls.choke), controls.feather)


def adjust_levels(alpha: Tensor, black: float, white: float) -> Tensor:
    """Stretch alpha (B, 1, H, W) in [0, 1] so that ``black`` becomes 0 and ``white`` 1.

    Raises:
        ValueError: black is not below white.
    """
    if black >= white:
        raise ValueError(f"black={black} is not below white={white}")
    if (black, white) == (0, 1):
        return alpha
    return ((alpha - black) / (white - black)).clamp(0, 1)


def choke(alpha: Tensor, pixels: float) -> Tensor:
    """Move the edge of alpha (B, 1, H, W) in [0, 1] inward by ``pixels``, outward where they are negative.

    Grey erosion by a disc: soft edges keep their softness. What lies beyond the frame is like its border.
    """
    if pixels < 0:
        return 1 - erode(1 - alpha, -pixels)
    return erode(alpha, pixels) if pixels else alpha


def feather(alpha: Tensor, pixels: float) -> Tensor:
    """Soften alpha (B, 1, H, W) in [0, 1] over ``pixels`` to either side: a Gaussian blur of sigma ``pixels / 2``.

    It is cut off at three sigma; what lies beyond the frame is like its border.
    """
    if not pixels:
        return alpha
    radius, sigma = _kernel_radius(pixels), pixels / _FEATHER_SIGMAS
    weights = [_gaussian(offset / sigma) for offset in range(-radius, radius + 1)]
    for axis, sides in ((2, (0, 0, radius, radius)), (3, (radius, radius, 0, 0))):
        padded, size = F.pad(alpha, sides, mode="replicate"), alpha.shape[axis]
        # Sums of shifted pictures: for one channel a CPU's convolution takes longer.
        alpha = torch.zeros_like(alpha)
        for offset, weight in enumerate(weights):
            alpha.add_(padded.narrow(axis, offset, size), alpha=weight / sum(weights))
    return alpha.clamp(0, 1)


def extend_foreground(foreground: Tensor, weight: Tensor, reach: int) -> Tensor:
    """Continue colours outward, for alpha that is about to grow.

    Args:
        foreground: colours, (B, 3, H, W).
        weight: (B, 1, H, W), 0 where they are unknown, above where they are known. The more, the more they count.
        reach: pixels by which to continue them at least. Farther out they stay as they are.

    Returns:
        Colours (B, 3, H, W), those known unchanged, the others like the nearest known ones (push-pull).
    """
    if reach <= 0:
        return foreground
    size = foreground.shape[2], foreground.shape[3]
    levels = min(reach.bit_length() + 1, max(size).bit_length())
    pyramid = sum_pyramid(torch.cat([foreground * weight, weight], dim=1), levels)
    filled = _known_colours(pyramid[-1])
    for known in pyramid[-2:0:-1]:
        coarser = _COARSER * enlarge(filled, 2, (known.shape[2], known.shape[3]))
        filled = torch.where(known[:, 3:] > 0, _known_colours(known), coarser)
    filled = _known_colours(enlarge(filled, 2, size))
    return torch.where((weight <= 0) & (filled[:, 3:] > 0), filled[:, :3], foreground)


def _known_colours(weighted: Tensor) -> Tensor:
    """Sums of weighted colours and of the weights, (B, 4, h, w), to colours and 1, or all 0 where nothing is known."""
    weight = weighted[:, 3:]
    return weighted / weight.clamp(min=_NOTHING) * (weight > _NOTHING)


def despill(foreground: Tensor, plate: Tensor, alpha: Tensor, strength: float) -> Tensor:
    """Take the plate's colour cast from the foreground's soft pixels, keeping their luminance.

    Chroma is what a colour differs from the grey of its luminance. Its component in the direction of the chroma of the
    plate around the pixel is reduced by ``strength`` where it is positive.

    Args:
        foreground: straight colours, (B, 3, H, W) linear light.
        plate: what lies behind, (B, 3, H, W) linear light.
        alpha: (B, 1, H, W) in [0, 1]; pixels where it is 0 or 1 stay as they are.
        strength: in [0, 1]; 0 returns the very input, 1 removes the component altogether.
    """
    if not strength:
        return foreground
    cast = _local_chroma(plate)
    # The product of chroma and cast, chroma being the foreground less its luminance.
    excess = sum_channels(foreground * cast) - _luminance(foreground) * sum_channels(cast)
    # No channel may fall below 0.
    most = torch.where(cast > _NOTHING, foreground.clamp(min=0) / cast, torch.inf)
    excess = reduce(torch.minimum, most.split(1, dim=1), excess.clamp(min=0))
    soft = ((1 - alpha) / (1 - _NEARLY_OPAQUE)).clamp(0, 1) * (alpha > 0)
    return foreground - strength * soft * excess * cast


def _local_chroma(plate: Tensor) -> Tensor:
    """The direction (B, 3, H, W) of the plate's chroma around each pixel: of length 1 at most, 0 where it is grey."""
    size = plate.shape[2], plate.shape[3]
    cell = max(1, round(_CAST_SIZE * max(size) / 1920))
    mean = shrink(plate, cell)
    luminance = _luminance(mean)
    chroma = mean - luminance
    squared = chroma.square().sum(dim=1, keepdim=True)
    return enlarge(chroma / (squared + (_GREY * luminance).square() + _NOTHING).sqrt(), cell, size)


def _luminance(light: Tensor) -> Tensor:
    red, green, blue = light.split(1, dim=1)
    return _LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue


def _gaussian(sigmas: float) -> float:
    return exp(-0.5 * sigmas * sigmas)


def _kernel_radius(pixels: float) -> int:
    return ceil(_KERNEL_SIGMAS / _FEATHER_SIGMAS * pixels)
