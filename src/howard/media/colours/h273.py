"""The code points by which videos, PNG, AVIF, HEIC and ICC profiles name colour spaces (ITU-T H.273)."""

from typing import NamedTuple

from howard.media import primaries
from howard.media.primaries import Primaries

# "Unspecified", and the reserved points that muxers write where they know nothing.
_UNSAID = frozenset({0, 2, 3})
_UNSAID_MATRICES = frozenset({2, 3})
_PRIMARIES = {
    1: primaries.BT709,
    4: primaries.BT470M,
    5: primaries.BT470BG,
    6: primaries.SMPTE170M,
    7: primaries.SMPTE240M,
    8: primaries.FILM,
    9: primaries.BT2020,
    10: primaries.CIE_XYZ,
    11: primaries.DCI_P3,
    12: primaries.DISPLAY_P3,
    22: primaries.EBU3213,
    256: primaries.V_GAMUT,  # FFmpeg's own extension
}
# In FFmpeg's names, which `WorkingSpace` knows; curves of SDR video are listed so that they are not refused.
_TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
    256: "vlog",  # FFmpeg's own extension
}
_MATRICES = {
    0: "rgb",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020nc",
}
# What cannot be read but has a name.
_REFUSED_TRANSFERS = {9: "logarithmic 100:1", 10: "logarithmic 316:1"}
_REFUSED_MATRICES = {
    8: "YCgCo",
    10: "BT.2020 constant luminance",
    11: "SMPTE ST 2085",
    12: "derived from the primaries",
    13: "derived from the primaries, constant luminance",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}


# Code points from here on are FFmpeg's own, and stand in no file.
_FIRST_PRIVATE = 256
UNSPECIFIED = 2


class NamedColour(NamedTuple):
    """What code points say; None where they say nothing, and ``unknown`` names those that cannot be read."""

    primaries: Primaries | None
    transfer: str | None
    matrix: str | None
    unknown: str


def read_code_points(primaries: int, transfer: int, matrix: int = 2) -> NamedColour:
    """Look up H.273's code points (2: unspecified); ``unknown`` is empty where all are known."""
    unknown = []
    if transfer not in _TRANSFERS and transfer not in _UNSAID:
        unknown.append(_describe("transfer", transfer, _REFUSED_TRANSFERS))
    if primaries not in _PRIMARIES and primaries not in _UNSAID:
        unknown.append(_describe("primaries", primaries, {}))
    if matrix not in _MATRICES and matrix not in _UNSAID_MATRICES:
        unknown.append(_describe("matrix", matrix, _REFUSED_MATRICES))
    return NamedColour(
        _PRIMARIES.get(primaries), _TRANSFERS.get(transfer), _MATRICES.get(matrix), " and ".join(unknown)
    )


def primaries_code(name: str) -> int:
    """The code point of primaries by FFmpeg's name; UNSPECIFIED where H.273 has none."""
    return _code_of(name, {code: each.name for code, each in _PRIMARIES.items()})


def transfer_code(name: str) -> int:
    """The code point of a transfer characteristic by FFmpeg's name; UNSPECIFIED where H.273 has none."""
    return _code_of(name, _TRANSFERS)


def matrix_code(name: str) -> int:
    """The code point of a YCbCr matrix by FFmpeg's name, "rgb" for none; UNSPECIFIED where H.273 has none."""
    return _code_of(name, _MATRICES)


def _code_of(name: str, names: dict[int, str]) -> int:
    return next((code for code, each in names.items() if each == name and code < _FIRST_PRIVATE), UNSPECIFIED)


def _describe(what: str, code: int, names: dict[int, str]) -> str:
    return f"{what} {code} ({names[code]})" if code in names else f"{what} {code}"
