"""Alpha of the pixels in doubt from what is known of them: the plate shows what lies behind, the solid pixels beside
them what lies in front.

Between two known colours a pixel's alpha is its place on the line from the one to the other (Chuang et al., "A Bayesian
Approach to Digital Matting", CVPR 2001, section 3). How far that is believed, against the network, depends on how far
the colours are apart, on how exactly the plate can lie there, and on how well the two explain the pixel.
"""

from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.colour import srgb_to_linear
from howard.matting.tiles import PATCH

# Colours around a pixel are averaged in pictures whose long side is about this ...
_LONG_SIDE = 960
# ... as means over five pixels in a row, a Gaussian of one, and, each time weighing much less, in pictures smaller and
# smaller by a factor.
_NEAR = (0.0545, 0.2442, 0.4026, 0.2442, 0.0545)
_FAR, _FAR_WEIGHT, _DISTANCES = 4, 0.03, 3
# What follows was chosen on unseen people over unseen rooms (benchmarks/foreground.py).
# By which power of alpha a pixel lends its colour, and how much of that there must be; below which alpha it is empty.
_SOLIDITY, _LEAST_SOLID, _EMPTY = 16, 1e-5, 0.02
# Squared error of the source, where an alpha of which nothing is known errs by 1: of its noise, for each unit of the
# plate's squared light, and of the squared distance from the line.
_NOISE, _LIGHT, _MISFIT = 0.005, 0.01, 16.0
# The plate is taken to lie wrong by so many squared pixels where it has no more squared slope than this to tell by.
_MISPLACED, _SLOPE = 0.5, 1e-4
# Squared error of the network's alpha where all around is solid, or empty.
_SURE = 0.003
# So far from either colour is still that colour: what the mean colours around a pixel do not know of it.
_PURE = 0.01
# The light on the place may differ from the plate's by this factor; less light than this tells nothing, nor does a
# smaller share of empty pixels around.
_GAIN = (0.5, 1.6)
_DARK, _ENOUGH = 1e-3, 0.05
_NOTHING, _WHOLLY = 1e-8, 0.999


Decode = Callable[[Tensor], Tensor]


