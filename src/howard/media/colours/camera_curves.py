"""Log curves of cameras and grading programs, decoded to linear light with the manufacturers' published formulas.

Every function maps a signal, a float array of any shape, to scene reflectance: a grey card is 0.18 and a white
reflector about 0.9. The signal is the code value divided by the largest code value (1023 for 10 bits). Signals outside
[0, 1] are extrapolated.

D-Log M is missing since its formula is not published.
"""

from collections.abc import Callable
from math import e, log

import numpy as np

_MAX_CODE = 1023  # of 10 bits, for which the manufacturers' documents give code values


def slog2_to_linear(signal: np.ndarray) -> np.ndarray:
    """Sony S-Log2: 219/155 times S-Log (Technical Paper "S-Log: A new LUT for digital production mastering", 2012).

    Sony's signal is 0 at black (code 64) and 1 at white (code 940); its output is relative to a 90 % reflector.
    """
    level = (signal * _MAX_CODE - 64) / 876
    low = level < 0.030001222851889303
    above = 10 ** ((level - 0.616596 - 0.03) / 0.432699) - 0.037584
    return 0.9 * 219 / 155 * np.where(low, (level - 0.030001222851889303) / 5, above)


def slog3_to_linear(signal: np.ndarray) -> np.ndarray:
    """Sony S-Log3 (Technical Summary for S-Gamut3.Cine/S-Log3 and S-Gamut3/S-Log3)."""
    split = 171.2102946929
    code = signal * _MAX_CODE
    above = 10 ** ((code - 420) / 261.5) * 0.19 - 0.01
    return np.where(code < split, (code - 95) * (0.01125 / (split - 95)), above)


def vlog_to_linear(signal: np.ndarray) -> np.ndarray:
    """Panasonic V-Log (V-Log/V-Gamut Reference Manual, 2014)."""
    return np.where(signal < 0.181, (signal - 0.125) / 5.6, 10 ** ((signal - 0.598206) / 0.241514) - 0.00873)


def clog_to_linear(signal: np.ndarray) -> np.ndarray:
    """Canon Log (Canon Log Gamma Curves, version 1.2, 2020); Canon's 1 is a reflectance of 0.9."""
    return 0.9 * _canon_log(signal, 0.12512248, 0.45310179, 10.1596)


def clog2_to_linear(signal: np.ndarray) -> np.ndarray:
    """Canon Log 2 (Canon Log Gamma Curves, version 1.2, 2020); Canon's 1 is a reflectance of 0.9."""
    return 0.9 * _canon_log(signal, 0.092864125, 0.24136077, 87.09937546)


def clog3_to_linear(signal: np.ndarray) -> np.ndarray:
    """Canon Log 3 (Canon Log Gamma Curves, version 1.2, 2020); Canon's 1 is a reflectance of 0.9."""
    slope, gain = 14.98325, 0.36726845
    below = (1 - 10 ** ((0.12783901 - signal) / gain)) / slope
    middle = (signal - 0.12512219) / 1.9754798
    above = (10 ** ((signal - 0.12240537) / gain) - 1) / slope
    return 0.9 * np.select([signal < 0.097465473, signal <= 0.15277891], [below, middle], above)


def _canon_log(signal: np.ndarray, black: float, gain: float, slope: float) -> np.ndarray:
    """The common formula of Canon Log and Canon Log 2: a logarithm, point-mirrored below black."""
    return np.copysign(10 ** (np.abs(signal - black) / gain) - 1, signal - black) / slope


def logc3_to_linear(signal: np.ndarray) -> np.ndarray:
    """ARRI LogC3 at EI 800 (ALEXA Log C Curve, 2017)."""
    a, b, c, d, slope, offset = 5.555556, 0.052272, 0.247190, 0.385537, 5.367655, 0.092809
    low = signal <= slope * 0.010591 + offset
    return np.where(low, (signal - offset) / slope, (10 ** ((signal - d) / c) - b) / a)


def logc4_to_linear(signal: np.ndarray) -> np.ndarray:
    """ARRI LogC4 (ARRI LogC4 Logarithmic Color Space, 2022)."""
    a, b, c = (2**18 - 16) / 117.45, (1023 - 95) / 1023, 95 / 1023
    slope = 7 * log(2) * 2 ** (7 - 14 * c / b) / (a * b)
    offset = (2 ** (6 - 14 * c / b) - 64) / a
    return np.where(signal < 0, signal * slope + offset, (2 ** (14 * (signal - c) / b + 6) - 64) / a)


def apple_log_to_linear(signal: np.ndarray) -> np.ndarray:
    """Apple Log and Apple Log 2, which have the same curve (Apple Log Profile White Paper, 2023)."""
    darkest, split, square = -0.05641088, 0.01, 47.28711236
    beta, gamma, delta = 0.00964052, 0.08550479, 0.69336945
    below = np.sqrt(signal.clip(0) / square) + darkest
    return np.where(signal < square * (split - darkest) ** 2, below, 2 ** ((signal - delta) / gamma) - beta)


