"""Ratio of the source's light to the plate's over the empty place, cell by cell, and the confidence of each cell.

The ratio is a shadow's factor only where both images show the same surface. It is always a ratio of sums over an area,
never of single pixels: a misaligned plate moves light between neighbouring pixels and leaves the sum.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.pyramid import enlarge, shrink

# The constants were chosen on data/sample (benchmarks/shadow.py).
# Long side, in cells, of the picture in which ratios are taken. At 960 the error where there is no shadow rose by half,
# at 240 that of shadows by a fifth.
_LONG_SIDE = 480
# Share of each channel of linear light in brightness: near Rec. 709 luma.
_BRIGHTNESS = (0.25, 0.6, 0.15)
# Mean alpha from which a cell and its neighbours count as the person.
_OCCUPIED = 0.02
# Coverage of a cell below which its plate is not used: cells must be covered wholly but for rounding.
_COVERED = 0.98
# Standard deviation of a cell's noise in the dark, in linear light: sensor, codec and rounding to 8 bits.
_DARK = 0.002
# Linear light added to both images, so that black has a ratio.
_BLACK = 0.001
# Standard deviation of a cell's noise at a brightness of 1, in linear light; it grows with the root of brightness.
_NOISE = 0.02
# Standard deviation of the exposure match's error, as a share of brightness.
_EXPOSURE = 0.01
# Standard deviation of the plate's misalignment, in cells: half a pixel at a long side of 1920.
_MISPLACED = 0.12
# Difference between the channels' log ratios from which a cell counts as another surface, not a shadow.
_COLOURED = 0.3
# Power of the ratio of the weakest channel to brightness that scales the confidence in the light's colour.
_SATURATED = 3
# The darkest factor of a shadow; the sample's, squared twice, go down to 0.3.
DARKEST = 0.25
# The brightest factor of light that the person reflects onto the place: a white shirt close to a wall.
BRIGHTEST = 1.15


class LightRatio(NamedTuple):
    """Light of the empty place and of the plate, (B, C, h, w) of cells; every field may be summed over cells.

    ``source`` and ``plate`` are weighted linear light: the ratio of their sums over an area is the factor between them.
    ``trust`` (C = 1) is the inverse variance of that factor's logarithm, 0 where a cell is not used. ``outside``
    (C = 1) is the area, in cells, that is outside the person.
    """

    source: Tensor
    plate: Tensor
    trust: Tensor
    outside: Tensor


def measure_light_ratio(
    source: Tensor, plate: Tensor, coverage: Tensor, alpha: Tensor
) -> tuple[LightRatio, LightRatio]:
    """Compare source and plate, (B, 3, H, W) linear light, where ``coverage`` (B, 1, H, W) is 1 and ``alpha`` 0.

    Returns:
        The ratio of brightness (C = 1), in cells of :func:`cell_size` pixels, and that of the channels (C = 3), to tell
        the colour of the light from, of the same cells.
    """
    factor = cell_size(source)
    source, plate, coverage, alpha = (shrink(each, factor) for each in (source, plate, coverage, alpha))
    occupied = _combine_3x3(torch.maximum, alpha / _OCCUPIED, 1).clamp(max=1)
    outside = 1 - occupied
    empty = outside * (coverage > _COVERED)
    plate = plate.clamp(min=0) + _BLACK
    source = torch.where(empty > 0, source.clamp(min=0) + _BLACK, plate)
    lit, known = brightness(source), brightness(plate)
    around = mean_3x3(known)
    change = mean_3x3(lit) / around
    possible = (change > DARKEST) & (change < BRIGHTEST)
    variance = _squared_error(known, around) / around.square() + _spread((lit / known).log(), empty)
    trust = empty * possible * _alikeness(source, plate) / variance
    weight = trust / around
    # Surfaces that lack a channel, as a yellow table lacks blue, do not show the colour of the light.
    palest = (plate.amin(dim=1, keepdim=True) / around).clamp(max=1) ** _SATURATED
    return (
        LightRatio(lit * weight, known * weight, trust, outside),
        LightRatio(source * weight, plate * weight, trust * palest, outside),
    )


def brightness(light: Tensor) -> Tensor:
    """(B, 3, h, w) linear light -> (B, 1, h, w)."""
    red, green, blue = light.split(1, dim=1)
    return _BRIGHTNESS[0] * red + _BRIGHTNESS[1] * green + _BRIGHTNESS[2] * blue


def cell_size(pictures: Tensor) -> int:
    """Width and height of a cell in pixels of (B, C, H, W)."""
    return max(1, round(max(pictures.shape[2:]) / _LONG_SIDE))


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


def _alikeness(source: Tensor, plate: Tensor) -> Tensor:
    """1 where source and plate (B, 3, h, w) differ by brightness alone, near 0 where by colour: another surface."""
    ratio = (shrink(source, 2) / shrink(plate, 2)).log()
    colour = ratio - ratio.mean(dim=1, keepdim=True)
    # At its edge another surface mixes with the plate's, which looks like less of a difference.
    difference = _combine_3x3(torch.maximum, colour.square().sum(dim=1, keepdim=True), 1)
    alike = (-difference / _COLOURED**2).exp()
    return enlarge(alike, 2, (source.shape[2], source.shape[3]))


def _squared_error(known: Tensor, around: Tensor) -> Tensor:
    """Expected squared difference of source and plate where there is no shadow, from the plate's brightness."""
    padded = F.pad(known, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    slope = mean_3x3(_combine_3x3(torch.maximum, across.square() + down.square(), 1)) / 4
    return _NOISE**2 * around + _DARK**2 + (_EXPOSURE * around).square() + _MISPLACED**2 * slope


def _spread(ratio: Tensor, empty: Tensor) -> Tensor:
    """Variance of log ratios (B, 1, h, w) around each cell; large where the plate is misplaced or another surface."""
    ratio = ratio.clamp(-1, 1)
    weight, first, second = mean_9x9(torch.cat([empty, empty * ratio, empty * ratio.square()], dim=1)).split(1, dim=1)
    weight = weight.clamp(min=1e-6)
    return (second / weight - (first / weight).square()).clamp(min=0)
