"""Local statistics around pixels: foreground colours of solid pixels, and the plate's match in empty pixels.

Foreground colours are averaged at three levels of distance after M. Forte, "Approximate Fast Foreground Colour
Estimation", ICIP 2021: the weight of a pixel increases with its alpha and decreases with its distance.
"""

from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.patches import PATCH, Patches, read_cells
from howard.compositing.pyramid import sum_channels

# Approximate long side, in cells, of the grid in which colours are averaged.
AVERAGED_SIDE = 960
# Radius of the truncated Gaussian, of a standard deviation of 1 cell, that averages cells.
_RADIUS = 2
# Ratio of the sides of cells between one level of distance and the next.
_FARTHER = 4
# Number of levels of distance.
_DISTANCES = 3
# Binary logarithm of the exponent of alpha in a colour's weight: with 16 a pixel of alpha 0.9 has a weight of 0.2.
_SOLIDITY_LOG2 = 4
_EPSILON = 1e-12
# Largest code of the image from which sums of lines were computed, by the type of the sums.
_FULL_SUMS = {torch.int16: 255, torch.int32: 65535}
# Mean alpha below which a cell counts as empty.
_EMPTY = 0.01
# Coverage above which the plate is compared in a cell.
_COVERED = 0.999
# Prior of the plate's squared displacement, in cells, used where its squared slope is small compared with _FLAT.
_PRIOR_DISPLACEMENT = 0.5
# Weight of that prior, as a squared slope.
_FLAT = 1e-4


class Surroundings(NamedTuple):
    """Local statistics around the pixels of patches: planes (C, n, 16), or (C, n, 1) if equal in a whole patch.

    Encoded colours are averaged: the mean of dark hair with highlights is then nearer to its most frequent colour.
    """

    colour: Tensor  # (3, n, 16), mean foreground colour, encoded
    square: Tensor  # (1, n, 16), mean squared length of foreground colours, encoded
    weight: Tensor  # (1, n, 16), weight of solid pixels; 0 if there is none nearby
    alpha: Tensor  # (1, n, 16), mean alpha nearby
    lit: Tensor  # (3, n, 16), mean source colour of empty pixels, encoded
    plate: Tensor  # (3, n, 16), mean plate colour of the same pixels, encoded
    empty: Tensor  # (1, n, 16), fraction of empty pixels
    displacement: Tensor  # (1, n, 16), squared displacement of the plate, in pixels


def cell_size(height: int, width: int) -> int:
    """Side in pixels of the cells in which colours are averaged, a power of 2: 1 up to 960 x 540, 2 at 1080p."""
    size = 1
    while max(height, width) / size > AVERAGED_SIDE * 2**0.5:
        size *= 2
    return size


class Grid(NamedTuple):
    """Constraints on crops of an image, in pixels, under which the statistics of their patches stay the same."""

    margin: int  # radius of the surroundings of a patch
    origin: int  # the crop's upper left corner is a multiple of this
    unit: int  # the crop's sides are multiples of this


def find_grid(height: int, width: int) -> Grid:
    """The constraints for an image of this size."""
    cell = cell_size(height, width)
    largest = cell * _FARTHER ** (_DISTANCES - 1)
    return Grid(3 * largest, largest, cell * _FARTHER)


