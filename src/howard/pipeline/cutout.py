"""From a matte to the pixels that are written."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import DTypeLike

from howard.media import full_scale, to_depth


class Pixels(NamedTuple):
    """Positions in a picture; an index into (H, W) or (H, W, C)."""

    rows: np.ndarray  # (N,)
    columns: np.ndarray  # (N,)

    def of(self, picture: np.ndarray) -> np.ndarray:
        """What a picture, (H, W) or (H, W, C), holds there: (N,) or (N, C); quicker than ``picture[pixels]``."""
        flat = self.rows * picture.shape[1] + self.columns
        return picture.reshape(-1, *picture.shape[2:]).take(flat, axis=0)


def cut_out(
    source: np.ndarray,
    alpha: np.ndarray,
    colours: Callable[[Pixels], np.ndarray],
    dtype: DTypeLike = np.uint8,
    *,
    alpha_dtype: DTypeLike | None = None,
) -> np.ndarray:
    """Straight RGBA, (H, W, 4), of a type that pictures have: uint8, uint16 or float32.

    Where alpha rounds to 1 the colour is the source's exactly, where it rounds to 0 it is 0, and in between it is what
    ``colours`` says, (N, 3) floats from 0 to 1, or above for HDR, for N pixels. ``source`` is (H, W, 3) of any of these
    types, ``alpha`` (H, W) floats in [0, 1]; it is rounded as ``alpha_dtype``, the depth in which it will be stored,
    holds it, or ``dtype`` if left out.
    """
    alpha_dtype = dtype if alpha_dtype is None else alpha_dtype
    rounded = round_alpha(alpha, alpha_dtype)
    rgba = np.zeros((*source.shape[:2], 4), dtype)
    # Most of a picture is empty, and memory that nobody writes to costs nothing.
    left, top, width, height = cv2.boundingRect((rounded > 0).view(np.uint8))
    window = np.s_[top : top + height, left : left + width]
    if height:
        full = full_scale(alpha_dtype)
        opaque = cv2.inRange(rounded[window], full, full)  # type: ignore[call-overload]
        cv2.copyTo(cv2.cvtColor(to_depth(source[window], dtype), cv2.COLOR_RGB2RGBA), opaque, rgba[window])
    soft = find_soft(rounded)
    rgba[(*soft, np.s_[:3])] = to_depth(colours(soft).clip(0).astype(np.float32), dtype)
    rgba[(*soft, 3)] = to_depth(soft.of(rounded), dtype)
    return rgba


def find_soft(rounded: np.ndarray) -> Pixels:
    """The pixels of an alpha, (H, W) as stored, that are neither empty nor opaque. By index: they are few."""
    # The smallest and the largest of the steps in between, for floats those of a half float.
    first, last = (2**-25, 1 - 2**-12) if rounded.dtype.kind == "f" else (1, full_scale(rounded.dtype) - 1)
    inside = cv2.inRange(rounded, first, last)  # type: ignore[call-overload]
    return Pixels(*np.divmod(np.flatnonzero(inside.view(np.bool_)), rounded.shape[1]))


def round_alpha(alpha: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Alpha (H, W) in [0, 1] as it will be stored in a picture of a type that pictures have; clipped."""
    if np.dtype(dtype).kind == "f":
        # As the half floats of a file hold it, or all but opaque pixels would be opaque there in the wrong colour.
        return alpha.clip(0, 1).astype(np.float16).astype(np.float32)
    # Many times as fast as numpy does.
    alpha, scale = alpha.astype(np.float32, copy=False), float(full_scale(dtype))
    if np.dtype(dtype) == np.uint8:
        return cv2.convertScaleAbs(cv2.max(alpha, 0.0), alpha=scale)  # type: ignore[call-overload]
    return cv2.multiply(alpha, scale, dtype=cv2.CV_16U)  # type: ignore[call-overload]
