"""Noise of a sensor and the steps of its values. All pictures are (N, C, H, W) in [0, 1], sRGB-encoded."""

from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor

from howard.synthesis.draws import NOISE_TILE, TakeDraw
from howard.synthesis.exposure import CORRELATIONS_PX
from howard.synthesis.recipe import pixel_unit
from howard.synthesis.take import change_where

_TILE_SEED = 20210423
# Light in which signal-dependent noise has the standard deviation that it is given, sRGB-encoded.
_MIDDLE_GREY = 0.5


def add_noise(image: Tensor, draw: TakeDraw) -> Tensor:
    """Add parts of one fixed tile of Gaussian noise, so that every device adds the same.

    Noise that does not depend on the signal is added to the encoded values. Else its variance in the sensor's light L
    is a + b L; that light is taken as the square of the encoded values, near the sRGB curve and cheap.
    """
    height, width = image.shape[2:]
    unit = pixel_unit((height, width))
    sensor = draw.sensor
    sigma = torch.maximum(draw.noise * sensor.noise, sensor.least_noise)

    def add(image: Tensor, sigma: Tensor, parts: Tensor, signal: Tensor, correlation: Tensor) -> Tensor:
        noisy = image.clone()
        drawn = zip(sigma.tolist(), parts.tolist(), signal.tolist(), correlation.tolist(), strict=True)
        for each, (strength, (row, column, turned, mirrored), share, level) in zip(noisy, drawn, strict=True):
            tile = _noise_tile(height, width, level, round(unit, 3), image.device)
            part = tile[:, row : row + height, column : column + width]
            axes = [axis for axis, is_turned in ((1, turned), (2, mirrored)) if is_turned]
            part = part.flip(axes) if axes else part
            if share:
                each.copy_(_add_in_light(each, part, strength, share))
            else:
                each.add_(part, alpha=strength)
        return noisy.clamp_(0, 1)

    return change_where(sigma > 0, add, image, sigma, draw.tile, sensor.signal, sensor.correlation)


def quantise(image: Tensor, step: Tensor) -> Tensor:
    """Round to multiples of a step (N,); pictures whose step is 0 stay as they are."""

    def change(image: Tensor, step: Tensor) -> Tensor:
        step = step[:, None, None, None]
        return ((image / step).round() * step).clamp(0, 1)

    return change_where(step > 0, change, image, step)


def expose(image: Tensor, exposure: Tensor) -> Tensor:
    """Scale the encoded values by a factor (N,)."""
    return image if (exposure == 1).all() else image * exposure[:, None, None, None]


def _add_in_light(image: Tensor, noise: Tensor, sigma: float, share: float) -> Tensor:
    """Noise of variance a + b L, of which ``share`` grows with the light at middle grey."""
    light = image.square()
    # There the slope of the square root is 1 / (2 * 0.5) = 1: sigma is the deviation of the encoded values too.
    deviation = sigma * ((1 - share) + share / _MIDDLE_GREY**2 * light).sqrt()
    return light.addcmul_(deviation, noise).clamp_(min=0).sqrt_()


@lru_cache(maxsize=8)
def _noise_tile(height: int, width: int, level: int, unit: float, device: torch.device) -> Tensor:
    """The tile of a spatial correlation, continued by as much as a frame reads: (3, tile + height, tile + width)."""
    tile = np.random.default_rng(_TILE_SEED).standard_normal((3, NOISE_TILE, NOISE_TILE), np.float32)
    if level:
        tile = correlate(tile, CORRELATIONS_PX[level] * unit)
    rows, columns = (np.arange(NOISE_TILE + side) % NOISE_TILE for side in (height, width))
    return torch.from_numpy(tile[:, rows][:, :, columns]).to(device)


def correlate(tile: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a periodic tile (C, side, side) of noise by a Gaussian and give it its variance back."""
    margin = int(4 * sigma) + 1
    wide = np.pad(tile, ((0, 0), (margin, margin), (margin, margin)), mode="wrap")
    blurred = np.stack([cv2.GaussianBlur(each, (0, 0), sigma) for each in wide])[:, margin:-margin, margin:-margin]
    return (blurred / blurred.std(axis=(1, 2), keepdims=True)).astype(np.float32)
