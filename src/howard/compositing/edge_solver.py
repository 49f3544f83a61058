"""Maximum a posteriori estimate of alpha and foreground in soft pixels, from source, plate and neighbouring colours.

In linear light a soft pixel is C = alpha F + (1 - alpha) B. The plate colour B is known up to noise and misalignment, F
has the distribution of the foreground colours nearby, and alpha that of the network. With Gaussian errors of all three
(Chuang et al., "A Bayesian Approach to Digital Matting", CVPR 2001, section 3) there is a closed form: alpha for the
mean of F, then F for that alpha.
"""

from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from howard.compositing.colour_encoding import decode
from howard.compositing.patches import PATCH
from howard.compositing.surroundings import Surroundings

# Limits of the ratio of the background's brightness to the plate's: shadows are seldom darker than half.
_MIN_GAIN = 0.5
_MAX_GAIN = 1.6
# Linear light added to both before the ratio, so that noise in dark areas has little influence.
_DARK = 1e-3
# Fraction of empty pixels nearby below which the ratio is reduced towards 1.
_MIN_EMPTY = 0.05
_EPSILON = 1e-8


class EdgeModel(NamedTuple):
    """Error variances in squared linear light, where white is 1, summed over three channels, unless stated otherwise.

    All were chosen to minimise the errors of alpha, of soft colours and of recomposition (benchmarks/edges.py):
    jointly, by random search, on people of the validation split over rooms of the validation split and on the sample
    clip; then one by one with clips of moving people in those rooms. ``alpha_unsure`` was chosen again for the present
    weights on composites of the validation suite and those clips, for errors of alpha and of its gradient.
    """

    # Plate: variance of noise, as a factor on squared linear light.
    plate_noise: float = 0.02
    # Plate: factor on the variance due to its displacement.
    misalignment: float = 0.7
    # Foreground colours: constant part of the variance.
    colour_noise: float = 0.02
    # Foreground colours: factor on the variance of the colours nearby.
    colour_spread: float = 3.4
    # Factor on the weight of colours from each level of distance to the next farther one.
    farther_weight: float = 0.1
    # Weight of the network's foreground; solid pixels on all sides have weight 1.
    network_weight: float = 0.012
    # Network's alpha, unitless: variance where the mean alpha nearby is 0.5; it is 0 where that is 0 or 1.
    alpha_unsure: float = 10.0
    # Position on the line from B to F: constant part of the variance.
    alpha_noise: float = 0.001
    # Position on the line: factor on the squared distance of C from the line.
    off_line: float = 315.0
    # Position on the line: factor on the variance due to the plate's displacement.
    alpha_displaced: float = 20.0
    # Variance of C when F is solved.
    source_noise: float = 0.0005
    # Factor on the variance of B, times (1 - alpha) squared, when F is solved.
    colour_plate: float = 0.9


MODEL = EdgeModel()


class Known(NamedTuple):
    """Inputs of the solver for the pixels of patches: planes (C, n, 16), colours in linear light unless stated."""

    source: Tensor
    plate: Tensor
    is_covered: Tensor  # (1, n, 16) bool
    is_refined: Tensor  # (1, n, 1) bool
    alpha: Tensor  # (1, n, 16), the network's
    foreground: Tensor  # (3, n, 16), the network's, sRGB-encoded
    is_solid: Tensor  # (1, n, 16) bool
    around: Surroundings


class AlphaSolution(NamedTuple):
    """``alpha`` (1, n, 16) in [0, 1], and what solving the foreground needs besides.

    ``colour`` (3, n, 16), decoded, and ``variance`` (1, n, 16) are the prior of the foreground, ``plate_variance``
    (1, n, 16) is that of the plate.
    """

    alpha: Tensor
    colour: Tensor
    variance: Tensor
    plate_variance: Tensor


def solve_alpha(known: Known, model: EdgeModel = MODEL, *, linear_light: bool = True) -> AlphaSolution:
    """The most probable alpha of pixels; with ``linear_light`` False all colours are encoded values."""
    displaced = known.around.displacement * _squared_slope(known.plate)
    plate_variance = model.plate_noise * _sum(known.plate.square()) + model.misalignment * displaced
    colour, variance = _foreground_model(known, model, linear_light)
    behind = known.plate * _background_gain(known.around, linear_light)
    alpha = _most_probable_alpha(known, behind, colour, displaced, model)
    return AlphaSolution(alpha, colour, variance, plate_variance)


