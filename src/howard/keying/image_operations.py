"""Image operations of keying: fast sRGB and opponent-colour conversion, and weighted smoothing and interpolation."""

import cv2
import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear

# Entries of the encoding table.
_TABLE_SIZE = 8192
# The table is indexed by the square root of linear light: linear steps would merge the darkest 8-bit levels.
_ENCODED = linear_to_srgb((np.arange(_TABLE_SIZE + 1, dtype=np.float64) / _TABLE_SIZE) ** 2).astype(np.float32)
# Luma, Cb and Cr (ITU-R BT.709, item 3.3).
_LUMA = np.array((0.2126, 0.7152, 0.0722))
_TO_OPPONENT = np.stack([_LUMA, (np.array((0, 0, 1)) - _LUMA) / 1.8556, (np.array((1, 0, 0)) - _LUMA) / 1.5748])
_FROM_OPPONENT = np.linalg.inv(_TO_OPPONENT).astype(np.float32)
_TO_OPPONENT = _TO_OPPONENT.astype(np.float32)
# Weights below this count as zero.
_MIN_WEIGHT = 1e-6


def to_linear(image: np.ndarray) -> np.ndarray:
    """A frame's image, sRGB-encoded uint8, uint16 or float32, as linear light: float32, at least 0, HDR above 1."""
    if image.dtype.kind == "f":
        return srgb_to_linear(image.clip(0)).astype(np.float32)
    values = np.iinfo(image.dtype).max
    return srgb_to_linear(np.arange(values + 1, dtype=np.float64) / values).astype(np.float32)[image]


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light as sRGB-encoded float32, both clipped to [0, 1]; the error is below the noise of 16-bit levels."""
    return _ENCODED[(np.sqrt(linear.clip(0, 1)) * _TABLE_SIZE + 0.5).astype(np.int32)]


def to_opponent(encoded: np.ndarray) -> np.ndarray:
    """sRGB-encoded RGB (..., 3) as luma and two colour differences, (..., 3), between which noise correlates least."""
    return encoded @ _TO_OPPONENT.T


def from_opponent(opponent: np.ndarray) -> np.ndarray:
    """The inverse of :func:`to_opponent`; not clipped to [0, 1]."""
    return opponent @ _FROM_OPPONENT.T


def smooth(values: np.ndarray, weight: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """The Gaussian-weighted mean of (H, W, C) values with weights (H, W), and the Gaussian mean of the weights (H, W).

    ``sigma`` is the standard deviation in pixels.
    """
    weight = weight.astype(np.float32)
    mean_weight = cv2.GaussianBlur(weight, (0, 0), sigma)
    mean = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return mean.reshape(values.shape) / np.maximum(mean_weight, _MIN_WEIGHT)[..., None], mean_weight


def fill(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Interpolate (H, W, C) float32 values into pixels where ``weight`` (H, W), in [0, 1], is below 1.

    Push-pull over a pyramid (S. Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4). Values with weight 1 stay
    unchanged. The result is 0 if all weights are 0.
    """
    weight = weight.astype(np.float32)[..., None]
    return _push_pull(values * weight, weight)


def _push_pull(weighted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Interpolated values from values times weight (H, W, C) and weight (H, W, 1), at most 1."""
    height, width = weight.shape[:2]
    known = weighted / np.maximum(weight, _MIN_WEIGHT)
    if min(height, width) < 2:
        total = weight.sum()
        return np.where(weight > _MIN_WEIGHT, known, weighted.sum(axis=(0, 1)) / max(total, _MIN_WEIGHT))
    smaller_weight = cv2.pyrDown(weight)[..., None]
    # Twice the mean weight, clipped to 1: a coarser pixel is complete if about half of it is known.
    gain = np.minimum(2, 1 / np.maximum(smaller_weight, _MIN_WEIGHT))
    smaller = _push_pull(_with_channels(cv2.pyrDown(weighted)) * gain, smaller_weight * gain)
    upsampled = _with_channels(cv2.resize(smaller, (width, height), interpolation=cv2.INTER_LINEAR))
    return weight * known + (1 - weight) * upsampled


def _with_channels(image: np.ndarray) -> np.ndarray:
    """(H, W, C); OpenCV drops the last axis of single-channel images."""
    return image if image.ndim == 3 else image[..., None]