def average_surroundings(
    source: Tensor,
    plate: Tensor,
    coverage: Tensor,
    alpha: Tensor,
    patches: Patches,
    cell: int,
    farther_weight: float,
) -> Surroundings:
    """Compute the statistics of the solid and the empty pixels around patches.

    Args:
        source: (B, H, W, 3) code values as `howard.compositing.colour_encoding.decode` expects them; sides are
            multiples of the unit of `find_grid`.
        plate: like ``source``, aligned to it.
        coverage: (B, H, W, 1) in [0, 1].
        alpha: (B, H, W, 1) in [0, 1].
        patches: the patches.
        cell: result of `cell_size` for the whole image.
        farther_weight: factor on the weight of a colour from each level of distance to the next.
    """
    colour_lines, alpha_lines = _sum_lines(source, cell), _sum_lines(alpha, cell)
    near = _near_sums(colour_lines, alpha_lines, patches, cell)
    colours, cover = (_average_lines(lines, cell, _FARTHER) for lines in (colour_lines, alpha_lines))
    far = read_cells(farther_weight * _far_sums(_sums(colours, cover), farther_weight), patches, cell * _FARTHER)
    total = near[:5] + far
    weight = total[4:]
    inverse = 1 / weight.clamp(min=_EPSILON)
    behind, covered = (
        _average_lines(_sum_lines(image, cell * _FARTHER), cell * _FARTHER) for image in (plate, coverage)
    )
    empty = ((_blur(cover) < _EMPTY) & (covered > _COVERED)).to(cover.dtype)
    lit, displacement = _compare_empty(colours, behind, empty)
    lit, known, fraction = read_cells(lit, patches, cell * _FARTHER).split((3, 3, 1))
    return Surroundings(
        colour=total[:3] * inverse,
        square=total[3:4] * inverse,
        weight=weight,
        alpha=near[5:],
        lit=lit,
        plate=known,
        empty=fraction,
        displacement=read_cells(displacement, patches, cell * _FARTHER**2) * (cell * _FARTHER) ** 2,
    )


def _sums(colours: Tensor, cover: Tensor) -> Tensor:
    """Values to be averaged, (B, 5, ...): colour, its squared length and 1, each times alpha to the 16th power."""
    solid = cover
    for _ in range(_SOLIDITY_LOG2):
        solid = solid * solid
    weighted = colours * solid
    return torch.cat([weighted, sum_channels(weighted * colours), solid], dim=1)


