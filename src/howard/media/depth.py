"""One picture at another depth: uint8, uint16 and float32 stand for the same sRGB-encoded values."""

import numpy as np
from numpy.typing import DTypeLike

DEPTHS = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))


def to_depth(image: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """``image`` as ``dtype``; both are uint8 (0 to 255), uint16 (0 to 65535) or float32 (0 to 1, and above for HDR).

    Integers are rounded to the nearest and hold no more than 1; going to a deeper type and back is exact.
    """
    dtype = np.dtype(dtype)
    if image.dtype not in DEPTHS or dtype not in DEPTHS:
        raise ValueError(f"expected uint8, uint16 or float32, got {image.dtype} to be made {dtype}")
    if image.dtype == dtype:
        return image
    if dtype.kind == "f":
        return image.astype(np.float32) / np.float32(full_scale(image.dtype))
    if image.dtype.kind == "f":
        # 65535 x 1.0 is exact in float32, and so is the rounding.
        return np.rint(image.clip(0, 1) * np.float32(full_scale(dtype))).astype(dtype)
    if dtype == np.uint16:
        return image.astype(np.uint16) * np.uint16(257)
    return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def full_scale(dtype: DTypeLike) -> int:
    """The value that stands for 1."""
    return 1 if np.dtype(dtype).kind == "f" else int(np.iinfo(dtype).max)


def without_hidden_colour(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA, uint8 or uint16, with its colour set to 0 where alpha is.

    Nothing of the background stays in the file then, and it is several times smaller.
    """
    # A pixel as one number: five times as fast as choosing channel by channel.
    pixels = np.ascontiguousarray(rgba).view(f"u{4 * rgba.itemsize}")
    return (pixels * (rgba[..., 3:] > 0)).view(rgba.dtype)


def premultiplied(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA, uint8 or uint16, with its encoded values multiplied by alpha, rounded to the nearest."""
    scale = full_scale(rgba.dtype)
    alpha = rgba[..., 3:].astype(np.uint64)
    product = (rgba[..., :3] * alpha + scale // 2) // scale
    return np.concatenate([product.astype(rgba.dtype), rgba[..., 3:]], axis=2)


def check_picture(image: np.ndarray, channels: tuple[int, ...]) -> None:
    """Raise ValueError unless ``image`` is (H, W, C) of a known depth with one of these numbers of channels."""
    if image.ndim != 3 or image.shape[2] not in channels or image.dtype not in DEPTHS:
        wanted = " or ".join(map(str, channels))
        raise ValueError(f"expected (H, W, {wanted}) uint8, uint16 or float32, got {image.shape} {image.dtype}")
