"""Alpha of the pixels in doubt from what is known of them: the plate shows what lies behind, the solid pixels beside
them what lies in front.

Between two known colours a pixel's alpha is its place on the line from the one to the other (Chuang et al., "A Bayesian
Approach to Digital Matting", CVPR 2001, section 3). How far that is believed, against the network, depends on how far
the colours are apart, on how exactly the plate can lie there, and on how well the two explain the pixel.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.colour import srgb_to_linear
from howard.matting.tiles import PATCH

# Colours around a pixel are looked for in pictures of about this width ...
_WIDTH = 960
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
        return pictures[self.picture, :, self.row // factor, self.column // factor]


class Scene(NamedTuple):
    """Pictures of one size, (B, C, h, w): ``source`` and ``plate`` sRGB, ``alpha``, 1 where the place is surely empty
    and the plate saw it."""

    source: Tensor
    plate: Tensor
    alpha: Tensor
    empty: Tensor


class Surroundings(NamedTuple):
    """What the solid pixels around some pixels look like."""

    colour: Tensor  # (N, 3) sRGB
    weight: Tensor  # (N,), how much there is; without any the colour means nothing


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
    factor = max(1, round(alpha.shape[3] / _WIDTH))
    window, inside = _window(pixels, factor)
    scene = Scene(*(each[window] for each in (source, plate, alpha, empty.to(alpha.dtype))))
    mended = alpha.clone()
    mended[pixels.picture, 0, pixels.row, pixels.column] = _unmix(scene, inside, factor, linear_light)
    return mended


def _window(pixels: Pixels, factor: int) -> tuple[tuple[slice, ...], Pixels]:
    """The part of the pictures that pixels depend on, in whole cells of the coarsest size, and the pixels in it."""
    cell, reach = factor * _FAR ** (_DISTANCES - 1), 3
    first = [max(0, int(at.min()) // cell - reach) * cell for at in pixels[1:]]
    last = [(int(at.max()) // cell + reach + 1) * cell for at in pixels[1:]]
    window = (slice(None), slice(None), *(slice(*ends) for ends in zip(first, last, strict=True)))
    return window, Pixels(pixels.picture, pixels.row - first[0], pixels.column - first[1])


def _unmix(scene: Scene, pixels: Pixels, factor: int, linear_light: bool) -> Tensor:
    """The alpha of pixels: (N,)."""
    decode = srgb_to_linear if linear_light else _same
    small = Scene(*(_shrink(each, factor) for each in scene))
    small = small._replace(empty=(small.empty > _WHOLLY).to(small.empty.dtype))
    around = _look_around(small, pixels, factor)
    front = decode(around.colour)
    behind = decode(pixels.of(scene.plate)) * _change_of_light(small, pixels, factor, decode)
    line = front - behind
    seen = decode(pixels.of(scene.source)) - behind
    length = line.square().sum(dim=1)
    place = ((seen * line).sum(dim=1) / length.clamp(min=_NOTHING)).clamp(0, 1)
    misfit = (seen - place[:, None] * line).square().sum(dim=1)
    error = _NOISE + _LIGHT * behind.square().sum(dim=1) + _MISFIT * misfit
    error += _misplacement_error(small, pixels, factor, decode)
    mean = pixels.of(_blur(small.alpha), factor)[:, 0]
    # Where much around is soft, as in hair, the network knows little of any one pixel.
    soft = pixels.of(_blur(_shrink(4 * small.alpha * (1 - small.alpha), _FAR)), _FAR * factor)[:, 0]
    spread = (4 * mean * (1 - mean)).clamp(min=_SURE) + soft
    place = ((place - _PURE) / (1 - 2 * _PURE)).clamp(0, 1)
    # The most probable alpha if the network's error and the source's are Gaussian.
    share = (around.weight > _LEAST_SOLID) * spread * length / (spread * length + error)
    known = pixels.of(scene.alpha)[:, 0]
    return known + share * (place - known)


def _look_around(small: Scene, pixels: Pixels, factor: int) -> Surroundings:
    """The solid pixels around each one, the nearer and the more opaque the heavier.

    After Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
    """
    solid = small.alpha**_SOLIDITY
    weighted = torch.cat([small.source * solid, solid], dim=1)
    total, share = pixels.of(_blur(weighted), factor), 1.0
    for _ in range(1, _DISTANCES):
        weighted, factor, share = _shrink(weighted, _FAR), _FAR * factor, _FAR_WEIGHT * share
        total = total + share * pixels.of(_blur(weighted), factor)
    colour, weight = total.split((3, 1), dim=1)
    return Surroundings(colour / weight.clamp(min=_NOTHING), weight[:, 0])


def _change_of_light(small: Scene, pixels: Pixels, factor: int, decode: Decode) -> Tensor:
    """By how much the empty place around is brighter than the plate there, as in a shadow: (N, 3)."""
    summed = _blur(
        _shrink(torch.cat([small.source, small.plate, torch.ones_like(small.empty)], dim=1) * small.empty, _FAR)
    )
    lit, known, weight = pixels.of(summed, _FAR * factor).split((3, 3, 1), dim=1)
    weight = weight.clamp(min=_NOTHING)
    gain = (decode(lit / weight) + _DARK) / (decode(known / weight) + _DARK)
    return 1 + (weight / _ENOUGH).clamp(max=1) * (gain.clamp(*_GAIN) - 1)


def _misplacement_error(small: Scene, pixels: Pixels, factor: int, decode: Decode) -> Tensor:
    """The squared error of the plate at pixels, (N,), if it lies there as wrong as it does on the empty place around.

    A plate that is off by some pixels differs by as many times its slope.
    """
    plate = decode(small.plate)
    slope = _squared_slope(plate)
    apart = (decode(small.source) - plate).square().sum(dim=1, keepdim=True)
    far = _FAR ** (_DISTANCES - 1)
    summed = _blur(_shrink(torch.cat([apart, slope], dim=1) * small.empty, far))
    apart, steepness = pixels.of(summed, far * factor).split((1, 1), dim=1)
    squared_pixels = (apart + _MISPLACED * _SLOPE) / (steepness + _SLOPE)
    return (squared_pixels * pixels.of(slope, factor))[:, 0]


def _squared_slope(picture: Tensor) -> Tensor:
    """Squared change per pixel, of all channels and about each pixel, (B, 3, h, w) -> (B, 1, h, w)."""
    padded = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    squared = (across.square() + down.square()).sum(dim=1, keepdim=True) / 4
    return F.avg_pool2d(squared, 3, stride=1, padding=1)


def _shrink(pictures: Tensor, factor: int) -> Tensor:
    """Means over cells of ``factor`` x ``factor`` pixels; those at the end may be smaller."""
    return pictures if factor == 1 else F.avg_pool2d(pictures, factor, ceil_mode=True, count_include_pad=False)


def _blur(pictures: Tensor) -> Tensor:
    """(B, C, h, w) blurred by ``_NEAR``; beyond the edges is nothing."""
    count = pictures.shape[1]
    row = pictures.new_tensor(_NEAR).expand(count, 1, 1, -1)
    across = F.conv2d(pictures, row, padding=(0, 2), groups=count)
    return F.conv2d(across, row.transpose(2, 3), padding=(2, 0), groups=count)


def _same(colours: Tensor) -> Tensor:
    return colours
