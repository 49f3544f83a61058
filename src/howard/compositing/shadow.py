"""The shadow pass: the person's shadow on the place, and the light they reflect onto it, as a factor.

Evidence of different scales is fused from coarse to fine, each scale as far as it is trusted against the next coarser
one: a Wiener filter over a pyramid, which denoises, fills what is under the person from around, and ends at 1 where
nothing is known.
"""

from math import log
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.light_ratio import (
    BRIGHTEST,
    DARKEST,
    LightRatio,
    brightness,
    cell_size,
    mean_9x9,
    measure_light_ratio,
)
from howard.compositing.pyramid import count_levels, double, sum_pyramid

# The constants were chosen on data/sample (benchmarks/shadow.py), also with its shadow removed and with it squared.
# Standard deviation of the log factor of a cell from that of four; from scale to scale, the coarser the larger.
_DETAIL = 0.035
_DETAIL_GROWTH = 2**0.5
# The same for the difference of the channels: shadows are grey or nearly so, and colour varies slowly.
_COLOUR_DETAIL = 0.01
# Inverse variance with which a cell that the plate did not see is taken to have no shadow; small, so that gaps of a few
# cells are filled from around.
_UNSEEN = 10.0
# Inverse variance with which the whole picture is taken to have no shadow.
_NO_SHADOW = 400.0
# Halvings at which the residual of the exposure match is measured: cells of 32 pixels at a long side of 1920.
_LEVEL_SCALE = 3
# Quantile of the log factor that is lit as the plate was: below 1/2 of the place may be in shadow. Higher ones took
# noise for the level where there was no shadow at all.
_LIT = 0.85
# Log factors below these are taken for errors rather than for shadow, for reflected light, and for colour.
_LEAST_SHADOW = 0.015
_LEAST_LIGHT = 0.06
_LEAST_COLOUR = 0.03
# Colour is limited to this log factor of a channel.
_MOST_COLOUR = 0.2
_NOTHING = 1e-12


class _Scale(NamedTuple):
    """Evidence of one scale, (B, C, h, w) of cells that double from scale to scale.

    ``grey`` (C = 1) is the log factor of brightness, ``colour`` (C = 3) what the channels' log factors differ from it;
    ``trust`` and ``colour_trust`` (C = 1) are their inverse variances, ``unseen`` (C = 1) that of there being no shadow.
    """

    grey: Tensor
    colour: Tensor
    trust: Tensor
    colour_trust: Tensor
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
    ratio = measure_light_ratio(source, plate, coverage, alpha)
    scales = _subtract_level(_make_scales(ratio))
    unseen = [each.unseen for each in scales]
    grey = _fuse([each.grey for each in scales], [each.trust for each in scales], unseen, _DETAIL)
    colour = _fuse([each.colour for each in scales], [each.colour_trust for each in scales], unseen, _COLOUR_DETAIL)
    around = mean_9x9(grey)
    certain = _certainty(around, torch.where(around > 0, _LEAST_LIGHT, _LEAST_SHADOW))
    change = certain * (grey + _certainty(colour, _LEAST_COLOUR) * colour)
    return _enlarge(change.exp(), cell_size(source), (height, width))


def _make_scales(ratio: LightRatio) -> list[_Scale]:
    """The evidence over cells of 1, 2, 4 ... of the given ones, to a single one."""
    levels = count_levels((ratio.trust.shape[2], ratio.trust.shape[3]))
    sums = sum_pyramid(torch.cat([*ratio[:4], _UNSEEN * ratio.unknown], dim=1), levels)
    scales = []
    for source, plate, *weights in (each.split((3, 3, 1, 1, 1), dim=1) for each in sums):
        source, plate = source + _NOTHING, plate + _NOTHING
        grey = (brightness(source) / brightness(plate)).log()
        scales.append(_Scale(grey, (source / plate).log() - grey, *weights))
    return scales


def _subtract_level(scales: list[_Scale]) -> list[_Scale]:
    """Take away what is the same everywhere, the residual of exposure and white balance; limit the rest."""
    measured = scales[min(_LEVEL_SCALE, len(scales) - 1)]
    # Beyond the mean, trust is a matter of brightness and texture.
    weight = measured.trust.minimum(measured.trust.mean(dim=(2, 3), keepdim=True))
    grey = _quantile(measured.grey, weight, _LIT)
    colour = _quantile(measured.colour, weight, 0.5)
    return [
        each._replace(
            grey=(each.grey - grey).clamp(log(DARKEST), log(BRIGHTEST)),
            colour=(each.colour - colour).clamp(-_MOST_COLOUR, _MOST_COLOUR),
        )
        for each in scales
    ]


def _quantile(values: Tensor, weight: Tensor, share: float) -> Tensor:
    """The value (B, C, 1, 1) of (B, C, h, w) below which lies this share of the weight (B, 1, h, w)."""
    ordered, order = values.flatten(2).sort(dim=2)
    below = weight.expand_as(values).flatten(2).gather(2, order).cumsum(dim=2)
    place = (below < share * below[..., -1:]).sum(dim=2, keepdim=True)
    return ordered.gather(2, place.clamp(max=ordered.shape[2] - 1))[..., None]


def _fuse(values: list[Tensor], trusts: list[Tensor], unseen: list[Tensor], detail: float) -> Tensor:
    """The most probable values (B, C, h, w) of the finest scale.

    ``detail`` is the standard deviation, at the finest scale, of a cell's value from that of the next coarser cell.
    """
    fused, known = torch.zeros_like(values[-1]), _NO_SHADOW
    for scale in range(len(values) - 1, -1, -1):
        total = trusts[scale] + unseen[scale] + known
        fused = (trusts[scale] * values[scale] + known * fused) / total
        if scale:
            fused = double(fused, (values[scale - 1].shape[2], values[scale - 1].shape[3]))
            known = 1 / (detail * _DETAIL_GROWTH ** (scale - 1)) ** 2
    return fused


def _certainty(change: Tensor, least: Tensor | float) -> Tensor:
    """From 0 for log factors far below ``least`` to 1 for those far above."""
    squared = change.square()
    return squared / (squared + least**2)


def _enlarge(cells: Tensor, factor: int, size: tuple[int, int]) -> Tensor:
    """Cells (B, C, h, w) of ``factor`` pixels to a picture (B, C, H, W)."""
    batch, channels = cells.shape[:2]
    # Channels in the batch's place take a CPU a quarter of the time.
    single = cells.flatten(0, 1)[:, None]
    enlarged = F.interpolate(single, scale_factor=factor, mode="bilinear", align_corners=False)
    return enlarged.view(batch, channels, *enlarged.shape[2:])[..., : size[0], : size[1]]
