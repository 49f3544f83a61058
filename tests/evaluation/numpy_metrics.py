"""The scores again, in NumPy and OpenCV alone, frame by frame: what tests hold the batched ones in torch to."""

import itertools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.floating]

_GRADIENT_SIGMA = 1.4
_GRADIENT_EPSILON = 1e-2
_CONNECTIVITY_STEPS = np.arange(0, 1.1, 0.1)
_CONNECTIVITY_TOLERANCE = 0.15
# Radius of the edge band, in pixels of a frame ...
_BAND_RADIUS = 10
# ... of this long side.
_FULL_SIDE = 1920


def mad(predicted: Alpha, true: Alpha) -> float:
    """Mean absolute difference, times 1e3."""
    return _mean(np.abs(_difference(predicted, true))) * 1e3


def mse(predicted: Alpha, true: Alpha) -> float:
    """Mean squared error, times 1e3."""
    return _mean(_difference(predicted, true) ** 2) * 1e3


def gradient_error(predicted: Alpha, true: Alpha) -> float:
    """Sum of squared differences of gradient magnitude, over 1e3: the ``grad`` of the high-resolution protocol."""
    difference = _gradient_magnitude(true) - _gradient_magnitude(predicted)
    return float((difference**2).sum(dtype=np.float64)) / 1e3


def gradient_error_low_resolution(predicted: Alpha, true: Alpha) -> float:
    """The gradient error after stretching both mattes to [0, 1], as the low-resolution protocol does.

    It hides a wrong gain: half the true matte scores 0.
    """
    return gradient_error(_stretched(predicted), _stretched(true))


def connectivity_error(predicted: Alpha, true: Alpha) -> float:
    """Sum of differences in how firmly each pixel hangs together with the body, over 1e3.

    See C. Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting", CVPR 2009.
    """
    # The published figures compare float32 values with the steps: 153/255 then reaches the step 0.6.
    predicted, true = predicted.astype(np.float32), true.astype(np.float32)
    level = np.full(true.shape, -1.0)
    for previous, step in itertools.pairwise(_CONNECTIVITY_STEPS):
        body = _largest_component((predicted >= step) & (true >= step))
        level[(level == -1) & ~body] = previous
    level[level == -1] = 1.0
    difference = _connectedness(true, level) - _connectedness(predicted, level)
    return float(np.abs(difference).sum()) / 1e3


def dtssd(
    predicted: Alpha, true: Alpha, previous_predicted: Alpha | None = None, previous_true: Alpha | None = None
) -> float:
    """Root mean square of the difference between predicted and true change since the previous frame, times 1e2.

    A clip's first frame has no previous one: it scores 0 and counts in the clip's mean.
    """
    if previous_predicted is None or previous_true is None:
        return 0.0
    change = _difference(predicted, previous_predicted) - _difference(true, previous_true)
    return math.sqrt(_mean(change**2)) * 1e2


def foreground_mad(predicted_colour: NDArray, true_colour: NDArray, true: Alpha) -> float:
    """Mean absolute colour difference where true alpha > 0, times 1e3; colours are HxWx3 in [0, 1]."""
    return _mean(np.abs(_difference(predicted_colour, true_colour)[true > 0])) * 1e3


def foreground_mse(predicted_colour: NDArray, true_colour: NDArray, true: Alpha) -> float:
    """Mean squared colour difference where true alpha > 0, times 1e3; colours are HxWx3 in [0, 1]."""
    return _mean(_difference(predicted_colour, true_colour)[true > 0] ** 2) * 1e3


def band_mad(predicted: Alpha, true: Alpha) -> float:
    """MAD over the pixels within 10 px (at a long side of 1920; scaled with it) of the soft edge, 0 < true < 1."""
    return _mean(np.abs(_difference(predicted, true))[edge_band(true)]) * 1e3


def edge_band(true: Alpha) -> NDArray[np.bool_]:
    """HxW mask of the pixels within 10 px (at a long side of 1920; scaled with it) of 0 < true < 1."""
    soft = (true > 0) & (true < 1)
    if not soft.any():
        return soft
    distance = cv2.distanceTransform((~soft).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return distance <= band_radius(*true.shape)


def band_radius(height: int, width: int) -> float:
    """Radius of the edge band in a frame of this size: the same in portrait as in landscape."""
    return _BAND_RADIUS * max(height, width) / _FULL_SIDE


def person_dropouts(predicted: Alpha, true: Alpha) -> float:
    """Share, in [0, 1], of the person's core (true >= 0.95) that is lost (predicted < 0.5)."""
    return _mean(predicted[true >= 0.95] < 0.5)


def background_dropouts(predicted: Alpha, true: Alpha) -> float:
    """Share, in [0, 1], of the clear background (true <= 0.05) that is kept (predicted > 0.5)."""
    return _mean(predicted[true <= 0.05] > 0.5)


def _mean(values: NDArray) -> float:
    return float(values.mean(dtype=np.float64)) if values.size else math.nan


def _difference(first: NDArray, second: NDArray) -> NDArray:
    if first.shape != second.shape:
        raise ValueError(f"cannot compare shapes {first.shape} and {second.shape}: both must be of one size")
    return first.astype(np.float64) - second


def _gradient_magnitude(alpha: Alpha) -> NDArray[np.float32]:
    smooth, derivative = gaussian_derivative_filter()
    image = alpha.astype(np.float32)
    across = cv2.sepFilter2D(image, cv2.CV_32F, derivative, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(image, cv2.CV_32F, smooth, derivative, borderType=cv2.BORDER_REPLICATE)
    return np.sqrt(across**2 + down**2)


def gaussian_derivative_filter() -> tuple[NDArray, NDArray]:
    """Smoothing and derivative factor (n,) of the separable filter; their outer product has unit L2 norm."""
    sigma = _GRADIENT_SIGMA
    half = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * _GRADIENT_EPSILON)))
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    smooth = np.exp(-(offsets**2) / (2 * sigma**2))
    derivative = -offsets * smooth
    return smooth / np.linalg.norm(smooth), derivative / np.linalg.norm(derivative)


def _stretched(alpha: Alpha) -> NDArray[np.float32]:
    lowest, highest = float(alpha.min()), float(alpha.max())
    scale = 1 / (highest - lowest) if highest > lowest else 0.0
    return ((alpha - lowest) * scale).astype(np.float32)


def _largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count == 1:
        return np.zeros_like(mask)
    return labels == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))


def _connectedness(alpha: Alpha, level: NDArray) -> NDArray:
    distance = alpha - level
    return 1 - distance * (distance >= _CONNECTIVITY_TOLERANCE)
