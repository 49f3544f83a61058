"""Exposure and white balance between shot and plate: one gain and one bias per channel, fitted robustly."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.pictures import to_levels

_ROUNDS = 6
# Pixels sampled for a fit; more do not improve it.
_MOST_SAMPLES = 2000
# Values at the ends of the range are clipped and contain no information about gain.
_DARKEST, _BRIGHTEST = 6.0, 249.0
_GAIN_RANGE = (0.2, 5.0)
_MIN_SAMPLES = 64
# Pixels with a smaller weight, at least three error scales from a channel's line, are not used for other channels.
_LEAST_WEIGHT = 0.1
# A channel with fewer pixels left has the mean gain of the channels before it.
_FEWEST = 16
# Lower bound of the error scale in levels: smaller residuals are noise.
_MIN_SPREAD = 1.5
# All 8-bit levels, as an image of one row.
_LEVELS = np.repeat(np.arange(256, dtype=np.float32)[None, :, None], 3, axis=2)


class Photometry(NamedTuple):
    """source = gain * plate + bias, in 8-bit sRGB code values; ``gain`` and ``bias`` are (3,) float32, RGB."""

    gain: np.ndarray
    bias: np.ndarray

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Apply gain and bias to an (H, W, 3) image in 8-bit levels; float32, not clipped."""
        return np.asarray(cv2.transform(image.astype(np.float32, copy=False), np.c_[np.diag(self.gain), self.bias]))

    def expose(self, picture: np.ndarray) -> np.ndarray:
        """Convert an (H, W, 3) image of any depth to 8-bit levels with the source's exposure; float32, not clipped."""
        if picture.dtype == np.uint8:
            return np.asarray(cv2.LUT(picture, self.apply(_LEVELS)))
        return self.apply(to_levels(picture))

    def apply_rounded(self, image: np.ndarray) -> np.ndarray:
        """Apply gain and bias to an (H, W, 3) uint8 image, rounded and clipped to uint8."""
        table = np.rint(np.clip(self.apply(_LEVELS), 0, 255)).astype(np.uint8)
        return cv2.LUT(image, table)


class _Line(NamedTuple):
    gain: float
    bias: float


NEUTRAL = Photometry(np.ones(3, np.float32), np.zeros(3, np.float32))


def fit_photometry(source: np.ndarray, plate: np.ndarray, usable: np.ndarray) -> Photometry:
    """Fit gain and bias by iteratively reweighted least squares with Cauchy weights.

    ``source`` and ``plate`` are (H, W, 3) in 8-bit levels, aligned with each other; ``usable`` (H, W) bool is True
    where both show the place. Up to nearly half of the usable pixels may be wrong. Neutral where too few are left.

    The channel with the most pixels inside the range is fitted first, and pixels far from its line are not used for the
    others: where the place is black in a channel, most pixels inside the range of that channel are the person's.
    """
    sampled = np.flatnonzero(usable)
    sampled = sampled[:: max(1, len(sampled) // _MOST_SAMPLES)]
    x, y = (np.ascontiguousarray(image.reshape(-1, 3)[sampled].astype(np.float64).T) for image in (plate, source))
    inside = (np.minimum(x, y) > _DARKEST) & (np.maximum(x, y) < _BRIGHTEST)
    counts = inside.sum(axis=1)
    if counts.min() < _MIN_SAMPLES:
        return NEUTRAL
    is_place = np.ones(len(sampled), bool)
    lines: dict[int, _Line] = {}
    for channel in np.argsort(-counts, kind="stable"):
        used = np.flatnonzero(inside[channel] & is_place)
        if len(used) < _FEWEST:
            lines[channel] = _Line(float(np.mean([line.gain for line in lines.values()])), 0.0)
            continue
        lines[channel], weight = _fit_line(x[channel, used], y[channel, used])
        is_place[used[weight < _LEAST_WEIGHT]] = False
    gain, bias = np.array([lines[channel] for channel in range(3)], np.float32).T
    return Photometry(gain, bias)


def _fit_line(x: np.ndarray, y: np.ndarray) -> tuple[_Line, np.ndarray]:
    """Robust y = gain x + bias, started from the median ratio, which a minority of wrong pixels cannot move far.

    Also returns the weights of the last round, in (0, 1].
    """
    gain, bias = _median(y / x), 0.0
    weight = np.ones_like(x)
    for _ in range(_ROUNDS):
        residual = y - gain * x - bias
        spread = max(1.4826 * _median(np.abs(residual)), _MIN_SPREAD)
        weight = 1 / (1 + (residual / spread) ** 2)
        total = float(weight.sum())
        mean_x, mean_y = float(weight @ x) / total, float(weight @ y) / total
        variance = float(weight @ (x - mean_x) ** 2) / total
        if variance < 1:
            # A single tone does not determine both gain and bias, so only the gain is fitted.
            return _Line(float(np.clip(mean_y / mean_x, *_GAIN_RANGE)), 0.0), weight
        gain = float(np.clip((weight * (x - mean_x)) @ (y - mean_y) / total / variance, *_GAIN_RANGE))
        bias = float(mean_y - gain * mean_x)
    return _Line(gain, bias), weight


def _median(values: np.ndarray) -> float:
    """Same as ``np.median``, which takes several times as long for so few values."""
    middle = len(values) // 2
    ordered = np.partition(values, (middle - 1, middle))
    return float(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)
