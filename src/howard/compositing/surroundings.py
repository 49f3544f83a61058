"""What lies around a pixel: foreground colours in solid pixels, and how well the plate fits in empty ones.

Foreground colours are averaged at three distances after M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP
2021: one weighs the more the nearer and the more opaque its pixel is.
"""

from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.light import FULL_CODES
from howard.compositing.patches import Patches, read_cells

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


def margin_and_unit(height: int, width: int) -> tuple[int, int]:
    """How many pixels around a patch its surroundings depend on, and the unit that the sides of pictures divide by."""
    unit = cell_size(height, width) * _FARTHER ** (_DISTANCES - 1)
    return 3 * unit, unit


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
            `margin_and_unit`.
        plate: like ``source``, aligned to it.
        coverage: (B, H, W, 1) in [0, 1].
        alpha: (B, H, W, 1) in [0, 1].
        patches: whose pixels are asked for.
        cell: as `cell_size` gives it for the whole picture.
        farther_weight: how much less a colour weighs at each further distance.
    """
    colours, cover = _average_codes(source, cell), _average(alpha, cell)
    solid = cover
    for _ in range(_SOLIDITY_LOG2):
        solid = solid * solid
    weighted = colours * solid
    square = (weighted * colours).sum(dim=1, keepdim=True)
    sums = torch.cat([weighted, square, solid], dim=1)
    near = _blur(torch.cat([sums, cover], dim=1))
    far = farther_weight * _far_sums(sums, farther_weight)
    total = read_cells(near, patches, cell)
    mean = total[5:]
    total = total[:5] + read_cells(far, patches, cell * _FARTHER)
    weight = total[4:]
    inverse = 1 / weight.clamp(min=_TINY)
    empty = ((near[:, 5:] < _EMPTY) & (_average(coverage, cell) > _SEEN)).to(cover.dtype)
    lit, displacement = _compare_empty(colours, _average_codes(plate, cell), empty)
    lit, known, share = read_cells(lit, patches, cell * _FARTHER).split((3, 3, 1))
    return Surroundings(
        colour=total[:3] * inverse,
        square=total[3:4] * inverse,
        weight=weight,
        alpha=mean,
        lit=lit,
        plate=known,
        empty=share,
        displacement=read_cells(displacement, patches, cell * _FARTHER**2) * cell**2,
    )


def _compare_empty(colours: Tensor, plate: Tensor, empty: Tensor) -> tuple[Tensor, Tensor]:
    """Mean colours of source and plate and the share of empty cells, (B, 7, h / 4, w / 4); and the plate's squared
    displacement in cells, (B, 1, h / 16, w / 16).

    A plate that is off by some pixels differs by as many times its slope.
    """
    apart = _sum((colours - plate).square())
    sums = torch.cat([colours * empty, plate * empty, empty, apart * empty, _squared_slope(plate) * empty], dim=1)
    sums = _shrink(sums)
    lit, weight = _blur(sums[:, :7]).split((6, 1), dim=1)
    apart, slope = _blur(_shrink(sums[:, 7:])).split(1, dim=1)
    displacement = (apart + _DISPLACED * _FLAT) / (slope + _FLAT)
    return torch.cat([lit / weight.clamp(min=_TINY), weight], dim=1), displacement


def _squared_slope(planes: Tensor) -> Tensor:
    """Squared change per cell, (B, 3, h, w) -> (B, 1, h, w), summed over channels and both directions."""
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return _sum(across.square() + down.square()) / 4


def _sum(planes: Tensor) -> Tensor:
    """Over the channels, which are few: (B, C, h, w) -> (B, 1, h, w)."""
    return reduce(torch.add, planes.split(1, dim=1))


def _shrink(planes: Tensor) -> Tensor:
    """Means over 4 x 4 cells, (B, C, h, w) -> (B, C, h / 4, w / 4)."""
    # Sums of strided slices: a CPU's pooling takes several times as long.
    rows = reduce(torch.add, (planes[:, :, row::_FARTHER] for row in range(_FARTHER)))
    return reduce(torch.add, (rows[..., column::_FARTHER] for column in range(_FARTHER))) / _FARTHER**2


def _far_sums(sums: Tensor, farther_weight: float) -> Tensor:
    """The sums of all further distances, at the first of them: (B, C, h / 4, w / 4)."""
    levels = []
    for _ in range(1, _DISTANCES):
        sums = _shrink(sums)
        levels.append(_blur(sums))
    total = levels.pop()
    while levels:
        total = levels.pop() + farther_weight * F.interpolate(total, scale_factor=_FARTHER, mode="nearest")
    return total


def _average_codes(codes: Tensor, cell: int) -> Tensor:
    """Means over cells of code values as `howard.compositing.light.decode` takes them, 1 for white."""
    return _average(codes, cell) / FULL_CODES.get(codes.dtype, 1)


def _average(image: Tensor, cell: int) -> Tensor:
    """Means over cells: (B, H, W, C) to float planes (B, C, H / cell, W / cell)."""
    if image.dtype == torch.uint8:
        image = image.to(torch.int16)  # holds the sum of 11 x 11 codes, and moves half as much memory as floats
    # Sums of strided slices: a CPU's pooling takes several times as long. Lines first, since they are contiguous.
    rows = reduce(torch.add, (image[:, row::cell] for row in range(cell)))
    planes = rows.permute(0, 3, 1, 2).contiguous()
    total = reduce(torch.add, (planes[..., column::cell] for column in range(cell)))
    return total.float() / cell**2 if cell > 1 else total.float()


def _blur(planes: Tensor) -> Tensor:
    """(B, C, h, w) blurred by a Gaussian of one cell; the border's cells are repeated outside."""
    channels = planes.shape[1]
    # Made on the device: a copy from the host would wait for it.
    offsets = torch.arange(-_REACH, _REACH + 1, device=planes.device, dtype=planes.dtype)
    kernel = (-0.5 * offsets * offsets).exp()
    across = (kernel / kernel.sum()).view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    sides = (_REACH, _REACH, 0, 0), (0, 0, _REACH, _REACH)
    blurred = F.conv2d(F.pad(planes, sides[0], mode="replicate"), across, groups=channels)
    return F.conv2d(F.pad(blurred, sides[1], mode="replicate"), across.transpose(2, 3), groups=channels)
