"""The colours that red, green and blue stand for, and the way from any such set to BT.709's."""

from typing import NamedTuple

import numpy as np

# Bradford's cone responses (Lam 1985), as in ICC.1:2022, annex E.
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


class Chromaticity(NamedTuple):
    """A colour without its brightness, in CIE 1931 coordinates."""

    x: float
    y: float


_D65 = Chromaticity(0.3127, 0.3290)


class Primaries(NamedTuple):
    """What full red, green, blue and their sum look like; ``name`` is FFmpeg's, or the maker's."""

    name: str
    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity = _D65


def _primaries(name: str, *xy: float) -> Primaries:
    return Primaries(name, *(Chromaticity(*xy[start : start + 2]) for start in range(0, len(xy), 2)))


BT709 = _primaries("bt709", 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
BT470BG = _primaries("bt470bg", 0.640, 0.330, 0.290, 0.600, 0.150, 0.060)
SMPTE170M = _primaries("smpte170m", 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
BT2020 = _primaries("bt2020", 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
DCI_P3 = _primaries("smpte431", 0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351)
DISPLAY_P3 = _primaries("smpte432", 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
S_GAMUT3 = _primaries("S-Gamut3", 0.730, 0.280, 0.140, 0.855, 0.100, -0.050)
S_GAMUT3_CINE = _primaries("S-Gamut3.Cine", 0.766, 0.275, 0.225, 0.800, 0.089, -0.087)
ARRI_WIDE_GAMUT_3 = _primaries("ARRI Wide Gamut 3", 0.6840, 0.3130, 0.2210, 0.8480, 0.0861, -0.1020)
ARRI_WIDE_GAMUT_4 = _primaries("ARRI Wide Gamut 4", 0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308)
V_GAMUT = _primaries("V-Gamut", 0.730, 0.280, 0.165, 0.840, 0.100, -0.030)
CINEMA_GAMUT = _primaries("Cinema Gamut", 0.740, 0.270, 0.170, 1.140, 0.080, -0.100)
ACES_AP0 = _primaries("ACES AP0", 0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, 0.32168, 0.33767)
ACES_AP1 = _primaries("ACES AP1", 0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)


def named_primaries(chromaticities: tuple[float, ...]) -> Primaries:
    """Primaries from x and y of red, green, blue and white, eight numbers; called "custom" where nobody knows them."""
    for known in (BT709, BT2020, ACES_AP1, ACES_AP0, DISPLAY_P3, DCI_P3):
        if np.allclose(np.ravel(known[1:]), chromaticities, atol=5e-4):
            return known
    return _primaries("custom", *chromaticities)


def rgb_to_xyz(primaries: Primaries) -> np.ndarray:
    """3x3, maps linear RGB to CIE XYZ; white has Y = 1 (SMPTE RP 177). The second row are the weights of luminance."""
    directions = np.stack([_xyz(colour) for colour in primaries[1:4]], axis=1)
    return directions * np.linalg.solve(directions, _xyz(primaries.white))


def rgb_to_bt709(primaries: Primaries) -> np.ndarray:
    """3x3, maps linear RGB of ``primaries`` to linear RGB of BT.709; white becomes white (Bradford adaptation)."""
    gains = (_CONES @ _xyz(_D65)) / (_CONES @ _xyz(primaries.white))
    adaptation = np.linalg.solve(_CONES, gains[:, None] * _CONES)
    return np.linalg.solve(rgb_to_xyz(BT709), adaptation @ rgb_to_xyz(primaries))


def _xyz(colour: Chromaticity) -> np.ndarray:
    return np.array([colour.x / colour.y, 1.0, (1 - colour.x - colour.y) / colour.y])