def solve_foreground(known: Known, solution: AlphaSolution, alpha: Tensor, model: EdgeModel = MODEL) -> Tensor:
    """The most probable foreground (3, n, 16) for an alpha (1, n, 16), in linear light or encoded, at least 0."""
    colour, variance, plate_variance = solution[1:]
    # Composited over the unchanged plate, the result must be the source, so F includes the shadow on the background.
    rest = known.source - known.plate - alpha * (colour - known.plate)
    noise = model.source_noise + model.colour_plate * (1 - alpha).square() * plate_variance
    gain = alpha * variance / (alpha.square() * variance + noise) * known.is_covered
    # Noise divided by a small alpha must not give highlights: limited to the colours nearby, or to white.
    brightest = torch.maximum(known.source, colour).clamp(min=1)
    return torch.minimum((colour + gain * rest).clamp(min=0), brightest)


def _foreground_model(known: Known, model: EdgeModel, linear_light: bool) -> tuple[Tensor, Tensor]:
    """Prior of the foreground colour: mean (3, n, 16), decoded, and variance (1, n, 16)."""
    around = known.around
    # The network's colours are at most 1: in HDR images they are scaled by the brightness nearby.
    network = known.foreground * around.colour.clamp(min=1)
    fraction = around.weight / (around.weight + model.network_weight)
    encoded = network + fraction * (around.colour - network)
    network_square = _sum(network.square())
    square, mean_square = network_square + fraction * (around.square - network_square), _sum(encoded.square())
    spread = (square - mean_square).clamp(min=0)
    colour = decode(encoded, linear_light)
    # Variance of encoded colours to that of linear light: for a power law the slope is proportional to light / code.
    slope = _sum(colour.square()) / mean_square.clamp(min=_EPSILON)
    return colour, model.colour_noise + model.colour_spread * slope * spread


def _background_gain(around: Surroundings, linear_light: bool) -> Tensor:
    """Ratio of the background's light nearby to the plate's, below 1 in a shadow, (3, n, 16)."""
    lit, known = (decode(each, linear_light) + _DARK for each in (around.lit, around.plate))
    gain = (lit / known).clamp(_MIN_GAIN, _MAX_GAIN)
    return 1 + (around.empty / _MIN_EMPTY).clamp(max=1) * (gain - 1)


def _most_probable_alpha(known: Known, behind: Tensor, colour: Tensor, displaced: Tensor, model: EdgeModel) -> Tensor:
    """Alpha (1, n, 16) between the network's and the position of the source on the line from ``behind`` to ``colour``.

    ``displaced`` (1, n, 1) is the plate's squared change due to its displacement.
    """
    line, seen = colour - behind, known.source - behind
    length = _sum(line.square())
    position = (_sum(seen * line) / length.clamp(min=_EPSILON)).clamp(0, 1)
    error = model.alpha_noise + model.off_line * _sum((seen - position * line).square())
    error = error + model.alpha_displaced * displaced
    mean = known.around.alpha
    unsure = model.alpha_unsure * 4 * mean * (1 - mean) * length
    fraction = known.is_covered * known.is_refined * unsure / (unsure + error)
    alpha = known.alpha + fraction * (position - known.alpha)
    return torch.where(known.is_solid, torch.ones_like(alpha), alpha)


def _squared_slope(planes: Tensor) -> Tensor:
    """Mean squared change per pixel within each patch, (3, n, 16) -> (1, n, 1), summed over channels and directions."""
    blocks = planes.view(len(planes), -1, PATCH, PATCH)
    across = (blocks[..., 1:] - blocks[..., :-1]).square()
    down = (blocks[:, :, 1:] - blocks[:, :, :-1]).square()
    return (_sum(across).mean(dim=(2, 3)) + _sum(down).mean(dim=(2, 3)))[..., None]


def _sum(planes: Tensor) -> Tensor:
    """Sum over the three channels, (3, ...) -> (1, ...); several times as fast as ``torch.sum`` on a CPU."""
    return reduce(torch.add, planes.split(1))
