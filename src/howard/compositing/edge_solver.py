"""Alpha and foreground of soft edges, solved together from source, plate and what lies around.

In linear light a soft pixel is C = alpha F + (1 - alpha) B. Known are its plate colour B, up to noise and misalignment,
the foreground colours nearby, and the network's alpha. Alpha and F are the most probable ones under Gaussian errors of
all three (Chuang et al., "A Bayesian Approach to Digital Matting", CVPR 2001, section 3), in closed form: alpha for the
mean of F, then F for that alpha.
"""

from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.light import decode
from howard.compositing.patches import (
    PATCH,
    PIXELS,
    Patches,
    find_unknown,
    pad_to_patches,
    read_cells,
    read_patches,
    write_patches,
)
from howard.compositing.surroundings import Surroundings, cell_size, look_around
from howard.compositing.window import find_window

# Pixels that the network and the person prior give at least this much are solid; the prior's maps are eroded by so
# many of their cells first, since its edges are that coarse.
_SOLID = 0.95
_ERODED_CELLS = 2
# The plate saw a pixel whose coverage is at least this.
_COVERED = 0.5
# Limits of how much brighter the place may be than in the plate; less light than _DARK says nothing of it, nor does a
# smaller share of empty pixels than _ENOUGH. Rules of thumb: shadows are seldom darker than half.
_LEAST_GAIN = 0.5
_MOST_GAIN = 1.6
_DARK = 1e-3
_ENOUGH = 0.05
_TINY = 1e-8


# Gives the colours of the pixels of patches, (3, n, 16).
ColourReader = Callable[[Patches], Tensor]


class EdgeModel(NamedTuple):
    """Error variances in squared linear light, where white is 1, summed over three channels, unless said otherwise.

    All were chosen for the least errors of alpha, of soft colours and of recomposition (benchmarks/edges.py): together,
    by random search, on people of the validation split over rooms of the validation split and on the sample clip; then
    one by one with clips of moving people in those rooms.
    """

    # Of the plate: noise, by squared light, ...
    plate_noise: float = 0.02
    # ... and by what its displacement changes.
    misalignment: float = 0.7
    # Of foreground colours: the least variance, ...
    colour_noise: float = 0.02
    # ... and the variance by that of the colours around.
    colour_spread: float = 3.4
    # Weight of a colour around at each further distance.
    farther_weight: float = 0.1
    # Weight of the network's foreground, where solid pixels all around weigh 1.
    network_weight: float = 0.012
    # Of the network's alpha, unitless: the variance where the mean alpha nearby is 0.5; none where that is 0 or 1.
    alpha_unsure: float = 40.0
    # Of the place on the line between B and F: a part that is always there, ...
    alpha_noise: float = 0.001
    # ... by the squared distance of C from that line, ...
    off_line: float = 315.0
    # ... and by what the plate's displacement changes.
    alpha_displaced: float = 20.0
    # Variance of C where F is solved, ...
    source_noise: float = 0.0005
    # ... and by that of B, times (1 - alpha) squared.
    colour_plate: float = 0.9


MODEL = EdgeModel()


class Known(NamedTuple):
    """What is known of the pixels of patches; planes (C, n, 16), colours in linear light."""

    source: Tensor
    plate: Tensor
    is_covered: Tensor  # (1, n, 16) bool
    is_refined: Tensor  # (1, n, 1) bool
    alpha: Tensor  # (1, n, 16), the network's
    foreground: Tensor  # (3, n, 16), the network's, encoded
    is_solid: Tensor  # (1, n, 16) bool
    around: Surroundings


class Solved(NamedTuple):
    """``alpha`` (1, n, 16) in [0, 1] and ``foreground`` (3, n, 16) in linear light, at least 0."""

    alpha: Tensor
    foreground: Tensor


class Edges(NamedTuple):
    """A solved matte: ``alpha`` (B, H, W, 1) in [0, 1]; ``foreground`` (3, n, 16) in the light that mixes, of the
    pixels of ``patches``, in pictures padded to whole patches. Opaque pixels elsewhere have the source's colour."""

    alpha: Tensor
    foreground: Tensor
    patches: Patches


