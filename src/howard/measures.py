"""Quality measures of mattes and aligned plates that need no ground truth.

Pictures are (H, W, 3), sRGB-encoded: uint8, uint16 (0 to 65535) or float32 (0 to 1, above for HDR). Errors are in 8-bit
levels for every bit depth; alpha is (H, W) in [0, 1].
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import mix
from howard.images import full_scale

_SOLID = 0.5
_WRONG_LEVELS = 10.0


class PlateResidual(NamedTuple):
    """``mean`` difference in 8-bit levels, and the fraction of pixels that are ``wrong``: differ by over 10 levels."""

    mean: float
    wrong: float


def holes(alpha: np.ndarray) -> float:
    """Pixels with alpha < 0.5 enclosed by the silhouette, as a fraction of the filled silhouette; 0 if that is empty.

    A gap that touches the image border is not enclosed.
    """
    solid = alpha >= _SOLID
    # The margin connects the whole outside. 4-connectivity, since closed contours of the silhouette are 8-connected.
    outside = np.pad(~solid, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    filled = (labels != labels[0, 0])[1:-1, 1:-1]
    return float((filled & ~solid).sum() / max(filled.sum(), 1))


def islands(alpha: np.ndarray) -> float:
    """Area of all components (alpha >= 0.5, 8-connected) but the largest, as a fraction of the image."""
    solid = (alpha >= _SOLID).astype(np.uint8)
    count, _, statistics, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    areas = statistics[1:count, cv2.CC_STAT_AREA]
    return float((areas.sum() - areas.max(initial=0)) / solid.size)


def plate_residual(source: np.ndarray, plate: np.ndarray, background: np.ndarray) -> PlateResidual:
    """Difference of an aligned plate and the source, of the same dtype, where ``background`` (H, W) is True.

    The background should be pixels without a person that the plate covers. A pixel's difference is the mean over its
    channels. NaN if there is no background.
    """
    if not background.any():
        return PlateResidual(float("nan"), float("nan"))
    difference = 255 / full_scale(source.dtype) * _mean_of_channels(cv2.absdiff(source, plate))[background]
    return PlateResidual(float(difference.mean()), float((difference > _WRONG_LEVELS).mean()))


def recomposition_error(
    source: np.ndarray,
    alpha: np.ndarray,
    foreground: np.ndarray,
    plate: np.ndarray,
    coverage: np.ndarray,
    linear_light: bool,
) -> float:
    """Mean |alpha F + (1 - alpha) B - source| of covered pixels, in 8-bit levels; NaN if none is covered.

    ``foreground`` is float in [0, 1], ``coverage`` (H, W) in [0, 1]; ``linear_light`` as in `howard.colour.mix`.
    """
    covered = coverage >= _SOLID
    if not covered.any():
        return float("nan")
    scale = np.float32(1 / full_scale(plate.dtype))
    behind = plate * scale
    mixed = behind + alpha[..., None] * (foreground - behind)
    # The slow transfer curves are only evaluated for soft pixels.
    soft = np.nonzero((alpha > 0) & (alpha < 1))
    mixed[soft] = mix(foreground[soft], behind[soft], alpha[soft][:, None], linear_light)
    return float(255 * _mean_of_channels(np.abs(mixed - source * scale))[covered].mean())


def _mean_of_channels(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) to (H, W) float32; several times as fast as numpy's mean over a short axis."""
    return cv2.transform(image.astype(np.float32), np.full((1, 3), 1 / 3, np.float32))
