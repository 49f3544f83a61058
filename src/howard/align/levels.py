"""Kinds of pictures: what alignment looks at is 8-bit, what it hands back is of the source's own kind.

Colours are counted in levels everywhere inside: sRGB-encoded code values where 255 is white, whatever the file held.
"""

import cv2
import numpy as np

WHITE = 255.0
_WHITES = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}


def check_picture(image: np.ndarray) -> None:
    """Raise ValueError unless ``image`` is (H, W, 3) of uint8, uint16 or float32."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype not in _WHITES:
        raise ValueError(f"expected an (H, W, 3) uint8, uint16 or float32 picture, got {image.shape} {image.dtype}")


def to_bytes(image: np.ndarray) -> np.ndarray:
    """An (H, W, 3) uint8 copy of a picture of any kind, clipped at white; uint8 ones are handed back as they are."""
    return image if image.dtype == np.uint8 else from_levels(to_levels(image), np.dtype(np.uint8))


def to_levels(image: np.ndarray) -> np.ndarray:
    """A picture in levels, (H, W, 3) float32; float pictures may exceed 255, what is no number in them becomes 0."""
    levels = image.astype(np.float32)
    if image.dtype == np.float32:
        # Rendered pictures hold them; one would spread over every average it enters.
        np.nan_to_num(levels, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    scale = WHITE / _WHITES[image.dtype]
    return levels if scale == 1 else np.multiply(levels, np.float32(scale), out=levels)


def from_levels(levels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A picture of ``dtype`` from (H, W, 3) float32 levels: whole numbers rounded and clipped, floats from 0 up."""
    scale = _WHITES[dtype] / WHITE
    if dtype == np.float32:
        return np.maximum(levels * np.float32(scale), 0)
    depth = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
    return np.asarray(cv2.multiply(levels, (scale, scale, scale, 0), dtype=depth))  # type: ignore


def mean_difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """|first - second|, the mean of its channels: (H, W) float32 of (H, W, 3) float32 pictures."""
    return np.asarray(cv2.transform(cv2.absdiff(first, second), np.full((1, 3), 1 / 3, np.float32)))