def _near_sums(colours: Tensor, cover: Tensor, patches: Patches, cell: int) -> Tensor:
    """Blurred colour, squared length and weight of solid cells, and alpha, at the pixels of patches, (6, n, 16).

    ``colours`` and ``cover`` are results of `_sum_lines`. Only the cells around patches are read.
    """
    side, shared = max(1, PATCH // cell), max(1, cell // PATCH)
    offsets = torch.arange(-_RADIUS, side + _RADIUS, device=colours.device)
    height, width = colours.shape[1], colours.shape[2] // cell
    rows, columns = (
        (torch.div(at, shared, rounding_mode="floor")[:, None] * side + offsets).clamp(0, size - 1)
        for at, size in ((patches.row, height), (patches.column, width))
    )
    numbers = ((patches.picture[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]).flatten()

    def around(lines: Tensor) -> Tensor:
        """(1, C, n, window)."""
        channels = lines.shape[3]
        pixels = lines.reshape(-1, cell * channels).index_select(0, numbers).view(len(numbers), cell, channels)
        means = reduce(torch.add, pixels.unbind(1)).float() / (cell**2 * _FULL_SUMS.get(lines.dtype, 1))
        return means.view(1, -1, len(offsets) ** 2, channels).permute(0, 3, 1, 2).contiguous()

    seen = around(cover)
    sums = torch.cat([_sums(around(colours), seen), seen], dim=1)[0]
    blurred = sums @ _window_kernel(side, sums.device)
    if side in (1, PATCH):
        return blurred
    repeat = PATCH // side
    enlarged = blurred.view(len(sums), -1, side, 1, side, 1).expand(-1, -1, side, repeat, side, repeat)
    return enlarged.reshape(len(sums), -1, PATCH * PATCH)


def _window_kernel(side: int, device: torch.device) -> Tensor:
    """Gaussian weights of a window's cells for each of the ``side`` x ``side`` cells in its centre, (window, cells)."""
    weights = _gaussian(device)
    line = torch.stack([F.pad(weights, (at, side - 1 - at)) for at in range(side)], dim=1)
    return torch.einsum("ac,bd->abcd", line, line).reshape(len(line) ** 2, side**2)


def _far_sums(sums: Tensor, farther_weight: float) -> Tensor:
    """Weighted sum over the farther levels, (B, C, h, w), from the sums at the first of these levels."""
    levels = [_blur(sums)]
    for _ in range(2, _DISTANCES):
        sums = _shrink(sums)
        levels.append(_blur(sums))
    total = levels.pop()
    while levels:
        near = levels.pop()
        farther = F.interpolate(total, scale_factor=_FARTHER, mode="nearest")
        total = near + farther_weight * farther[..., : near.shape[2], : near.shape[3]]
    return total


def _compare_empty(colours: Tensor, plate: Tensor, empty: Tensor) -> tuple[Tensor, Tensor]:
    """Compare source and plate in empty cells.

    The displacement is estimated from the difference, which is the displacement times the plate's slope.

    Returns:
        Mean colours of source and plate and the fraction of empty cells, (B, 7, h, w); and the plate's squared
        displacement in cells, (B, 1, h / 4, w / 4).
    """
    apart = sum_channels((colours - plate).square())
    sums = torch.cat([colours * empty, plate * empty, empty, apart * empty, _squared_slope(plate) * empty], dim=1)
    lit, weight = _blur(sums[:, :7]).split((6, 1), dim=1)
    apart, slope = _blur(_shrink(sums[:, 7:])).split(1, dim=1)
    displacement = (apart + _PRIOR_DISPLACEMENT * _FLAT) / (slope + _FLAT)
    return torch.cat([lit / weight.clamp(min=_EPSILON), weight], dim=1), displacement


def _squared_slope(planes: Tensor) -> Tensor:
    """Squared change per cell, (B, 3, h, w) -> (B, 1, h, w), summed over channels and both directions."""
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return sum_channels(across.square() + down.square()) / 4


def _shrink(planes: Tensor) -> Tensor:
    """Means over 4 x 4 cells, (B, C, h, w) -> (B, C, h / 4, w / 4), rounded up; the border is replicated."""
    planes = F.pad(planes, (0, -planes.shape[3] % _FARTHER, 0, -planes.shape[2] % _FARTHER), mode="replicate")
    # Sums of strided slices, since pooling takes several times as long on a CPU.
    rows = reduce(torch.add, (planes[:, :, row::_FARTHER] for row in range(_FARTHER)))
    return reduce(torch.add, (rows[..., column::_FARTHER] for column in range(_FARTHER))) / _FARTHER**2


def _sum_lines(image: Tensor, cell: int) -> Tensor:
    """Sums of ``cell`` consecutive rows, (B, H, W, C) to (B, H / cell, W, C); of uint8 as int16, for up to 128 rows."""
    # Rows are contiguous in memory; pooling takes several times as long on a CPU.
    first = image[:, ::cell]
    total = first.to(torch.int16) if image.dtype == torch.uint8 else first.clone()
    for row in range(1, cell):
        total += image[:, row::cell]
    return total


def _average_lines(lines: Tensor, cell: int, farther: int = 1) -> Tensor:
    """Means, 1 for white, over cells ``farther`` times as large as those of `_sum_lines`: planes (B, C, h, w)."""
    planes = reduce(torch.add, (lines[:, row::farther] for row in range(farther))).permute(0, 3, 1, 2).contiguous()
    size = cell * farther
    total = reduce(torch.add, (planes[..., column::size].float() for column in range(size)))
    return total / (size**2 * _FULL_SUMS.get(lines.dtype, 1))


def _blur(planes: Tensor) -> Tensor:
    """Blur (B, C, h, w) by a Gaussian of one cell; the border is replicated."""
    channels = planes.shape[1]
    across = _gaussian(planes.device).view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    sides = (_RADIUS, _RADIUS, 0, 0), (0, 0, _RADIUS, _RADIUS)
    blurred = F.conv2d(F.pad(planes, sides[0], mode="replicate"), across, groups=channels)
    return F.conv2d(F.pad(blurred, sides[1], mode="replicate"), across.transpose(2, 3), groups=channels)


def _gaussian(device: torch.device) -> Tensor:
    """Weights of a Gaussian of one cell, (5,), computed on the device, since a copy from the host would synchronise."""
    offsets = torch.arange(-_RADIUS, _RADIUS + 1, device=device, dtype=torch.float32)
    kernel = (-0.5 * offsets * offsets).exp()
    return kernel / kernel.sum()
