"""Transfer curves and mixing of light, for numpy arrays and torch tensors alike.

Every function takes floating-point arrays or tensors of any shape and returns the same kind. torch is not imported,
since file readers use this module. All functions are differentiable.

The input of the HDR curves is the signal: the code value divided by the largest code value.
"""

from math import e
from typing import Any

_SRGB_SPLIT = 0.04045
_LINEAR_SPLIT = 0.0031308


def srgb_to_linear(encoded: Any) -> Any:
    """Undo the sRGB curve (IEC 61966-2-1, piecewise). [0, 1] -> [0, 1], extrapolated beyond."""
    low = encoded <= _SRGB_SPLIT
    power = ((encoded.clip(_SRGB_SPLIT) + 0.055) / 1.055) ** 2.4
    return low * (encoded / 12.92) + ~low * power


def linear_to_srgb(linear: Any) -> Any:
    """Apply the sRGB curve (IEC 61966-2-1, piecewise). [0, 1] -> [0, 1], extrapolated beyond."""
    low = linear <= _LINEAR_SPLIT
    power = 1.055 * linear.clip(_LINEAR_SPLIT) ** (1 / 2.4) - 0.055
    return low * (linear * 12.92) + ~low * power


def mix(foreground: Any, background: Any, alpha: Any, linear_light: bool = True) -> Any:
    """Composite straight sRGB-encoded colours: alpha F + (1 - alpha) B.

    Shapes broadcast; everything in [0, 1]. ``linear_light=True`` mixes linear light, as in a lens; False mixes
    encoded values, as the training recipe of Background Matting V2 does. Returns sRGB-encoded colour.
    """
    if not linear_light:
        return alpha * foreground + (1 - alpha) * background
    return linear_to_srgb(alpha * srgb_to_linear(foreground) + (1 - alpha) * srgb_to_linear(background))


def pq_to_nits(signal: Any) -> Any:
    """Perceptual quantiser: [0, 1] -> [0, 10000] cd/m2 on the display (SMPTE ST 2084; ITU-R BT.2100, table 4)."""
    root = signal.clip(0) ** (32 / 2523)
    return 10000 * ((root - 107 / 128).clip(0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)


def nits_to_pq(light: Any) -> Any:
    """Inverse of `pq_to_nits`: [0, 10000] cd/m2 -> [0, 1] (SMPTE ST 2084; ITU-R BT.2100, table 4)."""
    power = (light.clip(0) / 10000) ** (2610 / 16384)
    return ((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg_to_scene(signal: Any) -> Any:
    """Hybrid log-gamma: [0, 1] -> [0, 1] of the scene's light, without display gamma (ITU-R BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    low = signal <= 0.5
    return low * (signal.clip(0) ** 2 / 3) + ~low * ((e ** ((signal - c) / a) + b) / 12)
