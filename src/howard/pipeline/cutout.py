"""From a matte to the pixels that are written."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import DTypeLike

from howard.media import full_scale, to_depth

_TO_RGBA = [0, 0, 1, 1, 2, 2, 3, 3]


class Pixels(NamedTuple):
    """Positions in a picture; an index into (H, W) or (H, W, C)."""

    rows: np.ndarray  # (N,)
    columns: np.ndarray  # (N,)


def cut_out(
    source: np.ndarray, alpha: np.ndarray, colours: Callable[[Pixels], np.ndarray], dtype: DTypeLike = np.uint8
) -> np.ndarray:
    """Straight RGBA, (H, W, 4), of a type that pictures have: uint8, uint16 or float32.

    Where alpha rounds to 1 in that type the colour is the source's exactly, where it rounds to 0 it is 0, and in
    between it is what ``colours`` says, (N, 3) floats in [0, 1] for N pixels. ``source`` is (H, W, 3) of any of these
    types, ``alpha`` (H, W) floats in [0, 1].
    """
    rounded = round_alpha(alpha, dtype)
    rgba = np.zeros((*source.shape[:2], 4), dtype)
    # Most of a picture is empty, and memory that nobody writes to costs nothing.
    left, top, width, height = cv2.boundingRect((rounded > 0).view(np.uint8))
    window = np.s_[top : top + height, left : left + width]
    if height:
        rgba[window] = _opaque_pixels(to_depth(source[window], dtype), rounded[window])
    soft = find_soft(rounded)
    rgba[(*soft, np.s_[:3])] = to_depth(colours(soft).clip(0, 1).astype(np.float32), dtype)
    return rgba


def _opaque_pixels(source: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """RGBA with all of alpha, (H, W), and the colours, (H, W, 3), of opaque pixels alone."""
    opaque = cv2.inRange(alpha, full_scale(alpha.dtype), full_scale(alpha.dtype))  # type: ignore[call-overload]
    rgba = np.empty((*alpha.shape, 4), alpha.dtype)
    cv2.mixChannels([cv2.bitwise_and(source, source, mask=opaque), alpha], [rgba], _TO_RGBA)
    return rgba


def find_soft(rounded: np.ndarray) -> Pixels:
    """The pixels of an alpha, (H, W) as stored, that are neither empty nor opaque. By index: they are few."""
    # The smallest and the largest of the steps in between, for floats those of a half float.
    first, last = (2**-25, 1 - 2**-12) if rounded.dtype.kind == "f" else (1, full_scale(rounded.dtype) - 1)
    places = cv2.findNonZero(cv2.inRange(rounded, first, last))  # type: ignore[call-overload]
    found = np.zeros((0, 2), np.intp) if places is None else places.reshape(-1, 2)
    return Pixels(found[:, 1], found[:, 0])


def round_alpha(alpha: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Alpha (H, W) in [0, 1] as it will be stored in a picture of a type that pictures have; clipped."""
    if np.dtype(dtype).kind == "f":
        # As the half floats of a file hold it, or all but opaque pixels would be opaque there in the wrong colour.
        return alpha.clip(0, 1).astype(np.float16).astype(np.float32)
    depth = cv2.CV_8U if np.dtype(dtype) == np.uint8 else cv2.CV_16U
    # Rounds and clips in one go, ten times as fast as numpy does.
    alpha, scale = alpha.astype(np.float32, copy=False), float(full_scale(dtype))
    return cv2.multiply(alpha, scale, dtype=depth)  # type: ignore[call-overload]
