"""Metrics of mattes against the true ones, in torch, for whole batches on their device.

``predicted`` and ``true`` are (B, 1, H, W) floating-point alpha in [0, 1], whole images without a trimap. Each metric
returns (B,) float64, one value per image; smaller is better. It is NaN for images without any pixel that the metric is
computed over. No metric synchronises with the device. MPS has no float64: move such tensors to the CPU first.

The definitions are those of the evaluation scripts of S. Lin et al., "Robust High-Resolution Video Matting with
Temporal Guidance", WACV 2022, so that the values can be compared with published ones.
"""

import functools
import math
from collections.abc import Sequence
from operator import ge, gt, le, lt

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from howard.evaluation.image_means import check_shapes, compare, fraction, mean_absolute, mean_square, on_cpu, planes

# Gradients are Gaussian derivatives: sigma in pixels, and the value at which the filter is truncated. Both are from the
# published protocol.
_GRADIENT_SIGMA = 1.4
_GRADIENT_EPSILON = 1e-2
_BAND_RADIUS = 10  # radius of the edge band in pixels, for a frame with a long side of _FULL_SIDE
_FULL_SIDE = 1920
SURE_PERSON = 0.95  # smallest true alpha of the person's core
SURE_BACKGROUND = 0.05  # largest true alpha of the clear background
SOLID = 0.5  # predicted alpha that separates person and background


def mad(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean absolute difference, times 1e3."""
    return mean_absolute(predicted, true) * 1e3


def mse(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean squared error, times 1e3."""
    return mean_square(predicted, true) * 1e3


def gradient_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Sum of squared differences of gradient magnitude, / 1e3: the ``grad`` of the high-resolution protocol."""
    return mean_square(_gradient_magnitude(predicted), _gradient_magnitude(true)) * (true[0].numel() / 1e3)


def gradient_error_low_resolution(predicted: Tensor, true: Tensor) -> Tensor:
    """The gradient error after both mattes are rescaled to [0, 1], as in the low-resolution protocol.

    It is blind to a wrong gain: half the true matte scores 0.
    """
    return gradient_error(_rescale(predicted), _rescale(true))


def dtssd(predicted: Tensor, true: Tensor) -> Tensor:
    """Root mean square of the difference between predicted and true change since the previous frame, times 1e2.

    The batch is a clip, (T, 1, H, W). The first frame has no previous one: it scores 0 and is part of the clip's mean.
    """
    check_shapes(predicted, true)
    return F.pad(mean_square(predicted.diff(dim=0), true.diff(dim=0)).sqrt_() * 1e2, (1, 0))


def foreground_mad(predicted_colour: Tensor, true_colour: Tensor, true: Tensor) -> Tensor:
    """Mean absolute difference of colours (B, 3, H, W) in [0, 1] where true alpha > 0, times 1e3."""
    return mean_absolute(predicted_colour, true_colour, compare(gt, true, 0)) * 1e3


def foreground_mse(predicted_colour: Tensor, true_colour: Tensor, true: Tensor) -> Tensor:
    """Mean squared difference of colours (B, 3, H, W) in [0, 1] where true alpha > 0, times 1e3."""
    return mean_square(predicted_colour, true_colour, compare(gt, true, 0)) * 1e3


def band_mad(predicted: Tensor, true: Tensor) -> Tensor:
    """MAD, times 1e3, over the edge band."""
    return mean_absolute(predicted, true, edge_band(true)) * 1e3


def person_dropouts(predicted: Tensor, true: Tensor) -> Tensor:
    """Fraction of the person's core (true >= 0.95) that is lost (predicted < 0.5)."""
    return fraction(compare(lt, predicted, SOLID), compare(ge, true, SURE_PERSON))


def background_dropouts(predicted: Tensor, true: Tensor) -> Tensor:
    """Fraction of the clear background (true <= 0.05) that is kept (predicted > 0.5)."""
    return fraction(compare(gt, predicted, SOLID), compare(le, true, SURE_BACKGROUND))


def edge_band(true: Tensor) -> Tensor:
    """(B, 1, H, W) bool: pixels within 10 px (at a long side of 1920, scaled with it) of soft alpha, 0 < true < 1."""
    height, width = true.shape[2:]
    radius = _BAND_RADIUS * max(height, width) / _FULL_SIDE
    # Half the width of each row of the disc, from its centre upwards.
    half_widths = [math.floor(math.sqrt(radius**2 - up**2)) for up in range(math.floor(radius) + 1)]
    soft = compare(gt, true, 0) & compare(lt, true, 1)
    if on_cpu(true):
        disc = _disc(tuple(half_widths))
        bands = [cv2.dilate(plane.view(np.uint8), disc).view(bool) for plane in planes(soft)]
        return torch.from_numpy(np.stack(bands))[:, None]
    return _dilate(soft, half_widths)


@functools.cache
def _disc(half_widths: tuple[int, ...]) -> NDArray[np.uint8]:
    margin = len(half_widths) - 1
    offsets = np.arange(-margin, margin + 1)
    return (abs(offsets) <= np.array(half_widths)[abs(offsets), None]).astype(np.uint8)


def _dilate(soft: Tensor, half_widths: Sequence[int]) -> Tensor:
    """Dilation of (B, 1, H, W) bool by a disc: for each of its rows, a horizontal dilation shifted up and down."""
    height, width = soft.shape[2:]
    margin = len(half_widths) - 1
    wide = F.pad(soft, (margin,) * 4)
    band = torch.zeros_like(soft)
    row = wide.narrow(3, margin, width).clone()
    for across in range(margin + 1):
        row |= wide.narrow(3, margin - across, width) | wide.narrow(3, margin + across, width)
        for up, half_width in enumerate(half_widths):
            if half_width == across:
                band |= row.narrow(2, margin - up, height) | row.narrow(2, margin + up, height)
    return band


def _gradient_magnitude(alpha: Tensor) -> Tensor:
    """Magnitude of the gradient of (B, 1, H, W) by derivatives of a Gaussian; borders are replicated."""
    smooth, derivative = _gaussian_derivative_filter()
    if on_cpu(alpha):
        filters = np.array(smooth), np.array(derivative)
        magnitude = torch.zeros(alpha.shape)
        for plane, result in zip(planes(alpha), planes(magnitude), strict=True):
            _fill_magnitude(plane, result, *filters)
        return magnitude
    half = len(smooth) // 2
    wide = F.pad(alpha, (half,) * 4, mode="replicate")
    across = _correlate(_correlate(wide, derivative, 3), smooth, 2)
    down = _correlate(_correlate(wide, smooth, 3), derivative, 2)
    return across.square_().add_(down.square_()).sqrt_()


def _fill_magnitude(plane: NDArray, magnitude: NDArray, smooth: NDArray, derivative: NDArray) -> None:
    """As :func:`_gradient_magnitude` of a plane (H, W), by OpenCV in a third of the time of torch's sums.

    Fills ``magnitude``, zeros like ``plane``, only near alpha: beyond the filter's reach there is no gradient.
    """
    left, top, width, height = cv2.boundingRect((plane != 0).view(np.uint8))
    half = len(smooth) // 2
    near = np.s_[max(0, top - half) : top + height + half, max(0, left - half) : left + width + half]
    if width == 0:
        return
    across = cv2.sepFilter2D(plane[near], -1, derivative, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(plane[near], -1, smooth, derivative, borderType=cv2.BORDER_REPLICATE)
    # Not cv2.magnitude, whose last bit depends on where in memory a plane begins.
    across *= across
    down *= down
    across += down
    np.sqrt(across, out=magnitude[near])


@functools.cache
def _gaussian_derivative_filter() -> tuple[list[float], list[float]]:
    """Weights of the smoothing and of the derivative filter, each of unit L2 norm."""
    sigma = _GRADIENT_SIGMA
    half = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * _GRADIENT_EPSILON)))
    offsets = torch.arange(-half, half + 1, dtype=torch.float64)
    smooth = torch.exp(-(offsets**2) / (2 * sigma**2))
    derivative = -offsets * smooth
    return (smooth / smooth.norm()).tolist(), (derivative / derivative.norm()).tolist()


def _correlate(image: Tensor, weights: list[float], dim: int) -> Tensor:
    """Correlation along one dimension, without padding."""
    length = image.shape[dim] - len(weights) + 1
    total = torch.zeros_like(image.narrow(dim, 0, length))
    for offset, weight in enumerate(weights):
        total.add_(image.narrow(dim, offset, length), alpha=weight)
    return total


def _rescale(alpha: Tensor) -> Tensor:
    lowest, highest = alpha.amin(dim=(1, 2, 3), keepdim=True), alpha.amax(dim=(1, 2, 3), keepdim=True)
    extent = highest - lowest
    return (alpha - lowest) * torch.where(extent > 0, extent.reciprocal(), 0.0)
