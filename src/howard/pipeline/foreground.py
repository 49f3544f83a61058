"""The person's own colour where a pixel is part person, part place.

Three things are known of a soft pixel: what the network says, the colours of the solid pixels beside it, and, since the
plate shows what lies behind, what is left of the source when the place is taken out of it. The last is exact where
alpha is, and worse than nothing where alpha is wrong.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.media import full_scale, to_depth
from howard.pipeline.cutout import Pixels
from howard.pipeline.frames import MattedFrame

# Chosen on unseen people over unseen rooms (benchmarks/foreground.py). Solid enough to lend its colour, and by which
# power of alpha it does:
_SOLID, _SOLIDITY = 0.5, 4
# How far a colour reaches, as a standard deviation in pixels of a picture whose long side is about this; ...
_REACH = 1.0
_REDUCED_SIDE = 960
# ... how much less a colour weighs that comes from four times as far, ...
_FAR_WEIGHT = 0.01
# ... and beyond how many pixels nothing is looked for.
_MARGIN = 16
# How far the source may be from its recomposition, against how far a colour may be from its neighbours', as a ratio of
# variances: the larger, the less is taken from the plate.
_DOUBT = 0.5
# Less solid weight around than this tells no colour.
_NOTHING = 1e-6
# The light that each of the eight-bit codes stands for: a look here takes a third of the time.
_LIGHT = srgb_to_linear(np.arange(256) / 255).astype(np.float32)


class Surroundings(NamedTuple):
    """What the solid pixels around some pixels look like."""

    colour: np.ndarray  # (N, 3) in [0, 1]
    weight: np.ndarray  # (N, 1), how much there is; without any the colour means nothing


def estimate_foreground(
    source: np.ndarray,
    alpha: np.ndarray,
    network: np.ndarray,
    plate: np.ndarray,
    coverage: np.ndarray,
    soft: Pixels,
    *,
    linear_light: bool,
) -> np.ndarray:
    """The foreground colours of the pixels ``soft``: (N, 3) float32, straight, encoded as the source is.

    They are in [0, 1], or above where the source is HDR.

    The mean of the solid colours around, the nearer and the more opaque the heavier (after Forte, "Approximate Fast
    Foreground Colour Estimation", ICIP 2021), moved towards what recomposes the source over the plate, the further the
    larger alpha, where the plate saw the place. Where nothing solid is near the network's colour takes its part.

    Args:
        source: (H, W, 3) of any depth.
        alpha: (H, W) in [0, 1].
        network: (H, W, 3) in [0, 1], the network's foreground.
        plate: like ``source``, aligned to it.
        coverage: (H, W) in [0, 1], 1 where the plate saw the place.
        soft: the pixels that are asked for.
        linear_light: whether soft pixels mix as light does, or in encoded values.
    """
    if not len(soft.rows):
        return np.zeros((0, 3), np.float32)
    expected, solid = look_around(source, alpha, soft)
    unknown = solid[:, 0] <= _NOTHING
    expected[unknown] = soft.of(network)[unknown]
    # Channel by channel from here on: numpy is slow over rows of three.
    weight = soft.of(alpha).astype(np.float32)
    channels = (np.ascontiguousarray(each.T) for each in (soft.of(source), soft.of(plate), expected))
    seen, behind, expected = (_mixed(each, linear_light) for each in channels)
    missing = seen - weight * expected
    missing -= (1 - weight) * behind
    # The most probable colour, if both the recomposition and the expectation are off by Gaussian errors.
    missing *= weight / (weight * weight + _DOUBT) * (soft.of(coverage) >= 0.5)
    # In HDR as bright as what is seen there or around: noise divided by a small alpha makes no highlights.
    found = np.clip(expected + missing, 0, np.maximum(np.maximum(seen, expected), 1))
    return (linear_to_srgb(found) if linear_light else found).T


def choose_colours(frame: MattedFrame, foreground: str, *, linear_light: bool) -> Callable[[Pixels], np.ndarray]:
    """The function that gives a frame's soft pixels their colours.

    ``foreground`` is one of `howard.choices.FOREGROUNDS`, ``linear_light`` as in :func:`estimate_foreground`.
    """
    if foreground == "network":
        return lambda soft: soft.of(frame.foreground)
    source, plate = frame.source.image, frame.plate
    known = source, frame.alpha, frame.foreground, plate.image, plate.coverage
    return partial(estimate_foreground, *known, linear_light=linear_light)


def look_around(source: np.ndarray, alpha: np.ndarray, pixels: Pixels) -> Surroundings:
    """Weighted means of the solid colours near ``pixels``; arguments as :func:`estimate_foreground`.

    Large pictures are looked at in a smaller size: colours change slowly, and edges are as many pixels wider there.
    """
    factor = max(1, round(max(alpha.shape) / _REDUCED_SIDE))
    # Whole cells of so many pixels, with room for the furthest colours.
    first, last = (
        [edge(at) // factor * factor + sign * _MARGIN * factor for at in pixels]
        for edge, sign in ((np.min, -1), (np.max, 1))
    )
    top, left = (max(0, start) for start in first)
    window = np.s_[top : last[0] + factor, left : last[1] + factor]
    seen, cover = (_reduce(image[window], factor) for image in (source, alpha.astype(np.float32, copy=False)))
    _, solid = cv2.threshold(cv2.pow(cover, _SOLIDITY), _SOLID**_SOLIDITY, 0, cv2.THRESH_TOZERO)
    weighted = cv2.multiply(seen, cv2.merge([solid] * 3), scale=1 / full_scale(seen.dtype), dtype=cv2.CV_32F)
    reduced = Pixels((pixels.rows - top) // factor, (pixels.columns - left) // factor)
    colour, weight = (_spread(image, reduced) for image in (weighted, solid))
    return Surroundings(colour / np.maximum(weight, _NOTHING), weight)


def _mixed(colours: np.ndarray, linear_light: bool) -> np.ndarray:
    """Colours of any depth, encoded, as what soft pixels mix: float32 in [0, 1]."""
    if not linear_light:
        return to_depth(colours, np.float32)
    if colours.dtype == np.uint8:
        return _LIGHT.take(colours)
    return srgb_to_linear(to_depth(colours, np.float32))


def _reduce(image: np.ndarray, factor: int) -> np.ndarray:
    """Means over cells of ``factor`` x ``factor`` pixels; those at the end may be smaller."""
    size = tuple(-(-side // factor) for side in image.shape[1::-1])
    return image if factor == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _spread(image: np.ndarray, pixels: Pixels) -> np.ndarray:
    """A picture, (h, w) or (h, w, 3), blurred a little and, far more weakly, a lot: (N, 1 or 3) at some pixels."""
    side = 4 * round(_REACH) + 1
    near = cv2.GaussianBlur(image, (side, side), _REACH)
    quarter = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    far = cv2.GaussianBlur(quarter, (side, side), _REACH)
    quartered = Pixels(*(np.minimum(at // 4, size - 1) for at, size in zip(pixels, far.shape, strict=False)))
    return (pixels.of(near) + _FAR_WEIGHT * quartered.of(far)).reshape(len(pixels.rows), -1)
