"""The shadow layer: the person's shadow and reflected light on the background, as a factor on linear light.

A Wiener filter over a pyramid: from coarse to fine, each scale updates the estimate of the next coarser one, weighted
by inverse variances. This denoises, fills the area behind the person from its surroundings, and gives 1 without
evidence.
"""

from math import log
from typing import NamedTuple

import torch
from torch import Tensor

from howard.compositing.light_ratio import (
    BRIGHTEST,
    DARKEST,
    LightRatio,
    brightness,
    mean_3x3,
    mean_9x9,
    measure_light_ratio,
    shadow_cell_size,
)
from howard.compositing.pyramid import count_levels, enlarge, sum_pyramid

# The constants were chosen on data/sample (benchmarks/shadow.py): unchanged, without its shadow, with the fourth power
# of its shadow, and with white and low-frequency noise at 30 % of its light, balancing errors in and outside shadows.
# Standard deviation of the difference of a cell's log factor from the next coarser cell's, at the finest scale.
_DETAIL = 0.03
# Factor on that deviation from a scale to the next coarser one: shadows have soft edges.
_DETAIL_GROWTH = 2.0
# The same deviation for the difference between channels, which varies slowly.
_COLOUR_DETAIL = 0.005
# Inverse variance, per cell of the finest scale of colour, of the prior that shadows are grey.
_GREY = 800.0
# Halvings of the cells in which colour is estimated: cells of 16 pixels at a long side of 1920.
_COLOUR_SCALE = 2
# Inverse variance, per cell outside the person, of the prior that there is no shadow. Gaps of a few cells are filled
# from their surroundings; larger areas that the plate does not cover get a factor of 1.
_NO_SHADOW = 0.3
# The same for the coarsest cell, the whole image.
_NO_SHADOW_COARSEST = 400.0
# Halvings of the cells in which the exposure residual is measured: cells of 32 pixels at a long side of 1920.
_LEVEL_SCALE = 3
# Quantile of log factors that is the unshadowed level: most of the background may be slightly darker. With 0.9 the
# error without a shadow doubled, with 0.8 the error in shadows rose by a tenth.
_LEVEL_QUANTILE = 0.85
# Log factor of a darkening at which half of it is removed as a probable error.
_MIN_SHADOW = 0.01
# The same for brightening, which is mostly errors of the plate.
_MIN_LIGHT = 0.1
# The same for the difference between channels.
_MIN_COLOUR = 0.05
# Limit of a channel's log factor relative to the others: the blue of a shadow under open sky.
_MAX_COLOUR = 0.2
# Fraction of the median energy of a frame's differences between two scales that is subtracted as noise.
_NOISE_ENERGY = 0.7
# Minimum number of cells of a scale for measuring noise: coarser scales contain the shadows themselves.
_MIN_CELLS = 1000
# Number of cells sampled for measuring noise at finer scales.
_MEASURED_CELLS = 4096
# Added to a denominator, or to both sides of a ratio, so that 0 / 0 is 0 or 1.
_EPSILON = 1e-12


class _Scale(NamedTuple):
    """Evidence of one scale, (B, C, h, w); the side of the cells doubles from scale to scale.

    ``change`` is the log factor and ``trust`` (C = 1) its inverse variance; ``prior`` (C = 1) is the inverse variance
    of the prior that it is 0.
    """

    change: Tensor
    trust: Tensor
    prior: Tensor


def estimate_shadow(source: Tensor, plate: Tensor, coverage: Tensor, alpha: Tensor) -> Tensor:
    """The factor by which the person changes the light on the background, (B, 3, H, W); 1 where there is no change.

    A new background multiplied by it in linear light has the person's shadow.

    Args:
        source: (B, 3, H, W) linear light, may exceed 1.
        plate: like ``source``, aligned to it and matched in exposure; small global differences of exposure and white
            balance are corrected.
        coverage: (B, 1, H, W) in [0, 1], 1 where the plate shows the background. The factor is 1 inside large areas
            of 0.
        alpha: (B, 1, H, W) in [0, 1], the person's alpha. Where it is not 0 the factor is filled from the surroundings.
    """
    height, width = source.shape[2:]
    grey_ratio, colour_ratio = measure_light_ratio(source, plate, coverage, alpha)
    grey_scales = _subtract_level(_make_scales(grey_ratio), _LEVEL_SCALE, _LEVEL_QUANTILE, _DETAIL)
    grey = _fuse([_limit(each, log(DARKEST), log(BRIGHTEST)) for each in grey_scales], _DETAIL)
    around = mean_9x9(grey)
    certain = _certainty(around, torch.where(around > 0, _MIN_LIGHT, _MIN_SHADOW))
    change = certain * (grey + _estimate_colour(colour_ratio))
    return enlarge(change.exp(), shadow_cell_size(source), (height, width))


