"""The shadow pass: the person's shadow on the place, and the light they reflect onto it, as a factor.

Evidence of different scales is fused from coarse to fine, each scale as far as it is trusted against the next coarser
one: a Wiener filter over a pyramid, which denoises, fills what is under the person from around, and ends at 1 where
nothing is known.
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
    cell_size,
    mean_3x3,
    mean_9x9,
    measure_light_ratio,
)
from howard.compositing.pyramid import count_levels, enlarge, sum_pyramid

# The constants were chosen on data/sample (benchmarks/shadow.py), also with its shadow removed and with it squared.
# Standard deviation of the log factor of a cell from that of four; from scale to scale, the coarser the larger.
_DETAIL = 0.03
_DETAIL_GROWTH = 2.0
# The same for the difference of the channels: shadows are grey or nearly so, and colour varies slowly.
_COLOUR_DETAIL = 0.005
# Inverse variance with which a cell of the finest scale of colour is taken to be grey.
_GREY = 800.0
# Halvings of the cells in which colour is estimated: cells of 16 pixels at a long side of 1920.
_COLOUR_SCALE = 2
# Inverse variance with which a cell that the plate did not see is taken to have no shadow; small, so that gaps of a few
# cells are filled from around.
_UNSEEN = 0.3
# Inverse variance with which the whole picture is taken to have no shadow.
_NO_SHADOW = 400.0
# Halvings at which the residual of the exposure match is measured: cells of 32 pixels at a long side of 1920.
_LEVEL_SCALE = 3
# Quantile of the log factor that is lit as the plate was: below 1/2 of the place may be in shadow. Higher ones took
# noise for the level where there was no shadow at all.
_LIT = 0.85
# Log factors below these are taken for errors rather than for shadow, for reflected light, and for colour.
_LEAST_SHADOW = 0.01
_LEAST_LIGHT = 0.1
_LEAST_COLOUR = 0.05
# Colour is limited to this log factor of a channel.
_MOST_COLOUR = 0.2
# Standard deviations of a frame's noise at which a difference between scales is halved.
_NOISE_LIMIT = 0.7
# Fewest cells to tell the noise of a scale from, and how many of more are used.
_FEWEST_CELLS = 1000
_MOST_CELLS = 4096
# Median of the square of a standard normal variable.
_MEDIAN_SQUARE = 0.455
_NOTHING = 1e-12


class _Scale(NamedTuple):
    """Evidence of one scale, (B, C, h, w) of cells that double from scale to scale.

    ``change`` is the log factor and ``trust`` (C = 1) its inverse variance; ``unseen`` (C = 1) is the inverse variance
    of a log factor of 0 where the plate did not see the place.
    """

    change: Tensor
    trust: Tensor
    unseen: Tensor


def estimate_shadow(source: Tensor, plate: Tensor, coverage: Tensor, alpha: Tensor) -> Tensor:
    """The factor by which the person changes the light on the place: (B, 3, H, W), 1 where they do not.

    A new background times the factor has the person's shadow on it.

    Args:
        source: (B, 3, H, W) linear light, may exceed 1.
        plate: like ``source``, aligned to it and matched in exposure; small differences of exposure and white balance
            that are the same everywhere are not taken for a shadow.
        coverage: (B, 1, H, W) in [0, 1], 1 where the plate saw the place. The factor is 1 inside large areas without.
        alpha: (B, 1, H, W) in [0, 1], the person's coverage. The factor is filled from around where it is not 0.
    """
    height, width = source.shape[2:]
    grey_ratio, colour_ratio = measure_light_ratio(source, plate, coverage, alpha)
    grey_scales = _subtract_level(_make_scales(grey_ratio), _LEVEL_SCALE, _LIT, _DETAIL)
    grey = _fuse([_limit(each, log(DARKEST), log(BRIGHTEST)) for each in grey_scales], _DETAIL)
    around = mean_9x9(grey)
    certain = _certainty(around, torch.where(around > 0, _LEAST_LIGHT, _LEAST_SHADOW))
    change = certain * (grey + _estimate_colour(colour_ratio))
    return enlarge(change.exp(), cell_size(source), (height, width))


def _estimate_colour(ratio: LightRatio) -> Tensor:
    """What the channels' log factors differ from that of brightness: (B, 3, h, w) of the ratio's cells."""
    scales = [
        each._replace(change=each.change - brightness(each.change.exp()).log())
        for each in _make_scales(ratio)[_COLOUR_SCALE:]
    ]
    scales = _subtract_level(scales, _LEVEL_SCALE - _COLOUR_SCALE, 0.5, _COLOUR_DETAIL)
    scales = [each._replace(unseen=each.unseen + _GREY * 4**number) for number, each in enumerate(scales)]
    colour = _fuse([_limit(each, -_MOST_COLOUR, _MOST_COLOUR) for each in scales], _COLOUR_DETAIL)
    colour = _certainty(colour, _LEAST_COLOUR) * colour
    height, width = ratio.trust.shape[2:]
    return enlarge(colour, 2**_COLOUR_SCALE, (height, width))


def _make_scales(ratio: LightRatio) -> list[_Scale]:
    """The evidence over cells of 1, 2, 4 ... of the given ones, to a single one."""
    levels = max(count_levels((ratio.trust.shape[2], ratio.trust.shape[3])), _LEVEL_SCALE)
    pyramids = (sum_pyramid(each, levels) for each in ratio)
    return [
        _Scale(((source + _NOTHING) / (plate + _NOTHING)).log(), trust, _UNSEEN * unknown)
        for source, plate, trust, unknown in zip(*pyramids, strict=True)
    ]


def _subtract_level(scales: list[_Scale], measured: int, share: float, detail: float) -> list[_Scale]:
    """Subtract the residual of exposure and white balance, which is the same everywhere: a quantile of one scale."""
    trust = scales[measured].trust
    # Beyond the mean, trust is a matter of brightness and texture.
    weight = trust.minimum(trust.mean(dim=(2, 3), keepdim=True))
    middle = _quantile(scales[measured].change, weight, 0.5)
    centred = [each._replace(change=each.change - middle, unseen=0 * each.unseen) for each in scales[measured:]]
    level = middle + _quantile(_fuse(centred, detail * _DETAIL_GROWTH**measured), weight, share)
    return [each._replace(change=each.change - level) for each in scales]


def _limit(scale: _Scale, least: float, most: float) -> _Scale:
    return scale._replace(change=scale.change.clamp(least, most))


def _quantile(values: Tensor, weight: Tensor, share: float) -> Tensor:
    """The value (B, C, 1, 1) of (B, C, h, w) below which lies this share of the weight (B, 1, h, w)."""
    ordered, order = values.flatten(2).sort(dim=2)
    below = weight.expand_as(values).flatten(2).gather(2, order).cumsum(dim=2)
    place = (below < share * below[..., -1:]).sum(dim=2, keepdim=True)
    return ordered.gather(2, place.clamp(max=ordered.shape[2] - 1))[..., None]


def _fuse(scales: list[_Scale], detail: float) -> Tensor:
    """The most probable log factors (B, C, h, w) of the finest scale.

    ``detail`` is the standard deviation, at the finest scale, of a cell's log factor from the next coarser cell's.
    """
    fused, known = torch.zeros_like(scales[-1].change), _NO_SHADOW
    for number in range(len(scales) - 1, -1, -1):
        change, trust, unseen = scales[number]
        difference = change - fused
        if fused.shape[2] * fused.shape[3] >= _FEWEST_CELLS:
            difference = _shrink_noise(difference, trust)
        fused = (trust * (fused + difference) + known * fused) / (trust + unseen + known)
        if number:
            finer = scales[number - 1].change
            fused = enlarge(fused, 2, (finer.shape[2], finer.shape[3]))
            known = 1 / (detail * _DETAIL_GROWTH ** (number - 1)) ** 2
    return fused


def _shrink_noise(difference: Tensor, trust: Tensor) -> Tensor:
    """Shrink differences between scales, (B, C, h, w), that are as small as most of the frame's are: noise.

    After Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994, with the non-negative
    garrote's smooth relative in place of their thresholds.
    """
    squared = mean_3x3(difference.square() * trust)
    step = max(1, round((squared.shape[2] * squared.shape[3] / _MOST_CELLS) ** 0.5))
    sample, weight = squared[..., ::step, ::step], trust[..., ::step, ::step]
    weight = weight.minimum(weight.mean(dim=(2, 3), keepdim=True))
    noise = _quantile(sample, weight, 0.5)
    return difference * (1 - _NOISE_LIMIT * noise / (squared + _NOTHING)).clamp(min=0)


def _certainty(change: Tensor, least: Tensor | float) -> Tensor:
    """From 0 for log factors far below ``least`` to 1 for those far above."""
    squared = change.square()
    return squared / (squared + least**2)