class Pixels(NamedTuple):
    """Some pixels of a batch, (N,) int64 each."""

    picture: Tensor
    row: Tensor
    column: Tensor

    def of(self, pictures: Tensor, factor: int = 1) -> Tensor:
        """What pictures (B, C, h, w), ``factor`` times smaller, hold there: (N, C)."""
        values = pictures.permute(0, 2, 3, 1).reshape(-1, pictures.shape[1])
        return values.index_select(0, self._place(pictures, factor))

    def cells(self, pictures: Tensor, factor: int) -> tuple["Pixels", Tensor]:
        """The pixels of pictures (B, C, h, w), ``factor`` times smaller, in which these lie; and which of those each of
        these lies in, (N,)."""
        size = pictures.shape[0], *pictures.shape[2:]
        place = self._place(pictures, factor)
        taken = torch.zeros(size, dtype=torch.bool, device=place.device)
        taken.view(-1)[place] = True
        numbers = taken.view(-1).cumsum(0) - 1
        return Pixels(*taken.nonzero(as_tuple=True)), numbers[place]

    def moved(self, rows: int, columns: int) -> "Pixels":
        """The same pixels of pictures that begin so much farther up and to the left."""
        return Pixels(self.picture, self.row + rows, self.column + columns)

    def _place(self, pictures: Tensor, factor: int) -> Tensor:
        height, width = pictures.shape[2:]
        row, column = (at if factor == 1 else at // factor for at in (self.row, self.column))
        return (self.picture * height + row) * width + column


class Scene(NamedTuple):
    """Pictures of one size, (B, C, h, w): ``source`` and ``plate`` sRGB, ``alpha``, 1 where the place is surely empty
    and the plate saw it."""

    source: Tensor
    plate: Tensor
    alpha: Tensor
    empty: Tensor


class Surroundings(NamedTuple):
    """What is known of some pixels from what lies around them."""

    front: Tensor  # (N, 3), the colour of what is solid
    solid: Tensor  # (N,), 1 where something is
    light: Tensor  # (N, 3), by how much the empty place is brighter than the plate
    error: Tensor  # (N,), squared, of the plate
    spread: Tensor  # (N,), squared error of the network's alpha

    def at(self, numbers: Tensor) -> "Surroundings":
        """Those of some of the pixels, in any order and more than once."""
        return Surroundings(*(each.index_select(0, numbers) for each in self))


def unmix_alpha(
    source: Tensor, plate: Tensor, coverage: Tensor | None, alpha: Tensor, patches: Tensor, linear_light: bool
) -> Tensor:
    """Alpha, (B, 1, H, W) in [0, 1], mended where it is in doubt and the plate saw the place.

    Args:
        source: (B, 3, H, W) sRGB in [0, 1].
        plate: like ``source``, aligned to it.
        coverage: (B, 1, H, W) in [0, 1], 1 where the plate saw the place, or None for everywhere.
        alpha: the network's, (B, 1, H, W) in [0, 1].
        patches: (B, 1, H / 4, W / 4) rounded up, above 0 where a patch of 4x4 pixels is in doubt; those and their
            neighbours are mended, others stay.
        linear_light: whether soft pixels mix as light does, or in sRGB values.
    """
    patches = F.max_pool2d((patches > 0).to(alpha.dtype), 3, stride=1, padding=1)
    doubtful = F.interpolate(patches, scale_factor=PATCH, mode="nearest")[..., : alpha.shape[2], : alpha.shape[3]] > 0
    covered = torch.ones_like(doubtful) if coverage is None else coverage >= 0.5
    pixels = Pixels(*(doubtful & covered)[:, 0].nonzero(as_tuple=True))
    if not len(pixels.row):
        return alpha
    empty = covered & ~doubtful & (alpha < _EMPTY)
    mended = alpha.clone()
    scene = Scene(source, plate, alpha, empty.to(alpha.dtype))
    mended[pixels.picture, 0, pixels.row, pixels.column] = _unmix(scene, pixels, linear_light)
    return mended


def _unmix(scene: Scene, pixels: Pixels, linear_light: bool) -> Tensor:
    """The alpha of pixels: (N,)."""
    decode = srgb_to_linear if linear_light else _same
    around = _look_around(scene, pixels, decode)
    behind = decode(pixels.of(scene.plate)) * around.light
    line = around.front - behind
    seen = decode(pixels.of(scene.source)) - behind
    length = _sum(line.square())
    place = (_sum(seen * line) / length.clamp(min=_NOTHING)).clamp(0, 1)
    misfit = _sum((seen - place[:, None] * line).square())
    error = _NOISE + _LIGHT * _sum(behind.square()) + _MISFIT * misfit + around.error
    place = ((place - _PURE) / (1 - 2 * _PURE)).clamp(0, 1)
    # The most probable alpha if the network's error and the source's are Gaussian.
    share = around.solid * around.spread * length / (around.spread * length + error)
    known = pixels.of(scene.alpha)[:, 0]
    return known + share * (place - known)


def _look_around(scene: Scene, pixels: Pixels, decode: Decode) -> Surroundings:
    """What lies around pixels, seen in smaller pictures of the part of the scene that they depend on."""
    factor = max(1, round(max(scene.alpha.shape[2:]) / _LONG_SIDE))
    window, pixels = _window(pixels, factor)
    small = Scene(*(_shrink(each[window], factor) for each in scene))
    small = small._replace(empty=(small.empty > _WHOLLY).to(small.empty.dtype))
    cells, numbers = pixels.cells(small.alpha, factor)
    colour, weight, mean = _solid_colour(small, cells)
    # Where much around is soft, as in hair, the network knows little of any one pixel.
    soft = cells.of(_blur(_shrink(4 * small.alpha * (1 - small.alpha), _FAR)), _FAR)[:, 0]
    surroundings = Surroundings(
        front=decode(colour),
        solid=(weight > _LEAST_SOLID).to(weight.dtype),
        light=_change_of_light(small, cells, decode),
        error=_misplacement_error(small, cells, decode),
        spread=(4 * mean * (1 - mean)).clamp(min=_SURE) + soft,
    )
    return surroundings.at(numbers)


def _window(pixels: Pixels, factor: int) -> tuple[tuple[slice, ...], Pixels]:
    """The part of the pictures that pixels depend on, in whole cells of the coarsest size, and the pixels in it."""
    cell, reach = factor * _FAR ** (_DISTANCES - 1), 3
    top, left = (max(0, int(at.min()) // cell - reach) * cell for at in pixels[1:])
    bottom, right = ((int(at.max()) // cell + reach + 1) * cell for at in pixels[1:])
    return (slice(None), slice(None), slice(top, bottom), slice(left, right)), pixels.moved(-top, -left)


def _solid_colour(small: Scene, cells: Pixels) -> tuple[Tensor, Tensor, Tensor]:
    """The mean colour of the solid pixels around each cell, (N, 3) sRGB, the nearer and the more opaque the heavier;
    how much of them there is, (N,), without any of which the colour means nothing; and the mean alpha nearby, (N,).

    After Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
    """
    solid = small.alpha**_SOLIDITY
    weighted = torch.cat([small.source * solid, solid, small.alpha], dim=1)
    total, mean = cells.of(_blur(weighted)).split((4, 1), dim=1)
    weighted = weighted[:, :4]
    for distance in range(1, _DISTANCES):
        weighted = _shrink(weighted, _FAR)
        total = total + _FAR_WEIGHT**distance * cells.of(_blur(weighted), _FAR**distance)
    colour, weight = total.split((3, 1), dim=1)
    return colour / weight.clamp(min=_NOTHING), weight[:, 0], mean[:, 0]


def _change_of_light(small: Scene, cells: Pixels, decode: Decode) -> Tensor:
    """By how much the empty place around is brighter than the plate there, as in a shadow: (N, 3)."""
    summed = _blur(
        _shrink(torch.cat([small.source * small.empty, small.plate * small.empty, small.empty], dim=1), _FAR)
    )
    lit, known, weight = cells.of(summed, _FAR).split((3, 3, 1), dim=1)
    weight = weight.clamp(min=_NOTHING)
    gain = (decode(lit / weight) + _DARK) / (decode(known / weight) + _DARK)
    return 1 + (weight / _ENOUGH).clamp(max=1) * (gain.clamp(*_GAIN) - 1)


def _misplacement_error(small: Scene, cells: Pixels, decode: Decode) -> Tensor:
    """The squared error of the plate at cells, (N,), if it lies there as wrong as it does on the empty place around.

    A plate that is off by some pixels differs by as many times its slope.
    """
    plate = decode(small.plate)
    slope = _squared_slope(plate)
    apart = _sum((decode(small.source) - plate).square())[:, None]
    far = _FAR ** (_DISTANCES - 1)
    summed = _blur(_shrink(torch.cat([apart, slope], dim=1) * small.empty, far))
    apart, steepness = cells.of(summed, far).split((1, 1), dim=1)
    squared_pixels = (apart + _MISPLACED * _SLOPE) / (steepness + _SLOPE)
    return (squared_pixels * cells.of(slope))[:, 0]


def _squared_slope(picture: Tensor) -> Tensor:
    """Squared change per pixel, of all channels and about each pixel, (B, 3, h, w) -> (B, 1, h, w)."""
    padded = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    squared = _sum(across.square() + down.square())[:, None] / 4
    return F.avg_pool2d(squared, 3, stride=1, padding=1)


def _shrink(pictures: Tensor, factor: int) -> Tensor:
    """Means over cells of ``factor`` x ``factor`` pixels; those at the end may be smaller."""
    if pictures.shape[2] % factor or pictures.shape[3] % factor:
        return F.avg_pool2d(pictures, factor, ceil_mode=True, count_include_pad=False)
    # The same in a quarter of the time: a CPU's pooling goes through the pixels one by one.
    rows = reduce(torch.add, (pictures[..., row::factor, :] for row in range(factor)))
    return reduce(torch.add, (rows[..., column::factor] for column in range(factor))) / factor**2


def _blur(pictures: Tensor) -> Tensor:
    """(B, C, h, w) blurred by ``_NEAR``; beyond the edges is nothing."""
    # Sums of shifted pictures: for few channels a CPU's convolution takes ten times as long.
    for dimension, sides in ((3, (2, 2, 0, 0)), (2, (0, 0, 2, 2))):
        padded, size = F.pad(pictures, sides), pictures.shape[dimension]
        pictures = _NEAR[0] * padded.narrow(dimension, 0, size)
        for at, weight in enumerate(_NEAR[1:], start=1):
            pictures.add_(padded.narrow(dimension, at, size), alpha=weight)
    return pictures


def _sum(values: Tensor) -> Tensor:
    """Over the channels, which are few: (N, C, ...) -> (N, ...), several times as fast as ``sum`` on a CPU."""
    return reduce(torch.add, values.unbind(1))


def _same(colours: Tensor) -> Tensor:
    return colours
