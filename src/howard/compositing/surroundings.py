"""What lies around a pixel: foreground colours in solid pixels, and how well the plate fits in empty ones.

Foreground colours are averaged at three distances after M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP
2021: one weighs the more the nearer and the more opaque its pixel is.
"""

from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.patches import PATCH, Patches, read_cells
from howard.compositing.pyramid import sum_channels

# Long side in pixels, about, of the picture in which colours are averaged.
AVERAGED_SIDE = 960
# Half the width of the Gaussian of standard deviation 1 that averages cells.
_REACH = 2
# Each distance averages over so many times larger cells than the one before.
_FARTHER = 4
_DISTANCES = 3
# Power of alpha with which a pixel lends its colour: 16 leaves a pixel of alpha 0.9 a fifth of its weight.
_SOLIDITY_LOG2 = 4
_TINY = 1e-12
# Largest code of what sums of lines were added from, by their type.
_FULL_SUMS = {torch.int16: 255, torch.int32: 65535}
# Mean alpha up to which cells count as empty, and coverage from which the plate counts as seen there.
_EMPTY = 0.01
_SEEN = 0.999
# Squared pixels by which the plate is taken to be displaced where it has no more squared slope than _FLAT to tell.
_DISPLACED = 0.5
_FLAT = 1e-4


class Surroundings(NamedTuple):
    """What lies around the pixels of patches; planes (C, n, 16), or (C, n, 1) where it is the same in a whole patch.

    Colours are averaged as they are encoded: the mean of dark hair and its highlights is then near what most of it is.
    """

    colour: Tensor  # (3, n, 16), mean foreground colour, encoded
    square: Tensor  # (1, n, 16), mean squared length of foreground colours, encoded
    weight: Tensor  # (1, n, 16), solid weight around; 0 where nothing solid is near
    alpha: Tensor  # (1, n, 16), mean alpha nearby
    lit: Tensor  # (3, n, 16), mean colour of the empty place, encoded
    plate: Tensor  # (3, n, 16), the plate's there
    empty: Tensor  # (1, n, 16), share of empty pixels around
    displacement: Tensor  # (1, n, 16), squared pixels by which the plate is off


def cell_size(height: int, width: int) -> int:
    """Side in pixels of the cells in which colours are averaged, a power of 2: 1 up to 960 x 540, 2 at 1080p."""
    size = 1
    while max(height, width) / size > AVERAGED_SIDE * 2**0.5:
        size *= 2
    return size


class Grid(NamedTuple):
    """How parts of a picture must be cut so that their patches have the same surroundings, in pixels."""

    margin: int  # how far around a patch its surroundings reach
    origin: int  # what the upper left corner of a part divides by
    unit: int  # what the sides of a part divide by


def find_grid(height: int, width: int) -> Grid:
    """The grid of a picture's cells."""
    cell = cell_size(height, width)
    largest = cell * _FARTHER ** (_DISTANCES - 1)
    return Grid(3 * largest, largest, cell * _FARTHER)


def look_around(
    source: Tensor,
    plate: Tensor,
    coverage: Tensor,
    alpha: Tensor,
    patches: Patches,
    cell: int,
    farther_weight: float,
) -> Surroundings:
    """Average the solid and the empty pixels around patches.

    Args:
        source: (B, H, W, 3) code values as `howard.compositing.light.decode` takes them; sides divide by the unit of
            `find_grid`.
        plate: like ``source``, aligned to it.
        coverage: (B, H, W, 1) in [0, 1].
        alpha: (B, H, W, 1) in [0, 1].
        patches: whose pixels are asked for.
        cell: as `cell_size` gives it for the whole picture.
        farther_weight: how much less a colour weighs at each further distance.
    """
    colour_lines, alpha_lines = _sum_lines(source, cell), _sum_lines(alpha, cell)
    near = _near_sums(colour_lines, alpha_lines, patches, cell)
    colours, cover = (_average_lines(lines, cell, _FARTHER) for lines in (colour_lines, alpha_lines))
    far = read_cells(farther_weight * _far_sums(_sums(colours, cover), farther_weight), patches, cell * _FARTHER)
    total = near[:5] + far
    weight = total[4:]
    inverse = 1 / weight.clamp(min=_TINY)
    behind, seen = (_average_lines(_sum_lines(image, cell * _FARTHER), cell * _FARTHER) for image in (plate, coverage))
    empty = ((_blur(cover) < _EMPTY) & (seen > _SEEN)).to(cover.dtype)
    lit, displacement = _compare_empty(colours, behind, empty)
    lit, known, share = read_cells(lit, patches, cell * _FARTHER).split((3, 3, 1))
    return Surroundings(
        colour=total[:3] * inverse,
        square=total[3:4] * inverse,
        weight=weight,
        alpha=near[5:],
        lit=lit,
        plate=known,
        empty=share,
        displacement=read_cells(displacement, patches, cell * _FARTHER**2) * (cell * _FARTHER) ** 2,
    )