def flog_to_linear(signal: np.ndarray) -> np.ndarray:
    """Fujifilm F-Log (F-Log Data Sheet, version 1.1, 2022)."""
    return _fujifilm_log(signal, 0.555556, 0.009468, 0.344676, 0.790453, 8.735631, 0.100537775223865)


def flog2_to_linear(signal: np.ndarray) -> np.ndarray:
    """Fujifilm F-Log2 (F-Log2 Data Sheet, version 1.0, 2022)."""
    return _fujifilm_log(signal, 5.555556, 0.064829, 0.245281, 0.384316, 8.799461, 0.100686685370811)


def _fujifilm_log(signal: np.ndarray, a: float, b: float, c: float, d: float, slope: float, split: float) -> np.ndarray:
    """The common formula of F-Log and F-Log2, with the names of the data sheets."""
    black = 0.092864
    return np.where(signal < split, (signal - black) / slope, (10 ** ((signal - d) / c) - b) / a)


def nlog_to_linear(signal: np.ndarray) -> np.ndarray:
    """Nikon N-Log (N-Log Specification Document, version 1.0.0, 2018)."""
    code = signal * _MAX_CODE
    return np.where(code < 452, (code / 650) ** 3 - 0.0075, e ** ((code - 619) / 150))


def dlog_to_linear(signal: np.ndarray) -> np.ndarray:
    """DJI D-Log (White Paper on D-Log and D-Gamut of DJI Cinema Color System, 2017)."""
    return np.where(signal <= 0.14, (signal - 0.0929) / 6.025, (10 ** (3.89616 * signal - 2.27752) - 0.0108) / 0.9892)


def log3g10_to_linear(signal: np.ndarray) -> np.ndarray:
    """RED Log3G10 (White Paper on REDWideGamutRGB and Log3G10, 2017)."""
    slope, offset = 15.1927, 0.01
    return np.where(signal < 0, signal / slope, (10 ** (signal.clip(0) / 0.224282) - 1) / 155.975327) - offset


def davinci_intermediate_to_linear(signal: np.ndarray) -> np.ndarray:
    """DaVinci Intermediate (Blackmagic Design, DaVinci Resolve 17 Wide Gamut Intermediate, 2021)."""
    a, b, c, slope = 0.0075, 7.0, 0.07329248, 10.44426855
    return np.where(signal <= 0.02740668, signal / slope, 2 ** (signal / c - b) - a)


def blackmagic_gen5_to_linear(signal: np.ndarray) -> np.ndarray:
    """Blackmagic Film Generation 5 (Blackmagic Generation 5 Color Science, 2021)."""
    a, b, c = 0.08692876065491224, 0.005494072432257808, 0.5300133392291939
    slope, offset, split = 8.283605932402494, 0.09246575342465753, 0.005
    return np.where(signal < slope * split + offset, (signal - offset) / slope, e ** ((signal - c) / a) - b)


def acescct_to_linear(signal: np.ndarray) -> np.ndarray:
    """ACEScct (Academy S-2016-001)."""
    slope, offset = 10.5402377416545, 0.0729055341958355
    return np.where(signal <= 0.155251141552511, (signal - offset) / slope, 2 ** (17.52 * signal - 9.72))


def cineon_to_linear(signal: np.ndarray) -> np.ndarray:
    """Cineon printing density (Kodak, Conversion of 10-bit Log Film Data to 8-bit Linear or Video Data, 1995).

    Code 95 is black; code 685 is a white reflector, which becomes 1. The density is 0.002 per code, film gamma 0.6.
    """
    black = 10 ** ((95 - 685) * 0.002 / 0.6)
    return (10 ** ((signal * _MAX_CODE - 685) * 0.002 / 0.6) - black) / (1 - black)


Curve = Callable[[np.ndarray], np.ndarray]
CAMERA_CURVES: dict[str, Curve] = {
    "slog2": slog2_to_linear,
    "slog3": slog3_to_linear,
    "vlog": vlog_to_linear,
    "clog": clog_to_linear,
    "clog2": clog2_to_linear,
    "clog3": clog3_to_linear,
    "logc3": logc3_to_linear,
    "logc4": logc4_to_linear,
    "applelog": apple_log_to_linear,
    "flog": flog_to_linear,
    "flog2": flog2_to_linear,
    "nlog": nlog_to_linear,
    "dlog": dlog_to_linear,
    "log3g10": log3g10_to_linear,
    "davinci": davinci_intermediate_to_linear,
    "bmdfilm5": blackmagic_gen5_to_linear,
    "acescct": acescct_to_linear,
    "cineon": cineon_to_linear,
}
# Log curves that are defined on full-range code values, 0 to 1023, even in files that are tagged as limited range.
FULL_RANGE_CURVES = frozenset({"slog2", "slog3", "vlog", "clog", "clog2", "clog3", "flog", "flog2", "nlog", "dlog"})
