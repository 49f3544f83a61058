"""Ratio of the source's light to the plate's in cells of the visible background, and the confidence of each cell.

The ratio is a shadow's factor only where both images show the same surface. It is computed from sums over an area, not
from single pixels: misalignment of the plate moves light between neighbouring pixels, but does not change the sum.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.pyramid import enlarge, shrink

# The constants were chosen on data/sample (benchmarks/shadow.py).
# Long side of the grid of cells. With 960 cells the error outside shadows rose by half, with 240 the error in shadows
# by a fifth.
_LONG_SIDE = 480
# Weights of the channels of linear light in brightness: near Rec. 709 luma.
_BRIGHTNESS = (0.25, 0.6, 0.15)
# Mean alpha from which a cell and its neighbours are excluded as part of the person.
_OCCUPIED = 0.02
# Coverage of a cell below which its plate is not used: cells must be fully covered, up to rounding.
_COVERED = 0.98
# Standard deviation of a cell's noise in dark areas, in linear light: sensor, codec and rounding to 8 bits.
_DARK = 0.002
# Linear light added to both images, so that the ratio of black is defined.
_BLACK = 0.001
# Standard deviation of a cell's noise at a brightness of 1, in linear light; proportional to the root of brightness.
_NOISE = 0.02
# Standard deviation of the error of exposure matching, as a fraction of brightness.
_EXPOSURE = 0.01
# Standard deviation of the plate's misalignment, in cells: half a pixel at a long side of 1920.
_MISALIGNED = 0.12
# Difference between the channels' log ratios from which a cell counts as a different surface, not a shadow.
_COLOURED = 0.3
# Exponent of the ratio of the weakest channel to brightness, a factor on the confidence in the light's colour.
_SATURATED = 3
# Smallest factor of a shadow; the fourth power of the sample clip's shadow has a minimum of 0.3.
DARKEST = 0.25
# Largest factor of light reflected by the person: a white shirt close to a wall.
BRIGHTEST = 1.15


class LightRatio(NamedTuple):
    """Light of source and plate in cells, (B, C, h, w); all fields are additive over cells.

    ``source`` and ``plate`` are weighted linear light; the ratio of their sums over an area is the factor between them.
    ``trust`` (C = 1) is the inverse variance of that factor's logarithm, 0 for unused cells. ``outside`` (C = 1) is the
    area outside the person, in cells.
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
        The ratio of brightness (C = 1), in cells of :func:`shadow_cell_size` pixels, and the ratio of the channels
        (C = 3) of the same cells, which gives the colour of the light.
    """
    factor = shadow_cell_size(source)
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
    trust = empty * possible * _colour_similarity(source, plate) / variance
    weight = trust / around
    # Surfaces without light in a channel, such as blue on a yellow table, do not show the colour of the light.
    palest = (plate.amin(dim=1, keepdim=True) / around).clamp(max=1) ** _SATURATED
    return (
        LightRatio(lit * weight, known * weight, trust, outside),
        LightRatio(source * weight, plate * weight, trust * palest, outside),
    )


def brightness(light: Tensor) -> Tensor:
    """Weighted mean of the channels of linear light, (B, 3, h, w) -> (B, 1, h, w)."""
    red, green, blue = light.split(1, dim=1)
    return _BRIGHTNESS[0] * red + _BRIGHTNESS[1] * green + _BRIGHTNESS[2] * blue


def shadow_cell_size(images: Tensor) -> int:
    """Side of a cell in pixels of images (B, C, H, W)."""
    return max(1, round(max(images.shape[2:]) / _LONG_SIDE))


def mean_3x3(cells: Tensor, step: int = 1) -> Tensor:
    """Mean of each cell and its eight neighbours at a distance of ``step``, (B, C, h, w); edges are replicated."""
    return _combine_3x3(torch.add, cells, step) / 9


def mean_9x9(cells: Tensor) -> Tensor:
    """Means over 9x9 cells, computed as 3x3 means of 3x3 means."""
    return mean_3x3(mean_3x3(cells), step=3)


def _combine_3x3(combine: Callable[[Tensor, Tensor], Tensor], cells: Tensor, step: int) -> Tensor:
    # Shifted images, since pooling takes ten times as long on a CPU.
    for axis, sides in ((2, (0, 0, step, step)), (3, (step, step, 0, 0))):
        padded, size = F.pad(cells, sides, mode="replicate"), cells.shape[axis]
        before, at, after = (padded.narrow(axis, shift * step, size) for shift in range(3))
        cells = combine(combine(before, at), after)
    return cells


def _colour_similarity(source: Tensor, plate: Tensor) -> Tensor:
    """1 where source and plate (B, 3, h, w) differ in brightness only, near 0 where in colour: different surfaces."""
    ratio = (shrink(source, 2) / shrink(plate, 2)).log()
    colour = ratio - ratio.mean(dim=1, keepdim=True)
    # The maximum over neighbours, since mixed cells at the edge of a different surface differ less.
    difference = _combine_3x3(torch.maximum, colour.square().sum(dim=1, keepdim=True), 1)
    similarity = (-difference / _COLOURED**2).exp()
    return enlarge(similarity, 2, (source.shape[2], source.shape[3]))


def _squared_error(known: Tensor, around: Tensor) -> Tensor:
    """Expected squared difference of source and plate without a shadow, from the plate's brightness."""
    padded = F.pad(known, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    slope = mean_3x3(_combine_3x3(torch.maximum, across.square() + down.square(), 1)) / 4
    return _NOISE**2 * around + _DARK**2 + (_EXPOSURE * around).square() + _MISALIGNED**2 * slope


def _spread(ratio: Tensor, empty: Tensor) -> Tensor:
    """Local variance of log ratios, (B, 1, h, w); large where the plate is misaligned or shows a different surface."""
    ratio = ratio.clamp(-1, 1)
    weight, first, second = mean_9x9(torch.cat([empty, empty * ratio, empty * ratio.square()], dim=1)).split(1, dim=1)
    weight = weight.clamp(min=1e-6)
    return (second / weight - (first / weight).square()).clamp(min=0)
