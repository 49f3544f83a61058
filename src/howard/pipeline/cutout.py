"""From a matte to the pixels that are written."""

import numpy as np
from numpy.typing import DTypeLike

from howard.media import full_scale, to_depth


def cut_out(source: np.ndarray, alpha: np.ndarray, foreground: np.ndarray, dtype: DTypeLike = np.uint8) -> np.ndarray:
    """Straight RGBA, (H, W, 4), of a type that pictures have: uint8, uint16 or float32.

    Where alpha rounds to 1 in that type the colour is the source's exactly, where it rounds to 0 it is 0, and in
    between it is ``foreground``. ``source`` is (H, W, 3) of any of these types, ``alpha`` (H, W) and ``foreground``
    (H, W, 3) are floats in [0, 1].
    """
    alpha = alpha.clip(0, 1).astype(np.float32)
    if np.dtype(dtype).kind == "f":
        # As the half floats of a file hold it, or all but opaque pixels would be opaque there in the wrong colour.
        alpha = alpha.astype(np.float16).astype(np.float32)
    rgba = np.zeros((*source.shape[:2], 4), dtype)
    rgba[..., 3] = to_depth(alpha, dtype)
    opaque = rgba[..., 3] == full_scale(dtype)
    soft = (rgba[..., 3] > 0) & ~opaque
    rgba[opaque, :3] = to_depth(source[opaque], dtype)
    rgba[soft, :3] = to_depth(foreground[soft].clip(0, 1).astype(np.float32), dtype)
    return rgba
