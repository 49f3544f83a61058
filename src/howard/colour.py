"""Transfer curves and mixing of light, for numpy arrays and torch tensors alike.

Every function takes floating-point arrays or tensors of any shape and returns the same kind; torch itself is never
imported, so that the file readers stay light. Gradients flow through all of them.

The curves of cameras and of HDR video lead to linear light only. Their input is the signal: a code value over the
largest one, in the range that the standard or the camera's maker counts in.
"""

from math import e, log
from typing import Any

_SRGB_SPLIT = 0.04045
_LINEAR_SPLIT = 0.0031308


def srgb_to_linear(encoded: Any) -> Any:
    """Undo the sRGB curve (IEC 61966-2-1, piecewise). [0, 1] -> [0, 1]; its two pieces go on above 1 and below 0."""
    low = encoded <= _SRGB_SPLIT
    power = ((encoded.clip(_SRGB_SPLIT) + 0.055) / 1.055) ** 2.4
    return low * (encoded / 12.92) + ~low * power


def linear_to_srgb(linear: Any) -> Any:
    """Apply the sRGB curve (IEC 61966-2-1, piecewise). [0, 1] -> [0, 1]; its two pieces go on above 1 and below 0."""
    low = linear <= _LINEAR_SPLIT
    power = 1.055 * linear.clip(_LINEAR_SPLIT) ** (1 / 2.4) - 0.055
    return low * (linear * 12.92) + ~low * power


def mix(foreground: Any, background: Any, alpha: Any, linear_light: bool = True) -> Any:
    """Composite straight sRGB-encoded colours: alpha F + (1 - alpha) B.

    Shapes broadcast; everything in [0, 1]. ``linear_light=True`` mixes as a lens does; False mixes the encoded values,
    as the training recipe of Background Matting V2 does. Returns sRGB-encoded colour.
    """
    if not linear_light:
        return alpha * foreground + (1 - alpha) * background
    return linear_to_srgb(alpha * srgb_to_linear(foreground) + (1 - alpha) * srgb_to_linear(background))


def pq_to_nits(signal: Any) -> Any:
    """Perceptual quantiser: [0, 1] -> [0, 10000] cd/m2 on the display (SMPTE ST 2084; ITU-R BT.2100, table 4)."""
    root = signal.clip(0) ** (32 / 2523)
    return 10000 * ((root - 107 / 128).clip(0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)


def hlg_to_scene(signal: Any) -> Any:
    """Hybrid log-gamma: [0, 1] -> [0, 1] of the scene's light, without the display's gamma (ITU-R BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    low = signal <= 0.5
    return low * (signal.clip(0) ** 2 / 3) + ~low * ((e ** ((signal - c) / a) + b) / 12)


def slog3_to_linear(signal: Any) -> Any:
    """Sony S-Log3 (Technical Summary for S-Gamut3.Cine/S-Log3): code value / 1023 -> reflectance, grey 0.18."""
    split = 171.2102946929
    code = signal * 1023
    low = code < split
    return low * ((code - 95) * (0.01125 / (split - 95))) + ~low * (10 ** ((code - 420) / 261.5) * 0.19 - 0.01)


def vlog_to_linear(signal: Any) -> Any:
    """Panasonic V-Log (V-Log/V-Gamut Reference Manual, 2014): code value / 1023 -> reflectance, grey 0.18."""
    low = signal < 0.181
    return low * ((signal - 0.125) / 5.6) + ~low * (10 ** ((signal - 0.598206) / 0.241514) - 0.00873)


def canon_log3_to_linear(signal: Any) -> Any:
    """Canon Log 3 (Canon Log Gamma Curves, 2018): code value / 1023 -> reflectance, grey 0.18.

    Canon's own linear value is 1 for a reflectance of 0.9.
    """
    slope, gain = 14.98325, 0.36726845
    low, high = signal < 0.097465473, signal > 0.15277891
    below = (1 - 10 ** ((0.12783901 - signal) / gain)) / slope
    middle = (signal - 0.12512219) / 1.9754798
    above = (10 ** ((signal - 0.12240537) / gain) - 1) / slope
    return 0.9 * (low * below + ~(low | high) * middle + high * above)


def logc3_to_linear(signal: Any) -> Any:
    """ARRI LogC3 at EI 800 (ALEXA Log C Curve, 2017): signal in [0, 1] -> relative scene exposure, grey 0.18."""
    a, b, c, d, slope, offset = 5.555556, 0.052272, 0.247190, 0.385537, 5.367655, 0.092809
    low = signal <= slope * 0.010591 + offset
    return low * ((signal - offset) / slope) + ~low * ((10 ** ((signal - d) / c) - b) / a)


def logc4_to_linear(signal: Any) -> Any:
    """ARRI LogC4 (ARRI LogC4 Logarithmic Color Space, 2022): signal in [0, 1] -> relative exposure, grey 0.18."""
    a, b, c = (2**18 - 16) / 117.45, (1023 - 95) / 1023, 95 / 1023
    slope = 7 * log(2) * 2 ** (7 - 14 * c / b) / (a * b)
    offset = (2 ** (6 - 14 * c / b) - 64) / a
    low = signal < 0
    return low * (signal * slope + offset) + ~low * ((2 ** (14 * (signal - c) / b + 6) - 64) / a)
