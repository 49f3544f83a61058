"""Carrying values from where they are known to where they are not, smoothly."""

import cv2
import numpy as np

_SMALLEST = 1e-6


def fill(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Complete (H, W, C) float32 where ``weight`` (H, W), 0 to 1, is less than 1, from ever wider surroundings.

    Push-pull over a pyramid (S. Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4): where the weight is 1
    values stay as they are. All zero where nothing is known.
    """
    weight = weight.astype(np.float32)[..., None]
    return _push_pull(values * weight, weight)


def smooth(values: np.ndarray, weight: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean of (H, W, C) values over a Gaussian, and the Gaussian's mean weight (H, W)."""
    weight = weight.astype(np.float32)
    mean_weight = cv2.GaussianBlur(weight, (0, 0), sigma)
    mean = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return mean.reshape(values.shape) / np.maximum(mean_weight, _SMALLEST)[..., None], mean_weight


def _push_pull(weighted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Values times weight (H, W, C) and weight (H, W, 1), at most 1, to values."""
    height, width = weight.shape[:2]
    known = weighted / np.maximum(weight, _SMALLEST)
    if min(height, width) < 2:
        whole = weight.sum()
        return np.where(weight > _SMALLEST, known, weighted.sum(axis=(0, 1)) / max(whole, _SMALLEST))
    smaller_weight = cv2.pyrDown(weight)[..., None]
    # Twice the mean weight, held to 1: a level is complete where about half of it is known.
    gain = np.minimum(2, 1 / np.maximum(smaller_weight, _SMALLEST))
    smaller = _push_pull(_channels(cv2.pyrDown(weighted)) * gain, smaller_weight * gain)
    wider = _channels(cv2.resize(smaller, (width, height), interpolation=cv2.INTER_LINEAR))
    return weight * known + (1 - weight) * wider


def _channels(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 3 else image[..., None]
