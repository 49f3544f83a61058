"""Alpha and foreground in soft pixels, from source, plate and neighbouring colours.

In linear light a soft pixel is C = alpha F + (1 - alpha) B. The plate colour B is known up to noise and misalignment,
and F has the distribution of the foreground colours nearby. The position of C on the line from B to the mean of F is a
second estimate of alpha, besides the network's; :mod:`howard.compositing.alpha_fusion` makes one of both. For that
alpha, F is the most probable one with Gaussian errors (Chuang et al., "A Bayesian Approach to Digital Matting", CVPR
2001, section 3).
"""

from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from howard.compositing.alpha_fusion import FEATURES, AlphaFusion, load_fusion
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
# Slope with which a fused alpha counts more, the less certain the network is: half at 0.03 or 0.97 all round.
_DOUBT = 8.0
# Limits of the features, and the scale of their logarithms.
_MAX_OFF_LINE = 4.0
_MIN_LENGTH, _MIN_VARIANCE = 1e-3, 1e-5
# Squared length at which colours say half as much as at best: less than noise.
_NO_LENGTH = 1e-5
_LOG_SCALE = 0.2


class EdgeModel(NamedTuple):
    """Error variances in squared linear light, where white is 1, summed over three channels, unless stated otherwise.

    All were chosen to minimise the errors of alpha, of soft colours and of recomposition (benchmarks/edges.py):
    jointly, by random search, on people of the validation split over rooms of the validation split and on the sample
    clip; then one by one with clips of moving people in those rooms.
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
    person: Tensor  # (1, n, 1) or (1, n, 16), the person prior; 0 if the subject may be anything
    around: Surroundings


class Priors(NamedTuple):
    """Priors of a pixel's colours: ``colour`` (3, n, 16), decoded, and ``variance`` (1, n, 16) of the foreground.

    ``plate_variance`` (1, n, 16) is that of the plate.
    """

    colour: Tensor
    variance: Tensor
    plate_variance: Tensor


def solve_alpha(
    known: Known, model: EdgeModel = MODEL, *, linear_light: bool = True, fusion: AlphaFusion | None = None
) -> tuple[Tensor, Priors]:
    """Alpha of pixels, (1, n, 16) in [0, 1], and the priors from which `solve_foreground` solves their colours.

    With ``linear_light`` False all colours are encoded values; ``fusion`` None is the one that ships with Howard.
    """
    features, priors = describe_pixels(known, model, linear_light=linear_light)
    fused = (fusion or load_fusion(known.alpha.device))(features).clamp(0, 1)
    # Where the network is certain of a pixel and of its surroundings, colours that say otherwise count less.
    nearby = known.around.alpha
    doubt = (_DOUBT * (nearby * (1 - nearby) + known.alpha * (1 - known.alpha))).clamp(max=1)
    alpha = known.alpha + doubt * (fused - known.alpha)
    alpha = torch.maximum(alpha, torch.minimum(known.alpha, _least_alpha(known, priors)))
    return torch.where(known.is_solid, torch.ones_like(alpha), alpha), priors


def describe_pixels(known: Known, model: EdgeModel = MODEL, *, linear_light: bool = True) -> tuple[Tensor, Priors]:
    """The features from which alpha is fused, `FEATURES` as planes (C, n, 16), and the priors of colours."""
    displaced = known.around.displacement * _squared_slope(known.plate)
    plate_variance = model.plate_noise * _sum(known.plate.square()) + model.misalignment * displaced
    colour, variance = _foreground_model(known, model, linear_light)
    behind = known.plate * _background_gain(known.around, linear_light)
    line, seen = colour - behind, known.source - behind
    length = _sum(line.square())
    # Colours brighter than white count relative to their brightness.
    white = torch.maximum(colour, behind).amax(dim=0, keepdim=True).clamp(min=1).square()
    position = (_sum(seen * line) / length.clamp(min=_EPSILON)).clamp(0, 1)
    off_line = _sum((seen - position * line).square()) / (length + _MIN_LENGTH * white)
    features = {
        "alpha": known.alpha,
        "position": position,
        "off_line": off_line.clamp(max=_MAX_OFF_LINE).sqrt(),
        "length": _log(length / white),
        "displaced": _log(displaced / white),
        "mean_alpha": known.around.alpha,
        "person": known.person,
        "usable": (known.is_covered & known.is_refined) * length / (length + _NO_LENGTH * white),
        "colour_variance": _log((variance / white).clamp(min=model.colour_noise)),
        "solid_weight": known.around.weight.clamp(max=1),
        "solid": known.is_solid.to(known.alpha.dtype),
    }
    planes = torch.cat([features[name].expand_as(known.alpha) for name in FEATURES])
    return planes, Priors(colour, variance, plate_variance)


def solve_foreground(known: Known, priors: Priors, alpha: Tensor, model: EdgeModel = MODEL) -> Tensor:
    """The most probable foreground (3, n, 16) for an alpha (1, n, 16), in linear light or encoded, at least 0."""
    colour, variance, plate_variance = priors
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


def _least_alpha(known: Known, priors: Priors) -> Tensor:
    """Alpha (1, n, 16) below which a foreground brighter than white, as bright as those nearby, cannot give the source.

    It is 0 where the foreground is not brighter than white.
    """
    brightest = torch.maximum(known.source, priors.colour)
    ratio = (known.source - known.plate) / (brightest - known.plate).clamp(min=_EPSILON)
    return torch.where(priors.colour > 1, ratio, 0).amax(dim=0, keepdim=True).clamp(0, 1)


def _log(values: Tensor) -> Tensor:
    return _LOG_SCALE * (values + _MIN_VARIANCE).log()


def _squared_slope(planes: Tensor) -> Tensor:
    """Mean squared change per pixel within each patch, (3, n, 16) -> (1, n, 1), summed over channels and directions."""
    blocks = planes.view(len(planes), -1, PATCH, PATCH)
    across = (blocks[..., 1:] - blocks[..., :-1]).square()
    down = (blocks[:, :, 1:] - blocks[:, :, :-1]).square()
    return (_sum(across).mean(dim=(2, 3)) + _sum(down).mean(dim=(2, 3)))[..., None]


def _sum(planes: Tensor) -> Tensor:
    """Sum over the three channels, (3, ...) -> (1, ...); several times as fast as ``torch.sum`` on a CPU."""
    return reduce(torch.add, planes.split(1))