def solve_edges(
    source: Tensor,
    plate: Tensor,
    coverage: Tensor,
    alpha: Tensor,
    foreground: Tensor | ColourReader,
    refined: Tensor,
    person: Tensor | None = None,
    *,
    linear_light: bool = True,
    model: EdgeModel = MODEL,
) -> Edges:
    """Solve the soft edges of mattes.

    Args:
        source: (B, H, W, 3) code values, sRGB-encoded: uint8, int32 in [0, 65535], or float32 in [0, 1] and above for
            HDR.
        plate: like ``source``, aligned to it.
        coverage: (B, H, W, 1) in [0, 1], 1 where the plate saw the place; alpha stays the network's elsewhere.
        alpha: (B, H, W, 1) in [0, 1], the network's.
        foreground: (B, H, W, 3) in [0, 1], the network's, straight, sRGB-encoded; or what reads it in given patches.
        refined: (B, 1, H / 4, W / 4) rounded up, above 0 where the network's refiner worked.
        person: (B, 1, h, w) in [0, 1], of any size: the person prior; None if the subject may be anything.
        linear_light: whether soft pixels mix in linear light, or in encoded values.
        model: variances.
    """
    height, width = alpha.shape[1:3]
    padded = pad_to_patches(alpha)
    patches = find_unknown(padded, refined)
    if alpha.device.type == "cpu" and not len(patches.row):
        return Edges(alpha, alpha.new_zeros(3, 0, PIXELS), patches)
    known = gather_known(source, plate, coverage, alpha, foreground, patches, person, linear_light, model)
    solved = solve(known, model, linear_light=linear_light)
    written = write_patches(padded, solved.alpha, patches)[:, :height, :width]
    return Edges(written, solved.foreground, patches)


def keep_network(
    alpha: Tensor, foreground: Tensor | ColourReader, refined: Tensor, *, linear_light: bool = True
) -> Edges:
    """The network's matte as it is, its foreground in soft pixels; arguments as `solve_edges`."""
    patches = find_unknown(pad_to_patches(alpha), refined)
    return Edges(alpha, decode(_read_colour(foreground, patches), linear_light), patches)


