"""Corrections of the foreground's colours: extension into unknown pixels, and despill."""

from functools import reduce

import torch
from torch import Tensor

from howard.compositing.pyramid import enlarge, shrink, sum_channels, sum_pyramid

# Luminance of linear light (ITU-R BT.709).
_LUMINANCE = (0.2126, 0.7152, 0.0722)
# Weight of a colour known only at the next coarser scale: so small that the nearest colours dominate.
_COARSER = 0.1
# Pixels, at a long side of 1920, over which the plate's colour is averaged: the width of soft hair.
_CAST_SIZE = 32
# Chroma, as a fraction of luminance, below which a plate counts as grey: the tint of grey walls after white balance.
_GREY = 0.05
# Alpha from which despilling fades out towards opaque pixels.
_NEARLY_OPAQUE = 0.98
_EPSILON = 1e-12


def extend_foreground(foreground: Tensor, weight: Tensor, distance: int) -> Tensor:
    """Extend colours outward by push-pull interpolation, before alpha is enlarged.

    Args:
        foreground: colours, (B, 3, H, W).
        weight: (B, 1, H, W), weights of the colours in the interpolation; 0 where they are unknown.
        distance: minimum distance in pixels to which they are extended. Farther pixels may stay unchanged.

    Returns:
        Colours (B, 3, H, W): known ones unchanged, the others similar to the nearest known ones.
    """
    if distance <= 0:
        return foreground
    size = foreground.shape[2], foreground.shape[3]
    levels = min(distance.bit_length() + 1, max(size).bit_length())
    pyramid = sum_pyramid(torch.cat([foreground * weight, weight], dim=1), levels)
    filled = _known_colours(pyramid[-1])
    for known in pyramid[-2:0:-1]:
        coarser = _COARSER * enlarge(filled, 2, (known.shape[2], known.shape[3]))
        filled = torch.where(known[:, 3:] > 0, _known_colours(known), coarser)
    filled = _known_colours(enlarge(filled, 2, size))
    return torch.where((weight <= 0) & (filled[:, 3:] > 0), filled[:, :3], foreground)


def _known_colours(weighted: Tensor) -> Tensor:
    """Sums of weighted colours and weights, (B, 4, h, w), to mean colours and 1; all 0 where the weight is 0."""
    weight = weighted[:, 3:]
    return weighted / weight.clamp(min=_EPSILON) * (weight > _EPSILON)


def despill(foreground: Tensor, plate: Tensor, alpha: Tensor, strength: float) -> Tensor:
    """Remove the plate's colour cast from the foreground's soft pixels, keeping their luminance.

    Chroma is the difference of a colour from the grey of the same luminance. Its component in the direction of the
    plate's local mean chroma is reduced by ``strength`` if it is positive.

    Args:
        foreground: straight colours, (B, 3, H, W) linear light.
        plate: (B, 3, H, W) linear light.
        alpha: (B, 1, H, W) in [0, 1]; pixels where it is 0 or 1 stay unchanged.
        strength: in [0, 1]; 0 returns the input itself, 1 removes the component completely.
    """
    if not strength:
        return foreground
    cast = _local_chroma(plate)
    # Scalar product of cast and chroma, which is the foreground minus its luminance.
    excess = sum_channels(foreground * cast) - _luminance(foreground) * sum_channels(cast)
    # No channel may become negative.
    limit = torch.where(cast > _EPSILON, foreground.clamp(min=0) / cast, torch.inf)
    excess = reduce(torch.minimum, limit.split(1, dim=1), excess.clamp(min=0))
    soft = ((1 - alpha) / (1 - _NEARLY_OPAQUE)).clamp(0, 1) * (alpha > 0)
    return foreground - strength * soft * excess * cast


def _local_chroma(plate: Tensor) -> Tensor:
    """Direction (B, 3, H, W) of the plate's mean chroma around each pixel: of length at most 1, 0 where it is grey."""
    size = plate.shape[2], plate.shape[3]
    cell = max(1, round(_CAST_SIZE * max(size) / 1920))
    mean = shrink(plate, cell)
    luminance = _luminance(mean)
    chroma = mean - luminance
    squared = chroma.square().sum(dim=1, keepdim=True)
    return enlarge(chroma / (squared + (_GREY * luminance).square() + _EPSILON).sqrt(), cell, size)


def _luminance(light: Tensor) -> Tensor:
    red, green, blue = light.split(1, dim=1)
    return _LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue
