"""Metrics of mattes against the true ones, in torch, for whole batches on their device.

``predicted`` and ``true`` are (B, 1, H, W) floating-point alpha in [0, 1], whole images without a trimap. Each metric
returns (B,) float64, one value per image; smaller is better. It is NaN for images without any pixel that the metric is
computed over. No metric synchronises with the device. MPS has no float64: move such tensors to the CPU first.

The definitions are those of the evaluation scripts of S. Lin et al., "Robust High-Resolution Video Matting with
Temporal Guidance", WACV 2022, so that the values can be compared with published ones.
"""

import functools
import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

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
    return image_mean(difference(predicted, true).abs_()) * 1e3


def mse(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean squared error, times 1e3."""
    return image_mean(difference(predicted, true).square_()) * 1e3


def gradient_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Sum of squared differences of gradient magnitude, / 1e3: the ``grad`` of the high-resolution protocol."""
    change = difference(_gradient_magnitude(true), _gradient_magnitude(predicted))
    return change.square_().sum(dim=(1, 2, 3), dtype=torch.float64) / 1e3


def gradient_error_low_resolution(predicted: Tensor, true: Tensor) -> Tensor:
    """The gradient error after both mattes are rescaled to [0, 1], as in the low-resolution protocol.

    It is blind to a wrong gain: half the true matte scores 0.
    """
    return gradient_error(_rescale(predicted), _rescale(true))


def dtssd(predicted: Tensor, true: Tensor) -> Tensor:
    """Root mean square of the difference between predicted and true change since the previous frame, times 1e2.

    The batch is a clip, (T, 1, H, W). The first frame has no previous one: it scores 0 and is part of the clip's mean.
    """
    change = difference(predicted, true).diff(dim=0)
    return F.pad(image_mean(change.square_()).sqrt_() * 1e2, (1, 0))


def foreground_mad(predicted_colour: Tensor, true_colour: Tensor, true: Tensor) -> Tensor:
    """Mean absolute difference of colours (B, 3, H, W) in [0, 1] where true alpha > 0, times 1e3."""
    error = difference(predicted_colour, true_colour).abs_()
    return image_mean(error.mean(dim=1, keepdim=True), true > 0) * 1e3


def foreground_mse(predicted_colour: Tensor, true_colour: Tensor, true: Tensor) -> Tensor:
    """Mean squared difference of colours (B, 3, H, W) in [0, 1] where true alpha > 0, times 1e3."""
    error = difference(predicted_colour, true_colour).square_()
    return image_mean(error.mean(dim=1, keepdim=True), true > 0) * 1e3


def band_mad(predicted: Tensor, true: Tensor) -> Tensor:
    """MAD, times 1e3, over the edge band."""
    return image_mean(difference(predicted, true).abs_(), edge_band(true)) * 1e3


def person_dropouts(predicted: Tensor, true: Tensor) -> Tensor:
    """Fraction of the person's core (true >= 0.95) that is lost (predicted < 0.5)."""
    return image_mean(predicted < SOLID, true >= SURE_PERSON)


def background_dropouts(predicted: Tensor, true: Tensor) -> Tensor:
    """Fraction of the clear background (true <= 0.05) that is kept (predicted > 0.5)."""
    return image_mean(predicted > SOLID, true <= SURE_BACKGROUND)


def edge_band(true: Tensor) -> Tensor:
    """(B, 1, H, W) bool: pixels within 10 px (at a long side of 1920, scaled with it) of soft alpha, 0 < true < 1."""
    height, width = true.shape[2:]
    radius = _BAND_RADIUS * max(height, width) / _FULL_SIDE
    margin = math.floor(radius)
    # Dilation by a disc: for each row of the disc, a horizontal dilation shifted up and down.
    wide = F.pad((true > 0) & (true < 1), (margin,) * 4)
    band = torch.zeros_like(true, dtype=torch.bool)
    row = wide.narrow(3, margin, width).clone()
    for across in range(margin + 1):
        row |= wide.narrow(3, margin - across, width) | wide.narrow(3, margin + across, width)
        for up in range(margin + 1):
            if math.floor(math.sqrt(radius**2 - up**2)) == across:
                band |= row.narrow(2, margin - up, height) | row.narrow(2, margin + up, height)
    return band


def image_mean(values: Tensor, where: Tensor | None = None) -> Tensor:
    """Mean of (B, 1, H, W) over the pixels where ``where``, of that shape, is True, or over all if it is None.

    Returns (B,) float64, NaN for images without such pixels.
    """
    if where is None:
        return values.mean(dim=(1, 2, 3), dtype=torch.float64)
    if values.dtype == torch.bool:
        total = (values & where).sum(dim=(1, 2, 3)).double()  # integer sums take a third of the time
    else:
        total = torch.where(where, values, 0.0).sum(dim=(1, 2, 3), dtype=torch.float64)
    return total / where.sum(dim=(1, 2, 3))


def difference(first: Tensor, second: Tensor) -> Tensor:
    """Difference of two batches; raises ValueError if their shapes differ."""
    if first.shape != second.shape:
        raise ValueError(f"cannot compare shapes {tuple(first.shape)} and {tuple(second.shape)}: they must be equal")
    return first - second


def _gradient_magnitude(alpha: Tensor) -> Tensor:
    """Magnitude of the gradient of (B, 1, H, W) by derivatives of a Gaussian; borders are replicated."""
    smooth, derivative = _gaussian_derivative_filter()
    if alpha.device.type == "cpu" and alpha.dtype == torch.float32:
        filters = np.array(smooth), np.array(derivative)
        return torch.stack([torch.from_numpy(_plane_magnitude(each, *filters)) for each in alpha[:, 0].numpy()])[
            :, None
        ]
    half = len(smooth) // 2
    wide = F.pad(alpha, (half,) * 4, mode="replicate")
    across = _correlate(_correlate(wide, derivative, 3), smooth, 2)
    down = _correlate(_correlate(wide, smooth, 3), derivative, 2)
    return across.square_().add_(down.square_()).sqrt_()


def _plane_magnitude(plane: np.ndarray, smooth: np.ndarray, derivative: np.ndarray) -> np.ndarray:
    """As :func:`_gradient_magnitude` of a plane (H, W) float32, by OpenCV in a third of the time of torch's sums."""
    across = cv2.sepFilter2D(plane, -1, derivative, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(plane, -1, smooth, derivative, borderType=cv2.BORDER_REPLICATE)
    # Not cv2.magnitude, whose last bit depends on where in memory a plane begins.
    across *= across
    down *= down
    across += down
    return np.sqrt(across, out=across)


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
