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

from howard.media import full_scale, to_depth
from howard.pipeline.cutout import Pixels
from howard.pipeline.frames import MattedFrame

# From all that is known, or the network's alone.
FOREGROUNDS = ("estimated", "network")
# Chosen on unseen people over unseen rooms (benchmarks/foreground.py). Solid enough to lend its colour:
_SOLID = 0.5
# How far a colour reaches, as a standard deviation in pixels of a picture this wide; ...
_REACH = 1.0
_REACH_WIDTH = 960
# ... and how much less a colour weighs that comes from four times as far.
_FAR_WEIGHT = 0.01
# How far the source may be from its recomposition, against how far a colour may be from its neighbours', as a ratio of
# variances: the larger, the less is taken from the plate.
_DOUBT = 3.0
# Less solid weight around than this tells no colour.
_NOTHING = 1e-6


class Surroundings(NamedTuple):
    """What the solid pixels around some pixels look like."""

    colour: np.ndarray  # (N, 3) in [0, 1]
    weight: np.ndarray  # (N, 1), how much there is; without any the colour means nothing


def estimate_foreground(
    source: np.ndarray, alpha: np.ndarray, network: np.ndarray, plate: np.ndarray, coverage: np.ndarray, soft: Pixels
) -> np.ndarray:
    """The foreground colours of the pixels ``soft``: (N, 3) float32 in [0, 1], straight, encoded as the source is.

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
    """
    if not len(soft.rows):
        return np.zeros((0, 3), np.float32)
    around = look_around(source, alpha, soft)
    weight = alpha[soft].astype(np.float32)[:, None]
    expected = np.where(around.weight > _NOTHING, around.colour, network[soft])
    missing = to_depth(source[soft], np.float32) - weight * expected
    missing -= (1 - weight) * to_depth(plate[soft], np.float32)
    # The most probable colour, if both the recomposition and the expectation are off by Gaussian errors.
    step = weight / (weight * weight + _DOUBT)
    return (expected + step * (coverage[soft] >= 0.5)[:, None] * missing).clip(0, 1)


def choose_colours(frame: MattedFrame, foreground: str) -> Callable[[Pixels], np.ndarray]:
    """Where a frame's soft pixels have their colours from; ``foreground`` is one of `FOREGROUNDS`."""
    if foreground == "network":
        return frame.foreground.__getitem__
    source, plate = frame.source.image, frame.plate
    return partial(estimate_foreground, source, frame.alpha, frame.foreground, plate.image, plate.coverage)


def look_around(source: np.ndarray, alpha: np.ndarray, pixels: Pixels) -> Surroundings:
    """Weighted means of the solid colours near ``pixels``; arguments as :func:`estimate_foreground`."""
    reach = _REACH * max(1.0, alpha.shape[1] / _REACH_WIDTH)
    margin = int(16 * reach)
    top, left = max(0, pixels.rows.min() - margin), max(0, pixels.columns.min() - margin)
    window = np.s_[top : pixels.rows.max() + margin + 1, left : pixels.columns.max() + margin + 1]
    solid = cv2.pow(alpha[window].astype(np.float32, copy=False), 2)
    _, solid = cv2.threshold(solid, _SOLID**2, 0, cv2.THRESH_TOZERO)
    shown = source[window]
    weighted = cv2.multiply(shown, cv2.merge([solid] * 3), scale=1 / full_scale(shown.dtype), dtype=cv2.CV_32F)
    rows, columns = pixels.rows - top, pixels.columns - left
    colour, weight = (_spread(image, reach, rows, columns) for image in (weighted, solid))
    return Surroundings(colour / np.maximum(weight, _NOTHING), weight)


def _spread(image: np.ndarray, reach: float, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A picture, (h, w) or (h, w, 3), blurred a little and, far more weakly, a lot: (N, 1 or 3) at some pixels."""
    side = 2 * round(2 * reach) + 1
    near = cv2.GaussianBlur(image, (side, side), reach)
    quarter = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    far = cv2.GaussianBlur(quarter, (side, side), reach)
    down, right = (np.minimum(at // 4, size - 1) for at, size in zip((rows, columns), far.shape, strict=False))
    return (near[rows, columns] + _FAR_WEIGHT * far[down, right]).reshape(len(rows), -1)