def gather_known(
    source: Tensor,
    plate: Tensor,
    coverage: Tensor,
    alpha: Tensor,
    foreground: Tensor | ColourReader,
    patches: Patches,
    person: Tensor | None,
    linear_light: bool,
    model: EdgeModel,
) -> Known:
    """What is known of the pixels of ``patches``; other arguments as `solve_edges`."""
    height, width = alpha.shape[1:3]

    def own(image: Tensor) -> Tensor:
        return read_patches(pad_to_patches(image), patches)

    window = find_window(patches, height, width)
    inside = patches.moved(window.top // PATCH, window.left // PATCH)
    around = look_around(
        window.of(source),
        window.of(plate),
        window.of(coverage),
        window.of(alpha),
        inside,
        cell_size(height, width),
        model.farther_weight,
    )
    own_alpha = own(alpha)
    is_solid = torch.zeros_like(own_alpha, dtype=torch.bool)
    if person is not None:
        sure = F.interpolate(_erode(person), ((height + 3) // PATCH, (width + 3) // PATCH), mode="bilinear")
        is_solid = (read_cells(sure, patches, PATCH) >= _SOLID) & (own_alpha >= _SOLID)
    return Known(
        source=decode(own(source), linear_light),
        plate=decode(own(plate), linear_light),
        is_covered=own(coverage) >= _COVERED,
        is_refined=patches.is_refined[None, :, None],
        alpha=own_alpha,
        foreground=_read_colour(foreground, patches),
        is_solid=is_solid,
        around=around,
    )


def solve(known: Known, model: EdgeModel = MODEL, *, linear_light: bool = True) -> Solved:
    """The most probable alpha and foreground of pixels; ``linear_light`` as in `solve_edges`."""
    displaced = known.around.displacement * _squared_slope(known.plate)
    plate_variance = model.plate_noise * _sum(known.plate.square()) + model.misalignment * displaced
    colour, variance = _foreground_model(known, model, linear_light)
    behind = known.plate * _change_of_light(known.around, linear_light)
    alpha = _solve_alpha(known, behind, colour, displaced, model)
    # Laid over the very plate the person gives the source again, so the shadow on the place is in F.
    rest = known.source - known.plate - alpha * (colour - known.plate)
    noise = model.source_noise + model.colour_plate * (1 - alpha).square() * plate_variance
    gain = alpha * variance / (alpha.square() * variance + noise) * known.is_covered
    # Noise divided by a small alpha must not become a highlight: no brighter than what is near, nor than white.
    brightest = torch.maximum(known.source, colour).clamp(min=1)
    return Solved(alpha, torch.minimum((colour + gain * rest).clamp(min=0), brightest))


def _read_colour(foreground: Tensor | ColourReader, patches: Patches) -> Tensor:
    """The network's foreground in patches, (3, n, 16)."""
    if isinstance(foreground, Tensor):
        return read_patches(pad_to_patches(foreground), patches)
    return foreground(patches)


def _foreground_model(known: Known, model: EdgeModel, linear_light: bool) -> tuple[Tensor, Tensor]:
    """Mean (3, n, 16) and variance (1, n, 16) of the foreground colours that a pixel may have, as they mix."""
    around = known.around
    # The network sees nothing brighter than white: its white is as bright as what lies around.
    network = known.foreground * around.colour.clamp(min=1)
    share = around.weight / (around.weight + model.network_weight)
    encoded = network + share * (around.colour - network)
    network_square = _sum(network.square())
    square, mean_square = network_square + share * (around.square - network_square), _sum(encoded.square())
    spread = (square - mean_square).clamp(min=0)
    colour = decode(encoded, linear_light)
    # From the variance of encoded colours to that of light: nearly a power law, whose slope goes with light by code.
    slope = _sum(colour.square()) / mean_square.clamp(min=_TINY)
    return colour, model.colour_noise + model.colour_spread * slope * spread


def _change_of_light(around: Surroundings, linear_light: bool) -> Tensor:
    """By how much the place around is brighter than in the plate, as in a shadow, (3, n, 16)."""
    lit, known = (decode(each, linear_light) + _DARK for each in (around.lit, around.plate))
    gain = (lit / known).clamp(_LEAST_GAIN, _MOST_GAIN)
    return 1 + (around.empty / _ENOUGH).clamp(max=1) * (gain - 1)


def _solve_alpha(known: Known, behind: Tensor, colour: Tensor, displaced: Tensor, model: EdgeModel) -> Tensor:
    line, seen = colour - behind, known.source - behind
    length = _sum(line.square())
    place = (_sum(seen * line) / length.clamp(min=_TINY)).clamp(0, 1)
    error = model.alpha_noise + model.off_line * _sum((seen - place * line).square())
    error = error + model.alpha_displaced * displaced
    mean = known.around.alpha
    unsure = model.alpha_unsure * 4 * mean * (1 - mean) * length
    share = known.is_covered * known.is_refined * unsure / (unsure + error)
    alpha = known.alpha + share * (place - known.alpha)
    return torch.where(known.is_solid, torch.ones_like(alpha), alpha)


def _erode(planes: Tensor) -> Tensor:
    """(B, 1, h, w), the least within `_ERODED_CELLS` cells in each direction; beyond the border nothing is known."""
    for axis, sides in ((3, (_ERODED_CELLS, _ERODED_CELLS, 0, 0)), (2, (0, 0, _ERODED_CELLS, _ERODED_CELLS))):
        padded, size = F.pad(planes, sides, mode="replicate"), planes.shape[axis]
        planes = reduce(torch.minimum, (padded.narrow(axis, at, size) for at in range(2 * _ERODED_CELLS + 1)))
    return planes


def _squared_slope(planes: Tensor) -> Tensor:
    """Mean squared change per pixel within each patch, (3, n, 16) -> (1, n, 1), summed over channels and directions."""
    blocks = planes.view(len(planes), -1, PATCH, PATCH)
    across = (blocks[..., 1:] - blocks[..., :-1]).square()
    down = (blocks[:, :, 1:] - blocks[:, :, :-1]).square()
    return (_sum(across).mean(dim=(2, 3)) + _sum(down).mean(dim=(2, 3)))[..., None]


def _sum(planes: Tensor) -> Tensor:
    """Over the three channels, (3, ...) -> (1, ...); several times as fast as ``sum`` on a CPU."""
    return reduce(torch.add, planes.split(1))
