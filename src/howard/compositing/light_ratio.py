"""How much brighter or darker the empty place is than the plate, cell by cell, and how far each cell is trusted.

The ratio of source and plate is the factor of a shadow only where both show the same surface. Sums over cells are
compared, never single pixels: an error of the plate's position moves light between neighbours and leaves the sum.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Long side, in cells, of the picture in which everything happens: shadows are smooth. At 960 the error where there is no
# shadow rose by half, at 240 that of shadows by a quarter (data/sample).
_LONG_SIDE = 480
# Linear light per channel that makes up brightness: rounded Rec. 709 luma with more blue, which is the noisiest channel.
_BRIGHTNESS = (0.25, 0.6, 0.15)
# Mean alpha of a cell at which it says nothing of the place; the neighbours of such cells say nothing either.
_OCCUPIED = 0.02
# Coverage of a cell below which its plate is not used: cells must be covered wholly but for rounding.
_COVERED = 0.98
# Linear light of the sensor's and the codec's noise in the dark; light below it says nothing.
_DARK = 0.004
# Noise at a brightness of 1, in linear light; it grows with the root of brightness.
_NOISE = 0.02
# Error of the exposure match, as a share of brightness.
_EXPOSURE = 0.02
# How far the aligned plate is taken to lie wrong, in cells: about one pixel at a long side of 1920.
_MISPLACED = 0.25
# Difference of the channels' log ratios at which a cell is taken for another surface instead of a shadow.
_COLOURED = 0.2
# Power of the weakest channel's share of brightness by which colour is trusted less.
_SATURATED = 3
# A shadow darkens to no less than this factor, and light reflected by the person brightens to no more than that one.
DARKEST, BRIGHTEST = 0.25, 1.15


class LightRatio(NamedTuple):
    """What cells say of the light on the place; (B, C, h, w) of cells.

    ``source`` and ``plate`` (C = 3) are linear light, weighted so that the quotient of their sums over any area is the
    factor between them. ``trust`` (C = 1) is the inverse variance of the logarithm of that factor, 0 where the cell says
    nothing; it adds up over areas. ``colour_trust`` is that of the channels' differences. ``unknown`` (C = 1) in [0, 1] is the share of the cell that is neither covered by the
    plate nor by the person.
    """

    source: Tensor
    plate: Tensor
    trust: Tensor
    colour_trust: Tensor
    unknown: Tensor


def measure_light_ratio(source: Tensor, plate: Tensor, coverage: Tensor, alpha: Tensor) -> LightRatio:
    """Compare source and plate, (B, 3, H, W) linear light, where ``coverage`` (B, 1, H, W) is 1 and ``alpha`` 0."""
    factor = cell_size(source)
    source, plate, coverage, alpha = (shrink(each, factor) for each in (source, plate, coverage, alpha))
    occupied = _combine_3x3(torch.maximum, alpha / _OCCUPIED, 1).clamp(max=1)
    empty = (1 - occupied) * (coverage > _COVERED)
    source, plate = source.clamp(min=0) + _DARK, plate.clamp(min=0) + _DARK
    lit, known = brightness(source), brightness(plate)
    around = mean_3x3(known)
    variance = _squared_error(known, around) / around.square() + _spread((lit / known).log(), empty)
    ratio = (mean_3x3(source) / mean_3x3(plate)).log()
    colour = ratio - ratio.mean(dim=1, keepdim=True)
    alike = (-colour.square().sum(dim=1, keepdim=True) / _COLOURED**2).exp()
    change = mean_3x3(lit) / around
    possible = (change > DARKEST) & (change < BRIGHTEST)
    trust = empty * alike * possible / variance
    # What lacks a channel, as a yellow table does blue, shows no colour of the light.
    palest = plate.amin(dim=1, keepdim=True) / around
    weight = trust / around
    unknown = (1 - coverage) * (1 - alpha)
    return LightRatio(source * weight, plate * weight, trust, trust * palest.clamp(max=1) ** _SATURATED, unknown)


def brightness(light: Tensor) -> Tensor:
    """(B, 3, h, w) linear light -> (B, 1, h, w)."""
    red, green, blue = light.split(1, dim=1)
    return _BRIGHTNESS[0] * red + _BRIGHTNESS[1] * green + _BRIGHTNESS[2] * blue


def cell_size(pictures: Tensor) -> int:
    """Width and height of a cell in pixels of (B, C, H, W)."""
    return max(1, round(max(pictures.shape[2:]) / _LONG_SIDE))


def shrink(pictures: Tensor, factor: int) -> Tensor:
    """Means over cells of ``factor`` x ``factor`` pixels; at the end the last row and column are repeated."""
    height, width = pictures.shape[2:]
    if height % factor or width % factor:
        pictures = F.pad(pictures, (0, -width % factor, 0, -height % factor), mode="replicate")
    batch, channels, height, width = pictures.shape
    rows = pictures.reshape(batch, channels, height // factor, factor, width).sum(dim=3)
    # A matrix product: a CPU's pooling, and its sum over the last dimension, take several times as long.
    cells = rows.view(batch, channels, height // factor, width // factor, factor)
    return cells @ torch.full((factor,), 1 / factor**2, dtype=rows.dtype, device=rows.device)


def mean_3x3(cells: Tensor, step: int = 1) -> Tensor:
    """Means of each cell and its eight neighbours ``step`` away; edges are replicated. (B, C, h, w), same size."""
    return _combine_3x3(torch.add, cells, step) / 9


def mean_9x9(cells: Tensor) -> Tensor:
    """Means over nine by nine cells, as of three by three of three by three."""
    return mean_3x3(mean_3x3(cells), step=3)


def _combine_3x3(combine: Callable[[Tensor, Tensor], Tensor], cells: Tensor, step: int) -> Tensor:
    # Shifted pictures, because a CPU's pooling takes ten times as long.
    for axis, sides in ((2, (0, 0, step, step)), (3, (step, step, 0, 0))):
        padded, size = F.pad(cells, sides, mode="replicate"), cells.shape[axis]
        before, at, after = (padded.narrow(axis, shift * step, size) for shift in range(3))
        cells = combine(combine(before, at), after)
    return cells


def _squared_error(known: Tensor, around: Tensor) -> Tensor:
    """Expected squared difference of source and plate where there is no shadow, from the plate's brightness."""
    padded = F.pad(known, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    slope = mean_3x3(_combine_3x3(torch.maximum, across.square() + down.square(), 1)) / 4
    return _NOISE**2 * around + _DARK**2 + (_EXPOSURE * around).square() + _MISPLACED**2 * slope


def _spread(ratio: Tensor, empty: Tensor) -> Tensor:
    """Variance of log ratios (B, 1, h, w) around each cell, which is large where the plate is misplaced or shows another
    surface."""
    ratio = ratio.clamp(-1, 1)
    weight, first, second = mean_9x9(torch.cat([empty, empty * ratio, empty * ratio.square()], dim=1)).split(1, dim=1)
    weight = weight.clamp(min=1e-6)
    return (second / weight - (first / weight).square()).clamp(min=0)
