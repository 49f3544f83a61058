"""Primaries of all supported colour spaces as chromaticities, and the matrices to CIE XYZ and BT.709."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Bradford's cone responses (Lam 1985), as in ICC.1:2022, annex E.
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


class Chromaticity(NamedTuple):
    """CIE 1931 xy chromaticity coordinates."""

    x: float
    y: float


_D65 = Chromaticity(0.3127, 0.3290)


class Primaries(NamedTuple):
    """Chromaticities of red, green, blue and white; ``name`` is FFmpeg's name or the manufacturer's."""

    name: str
    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity = _D65


def _primaries(name: str, *xy: float) -> Primaries:
    return Primaries(name, *(Chromaticity(*xy[start : start + 2]) for start in range(0, len(xy), 2)))


BT709 = _primaries("bt709", 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
BT470M = _primaries("bt470m", 0.670, 0.330, 0.210, 0.710, 0.140, 0.080, 0.310, 0.316)
BT470BG = _primaries("bt470bg", 0.640, 0.330, 0.290, 0.600, 0.150, 0.060)
SMPTE170M = _primaries("smpte170m", 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
SMPTE240M = _primaries("smpte240m", 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
# H.273 code point 8: generic film, colour filters under illuminant C.
ILLUMINANT_C_FILTERS = _primaries("film", 0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.310, 0.316)
EBU3213 = _primaries("ebu3213", 0.630, 0.340, 0.295, 0.605, 0.155, 0.077)
BT2020 = _primaries("bt2020", 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
DCI_P3 = _primaries("smpte431", 0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351)
DISPLAY_P3 = _primaries("smpte432", 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
ADOBE_RGB = _primaries("Adobe RGB (1998)", 0.640, 0.330, 0.210, 0.710, 0.150, 0.060)
PROPHOTO = _primaries("ProPhoto RGB", 0.734699, 0.265301, 0.159597, 0.840403, 0.036598, 0.000105, 0.345704, 0.358540)
# X, Y and Z as red, green and blue; XYZ images are converted without chromatic adaptation.
CIE_XYZ = _primaries("smpte428", 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3)
ACES_AP0 = _primaries("ACES AP0", 0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, 0.32168, 0.33767)
ACES_AP1 = _primaries("ACES AP1", 0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
# Camera gamuts, from the documents that are cited with the curves in camera_curves.py.
S_GAMUT = _primaries("S-Gamut", 0.730, 0.280, 0.140, 0.855, 0.100, -0.050)
S_GAMUT3 = _primaries("S-Gamut3", 0.730, 0.280, 0.140, 0.855, 0.100, -0.050)
S_GAMUT3_CINE = _primaries("S-Gamut3.Cine", 0.766, 0.275, 0.225, 0.800, 0.089, -0.087)
ARRI_WIDE_GAMUT_3 = _primaries("ARRI Wide Gamut 3", 0.6840, 0.3130, 0.2210, 0.8480, 0.0861, -0.1020)
ARRI_WIDE_GAMUT_4 = _primaries("ARRI Wide Gamut 4", 0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308)
V_GAMUT = _primaries("V-Gamut", 0.730, 0.280, 0.165, 0.840, 0.100, -0.030)
CINEMA_GAMUT = _primaries("Cinema Gamut", 0.740, 0.270, 0.170, 1.140, 0.080, -0.100)
D_GAMUT = _primaries("D-Gamut", 0.710, 0.310, 0.210, 0.880, 0.090, -0.080)
APPLE_WIDE_GAMUT = _primaries("Apple Wide Gamut", 0.725, 0.301, 0.221, 0.814, 0.068, -0.076)
RED_WIDE_GAMUT = _primaries("REDWideGamutRGB", 0.780308, 0.304253, 0.121595, 1.493994, 0.095612, -0.084589)
DAVINCI_WIDE_GAMUT = _primaries("DaVinci Wide Gamut", 0.8000, 0.3130, 0.1682, 0.9877, 0.0790, -0.1155)
BMD_WIDE_GAMUT_5 = _primaries(
    "Blackmagic Wide Gamut Gen 5",
    *(0.7177215, 0.3171181, 0.2280410, 0.8615690, 0.1005841, -0.0820452, 0.3127170, 0.3290312),
)

# Primaries that chromaticities in a file are compared with.
_NAMED = (BT709, BT2020, ACES_AP1, ACES_AP0, DISPLAY_P3, DCI_P3, ADOBE_RGB, PROPHOTO, CIE_XYZ)
_ALL = (
    *(BT709, BT470M, BT470BG, SMPTE170M, SMPTE240M, ILLUMINANT_C_FILTERS, EBU3213, BT2020, DCI_P3, DISPLAY_P3),
    *(ADOBE_RGB, PROPHOTO, CIE_XYZ, ACES_AP0, ACES_AP1, S_GAMUT, S_GAMUT3, S_GAMUT3_CINE, ARRI_WIDE_GAMUT_3),
    *(ARRI_WIDE_GAMUT_4, V_GAMUT, CINEMA_GAMUT, D_GAMUT, APPLE_WIDE_GAMUT, RED_WIDE_GAMUT, DAVINCI_WIDE_GAMUT),
    BMD_WIDE_GAMUT_5,
)
# Tolerance: chromaticities in files are rounded to three or four digits.
_SAME_CHROMATICITY = 5e-4
# Twice the least area of a valid triangle of primaries in the xy plane; BT.709 has 0.22.
_MIN_TRIANGLE = 1e-3


def primaries_from_chromaticities(chromaticities: Sequence[float], tolerance: float = _SAME_CHROMATICITY) -> Primaries:
    """Primaries from x and y of red, green, blue and white (eight numbers); named "custom" if they are unknown.

    Raises ValueError if they span no colour space: if a number is not finite, the primaries lie on a line, or white
    has y <= 0.
    """
    red, green, blue, white = np.reshape(np.asarray(chromaticities, float), (4, 2))
    sides = np.array([green - red, blue - red])
    if not np.isfinite(chromaticities).all() or abs(np.linalg.det(sides)) < _MIN_TRIANGLE or white[1] <= 0:
        raise ValueError("the primaries span no colour space")
    for known in _NAMED:
        if np.allclose(np.ravel(known[1:]), chromaticities, rtol=0, atol=tolerance):
            return known
    return _primaries("custom", *map(float, chromaticities))


def find_primaries(name: str) -> Primaries | None:
    """Primaries by name; None if the name is unknown or "custom"."""
    return next((each for each in _ALL if each.name == name), None)


def rgb_to_xyz(primaries: Primaries) -> np.ndarray:
    """3x3 matrix from linear RGB to CIE XYZ, white having Y = 1 (SMPTE RP 177); its second row weighs luminance."""
    directions = np.array([(colour.x, colour.y, 1 - colour.x - colour.y) for colour in primaries[1:4]]).T
    return directions * np.linalg.solve(directions, _xyz(primaries.white))


def rgb_to_bt709(primaries: Primaries) -> np.ndarray:
    """3x3 matrix from linear RGB of ``primaries`` to linear RGB of BT.709; maps white to white (Bradford adaptation).

    CIE XYZ is converted without adaptation.
    """
    adaptation = np.eye(3) if primaries == CIE_XYZ else adaptation_matrix(primaries.white, _D65)
    return np.linalg.solve(rgb_to_xyz(BT709), adaptation @ rgb_to_xyz(primaries))


def adaptation_matrix(source: Chromaticity, target: Chromaticity) -> np.ndarray:
    """3x3 matrix on CIE XYZ that adapts colours from the white ``source`` to the white ``target`` (Bradford)."""
    gains = (_CONES @ _xyz(target)) / (_CONES @ _xyz(source))
    return np.linalg.solve(_CONES, gains[:, None] * _CONES)


def _xyz(colour: Chromaticity) -> np.ndarray:
    return np.array([colour.x / colour.y, 1.0, (1 - colour.x - colour.y) / colour.y])