def _sums(colours: Tensor, cover: Tensor) -> Tensor:
    """What is averaged of foreground colours: colour, squared length and weight, each times solidity, (B, 5, ...)."""
    solid = cover
    for _ in range(_SOLIDITY_LOG2):
        solid = solid * solid
    weighted = colours * solid
    return torch.cat([weighted, sum_channels(weighted * colours), solid], dim=1)


def _near_sums(colours: Tensor, cover: Tensor, patches: Patches, cell: int) -> Tensor:
    """Colour, squared length and weight of solid cells, and alpha, blurred at the pixels of patches, (6, n, 16).

    ``colours`` and ``cover`` are those of `_sum_lines`. Only the cells around patches are looked at.
    """
    side, shared = max(1, PATCH // cell), max(1, cell // PATCH)
    offsets = torch.arange(-_REACH, side + _REACH, device=colours.device)
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
    """Weights of the cells of a window for each of the ``side`` x ``side`` cells in its middle, (window, cells)."""
    weights = _gaussian(device)
    line = torch.stack([F.pad(weights, (at, side - 1 - at)) for at in range(side)], dim=1)
    return torch.einsum("ac,bd->abcd", line, line).reshape(len(line) ** 2, side**2)


def _far_sums(sums: Tensor, farther_weight: float) -> Tensor:
    """The sums of all further distances, at the first of them, whose sums are given: (B, C, h, w)."""
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
    """Mean colours of source and plate and the share of empty cells, (B, 7, h, w); and the plate's squared displacement
    in cells, (B, 1, h / 4, w / 4).

    A plate that is off by some pixels differs by as many times its slope.
    """
    apart = sum_channels((colours - plate).square())
    sums = torch.cat([colours * empty, plate * empty, empty, apart * empty, _squared_slope(plate) * empty], dim=1)
    lit, weight = _blur(sums[:, :7]).split((6, 1), dim=1)
    apart, slope = _blur(_shrink(sums[:, 7:])).split(1, dim=1)
    displacement = (apart + _DISPLACED * _FLAT) / (slope + _FLAT)
    return torch.cat([lit / weight.clamp(min=_TINY), weight], dim=1), displacement


def _squared_slope(planes: Tensor) -> Tensor:
    """Squared change per cell, (B, 3, h, w) -> (B, 1, h, w), summed over channels and both directions."""
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return sum_channels(across.square() + down.square()) / 4


def _shrink(planes: Tensor) -> Tensor:
    """Means over 4 x 4 cells, (B, C, h, w) -> (B, C, h / 4, w / 4), rounded up; the last cells are repeated."""
    planes = F.pad(planes, (0, -planes.shape[3] % _FARTHER, 0, -planes.shape[2] % _FARTHER), mode="replicate")
    # Sums of strided slices: a CPU's pooling takes several times as long.
    rows = reduce(torch.add, (planes[:, :, row::_FARTHER] for row in range(_FARTHER)))
    return reduce(torch.add, (rows[..., column::_FARTHER] for column in range(_FARTHER))) / _FARTHER**2


def _sum_lines(image: Tensor, cell: int) -> Tensor:
    """Sums of ``cell`` lines each, (B, H, W, C) to (B, H / cell, W, C); bytes as int16, which holds sums of 128."""
    # Whole lines are contiguous; a CPU's pooling takes several times as long.
    first = image[:, ::cell]
    total = first.to(torch.int16) if image.dtype == torch.uint8 else first.clone()
    for row in range(1, cell):
        total += image[:, row::cell]
    return total


def _average_lines(lines: Tensor, cell: int, farther: int = 1) -> Tensor:
    """Means over cells, ``farther`` times as large as those of `_sum_lines`, 1 for white: planes (B, C, h, w)."""
    planes = reduce(torch.add, (lines[:, row::farther] for row in range(farther))).permute(0, 3, 1, 2).contiguous()
    size = cell * farther
    total = reduce(torch.add, (planes[..., column::size].float() for column in range(size)))
    return total / (size**2 * _FULL_SUMS.get(lines.dtype, 1))


def _blur(planes: Tensor) -> Tensor:
    """(B, C, h, w) blurred by a Gaussian of one cell; the border's cells are repeated outside."""
    channels = planes.shape[1]
    across = _gaussian(planes.device).view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    sides = (_REACH, _REACH, 0, 0), (0, 0, _REACH, _REACH)
    blurred = F.conv2d(F.pad(planes, sides[0], mode="replicate"), across, groups=channels)
    return F.conv2d(F.pad(blurred, sides[1], mode="replicate"), across.transpose(2, 3), groups=channels)


def _gaussian(device: torch.device) -> Tensor:
    """The weights of a Gaussian of one cell, (5,); made on the device, for a copy from the host would wait for it."""
    offsets = torch.arange(-_REACH, _REACH + 1, device=device, dtype=torch.float32)
    kernel = (-0.5 * offsets * offsets).exp()
    return kernel / kernel.sum()
