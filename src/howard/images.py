"""Image arrays: bit depths (uint8, uint16, float32), checks, area down-scaling, and premultiplication by alpha."""

import cv2
import numpy as np
from numpy.typing import DTypeLike

DEPTHS = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))


def to_depth(image: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Convert the bit depth of an image of any shape: uint8 (0 to 255), uint16 (0 to 65535) or float32 (1 is white).

    Conversion to integers rounds to the nearest value and clips to [0, 1]; conversion to a deeper type and back is
    exact. An image that already has the dtype is returned itself. Raises ValueError for other dtypes.
    """
    dtype = np.dtype(dtype)
    if image.dtype not in DEPTHS or dtype not in DEPTHS:
        raise ValueError(f"cannot convert {image.dtype} to {dtype}: expected uint8, uint16 or float32")
    if image.dtype == dtype:
        return image
    if dtype.kind == "f":
        return image.astype(np.float32) / np.float32(full_scale(image.dtype))
    if image.dtype.kind == "f":
        # 65535 is exact in float32, and so is the rounded product.
        return np.rint(image.clip(0, 1) * np.float32(full_scale(dtype))).astype(dtype)
    if dtype == np.uint16:
        return image.astype(np.uint16) * np.uint16(257)
    return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def full_scale(dtype: DTypeLike) -> int:
    """The value that represents 1.0 in arrays of ``dtype``: 255, 65535, or 1 for floats."""
    return 1 if np.dtype(dtype).kind == "f" else int(np.iinfo(dtype).max)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Floats of any shape and precision, clipped to [0, 1], as uint8 rounded to the nearest."""
    return np.rint(255 * values.clip(0, 1)).astype(np.uint8)


def shrink_to(image: np.ndarray, long_side: int) -> np.ndarray:
    """An image (H, W) or (H, W, C) with a long side of at most ``long_side`` pixels, reduced by area averaging.

    Smaller images are returned unchanged.
    """
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(scale * width)), max(1, round(scale * height))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def without_hidden_colour(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA, (H, W, 4) uint8 or uint16, with RGB set to 0 where alpha is 0.

    Nothing of the background remains in the file, and the file is several times smaller.
    """
    # Treating each pixel as one integer is five times as fast as masking the channels.
    pixels = np.ascontiguousarray(rgba).view(f"u{4 * rgba.itemsize}")
    return (pixels * (rgba[..., 3:] > 0)).view(rgba.dtype)


def premultiplied(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA, (H, W, 4) uint8 or uint16, with its encoded RGB multiplied by alpha and rounded to the nearest."""
    scale = full_scale(rgba.dtype)
    alpha = rgba[..., 3:].astype(np.uint64)
    product = (rgba[..., :3] * alpha + scale // 2) // scale
    return np.concatenate([product.astype(rgba.dtype), rgba[..., 3:]], axis=2)


def check_shape_and_depth(image: np.ndarray, channels: tuple[int, ...]) -> None:
    """Raise ValueError unless ``image`` is (H, W, C), uint8, uint16 or float32, with C one of ``channels``."""
    if image.ndim != 3 or image.shape[2] not in channels or image.dtype not in DEPTHS:
        wanted = " or ".join(map(str, channels))
        kind = f"{image.shape} {image.dtype}"
        raise ValueError(f"expected an image (H, W, {wanted}) of uint8, uint16 or float32, got {kind}")
