"""From a matte to the pixels that are written."""

import numpy as np


def cut_out(source: np.ndarray, alpha: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Straight RGBA, (H, W, 4) uint8.

    Where alpha rounds to 255 the colour is the source's exactly, where it rounds to 0 it is 0, and in between it is
    ``foreground``. ``source`` (H, W, 3) is uint8, ``alpha`` (H, W) and ``foreground`` (H, W, 3) are floats in [0, 1].
    """
    rgba = np.zeros((*source.shape[:2], 4), np.uint8)
    rgba[..., 3] = np.rint(255 * np.clip(alpha, 0, 1))
    opaque = rgba[..., 3] == 255
    soft = (rgba[..., 3] > 0) & ~opaque
    rgba[opaque, :3] = source[opaque]
    rgba[soft, :3] = np.rint(255 * np.clip(foreground[soft], 0, 1))
    return rgba