def _estimate_colour(ratio: LightRatio) -> Tensor:
    """Differences of the channels' log factors from that of brightness, (B, 3, h, w) of the ratio's cells."""
    scales = [
        each._replace(change=each.change - brightness(each.change.exp()).log())
        for each in _make_scales(ratio)[_COLOUR_SCALE:]
    ]
    scales = _subtract_level(scales, _LEVEL_SCALE - _COLOUR_SCALE, 0.5, _COLOUR_DETAIL)
    scales = [each._replace(prior=each.prior + _GREY * 4**number) for number, each in enumerate(scales)]
    colour = _fuse([_limit(each, -_MAX_COLOUR, _MAX_COLOUR) for each in scales], _COLOUR_DETAIL)
    colour = _certainty(colour, _MIN_COLOUR) * colour
    height, width = ratio.trust.shape[2:]
    return enlarge(colour, 2**_COLOUR_SCALE, (height, width))


def _make_scales(ratio: LightRatio) -> list[_Scale]:
    """The evidence of all scales: cells of 1, 2, 4 ... of the given cells, up to the whole image."""
    levels = max(count_levels((ratio.trust.shape[2], ratio.trust.shape[3])), _LEVEL_SCALE)
    pyramids = (sum_pyramid(each, levels) for each in ratio)
    return [
        _Scale(((source + _EPSILON) / (plate + _EPSILON)).log(), trust, _NO_SHADOW * outside)
        for source, plate, trust, outside in zip(*pyramids, strict=True)
    ]


def _subtract_level(scales: list[_Scale], measured: int, quantile: float, detail: float) -> list[_Scale]:
    """Subtract the global residual of exposure and white balance: a quantile of the scale ``measured``."""
    trust = scales[measured].trust
    # Limited to its mean, so that areas are weighted by size rather than by brightness and lack of texture.
    weight = trust.minimum(trust.mean(dim=(2, 3), keepdim=True))
    middle = _quantile(scales[measured].change, weight, 0.5)
    centred = [each._replace(change=each.change - middle, prior=0 * each.prior) for each in scales[measured:]]
    level = middle + _quantile(_fuse(centred, detail * _DETAIL_GROWTH**measured), weight, quantile)
    return [each._replace(change=each.change - level) for each in scales]


def _limit(scale: _Scale, low: float, high: float) -> _Scale:
    return scale._replace(change=scale.change.clamp(low, high))


def _quantile(values: Tensor, weight: Tensor, quantile: float) -> Tensor:
    """Weighted quantile (B, C, 1, 1) of values (B, C, h, w) with weights (B, 1, h, w)."""
    ordered, order = values.flatten(2).sort(dim=2)
    below = weight.expand_as(values).flatten(2).gather(2, order).cumsum(dim=2)
    index = (below < quantile * below[..., -1:]).sum(dim=2, keepdim=True)
    return ordered.gather(2, index.clamp(max=ordered.shape[2] - 1))[..., None]


def _fuse(scales: list[_Scale], detail: float) -> Tensor:
    """Posterior mean of the log factors (B, C, h, w) at the finest scale.

    ``detail`` is the standard deviation, at the finest scale, of the difference of a cell's log factor from the next
    coarser cell's.
    """
    fused, known = torch.zeros_like(scales[-1].change), _NO_SHADOW_COARSEST
    for number in range(len(scales) - 1, -1, -1):
        change, trust, prior = scales[number]
        difference = change - fused
        if fused.shape[2] * fused.shape[3] >= _MIN_CELLS:
            difference = _shrink_noise(difference, trust)
        fused = (trust * (fused + difference) + known * fused) / (trust + prior + known)
        if number:
            finer = scales[number - 1].change
            fused = enlarge(fused, 2, (finer.shape[2], finer.shape[3]))
            known = 1 / (detail * _DETAIL_GROWTH ** (number - 1)) ** 2
    return fused


def _shrink_noise(difference: Tensor, trust: Tensor) -> Tensor:
    """Shrink differences (B, C, h, w) between two scales by the frame's noise; those at noise level become 0.

    Block James-Stein shrinkage (Cai, "Adaptive wavelet estimation: a block thresholding and oracle inequality
    approach", Annals of Statistics 1999), with overlapping blocks of 3x3 cells.
    """
    squared = mean_3x3(difference.square() * trust)
    step = max(1, round((squared.shape[2] * squared.shape[3] / _MEASURED_CELLS) ** 0.5))
    sample, weight = squared[..., ::step, ::step], trust[..., ::step, ::step]
    weight = weight.minimum(weight.mean(dim=(2, 3), keepdim=True))
    noise = _quantile(sample, weight, 0.5)
    return difference * (1 - _NOISE_ENERGY * noise / (squared + _EPSILON)).clamp(min=0)


def _certainty(change: Tensor, threshold: Tensor | float) -> Tensor:
    """Smooth weight of log factors: 0 far below ``threshold``, 0.5 at it, 1 far above."""
    squared = change.square()
    return squared / (squared + threshold**2)
