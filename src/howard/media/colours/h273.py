"""Colour code points of ITU-T H.273, which videos, PNG, AVIF, HEIC and ICC profiles contain."""

from typing import NamedTuple

from howard.media import primaries
from howard.media.primaries import Primaries

# "Unspecified", and reserved code points that muxers write in its place.
_UNSPECIFIED_POINTS = frozenset({0, 2, 3})
_UNSPECIFIED_MATRICES = frozenset({2, 3})
_PRIMARIES = {
    1: primaries.BT709,
    4: primaries.BT470M,
    5: primaries.BT470BG,
    6: primaries.SMPTE170M,
    7: primaries.SMPTE240M,
    8: primaries.ILLUMINANT_C_FILTERS,
    9: primaries.BT2020,
    10: primaries.CIE_XYZ,
    11: primaries.DCI_P3,
    12: primaries.DISPLAY_P3,
    22: primaries.EBU3213,
    256: primaries.V_GAMUT,  # FFmpeg's own extension
}
# FFmpeg's names, which `WorkingSpace` accepts. SDR curves, which it does not distinguish, are listed as supported.
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
# Unsupported code points, named in error messages.
_UNSUPPORTED_TRANSFERS = {9: "logarithmic 100:1", 10: "logarithmic 316:1"}
_UNSUPPORTED_MATRICES = {
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
# Code points from here on are FFmpeg's own and do not occur in files.
_FIRST_PRIVATE = 256
UNSPECIFIED = 2


class CodePoints(NamedTuple):
    """The meaning of code points: None if unspecified or unsupported; ``unknown`` names the unsupported ones."""

    primaries: Primaries | None
    transfer: str | None
    matrix: str | None
    unknown: str


def read_code_points(primaries: int, transfer: int, matrix: int = UNSPECIFIED) -> CodePoints:
    """The meaning of H.273 code points."""
    unknown = []
    if transfer not in _TRANSFERS and transfer not in _UNSPECIFIED_POINTS:
        unknown.append(_describe("transfer", transfer, _UNSUPPORTED_TRANSFERS))
    if primaries not in _PRIMARIES and primaries not in _UNSPECIFIED_POINTS:
        unknown.append(_describe("primaries", primaries, {}))
    if matrix not in _MATRICES and matrix not in _UNSPECIFIED_MATRICES:
        unknown.append(_describe("matrix", matrix, _UNSUPPORTED_MATRICES))
    return CodePoints(_PRIMARIES.get(primaries), _TRANSFERS.get(transfer), _MATRICES.get(matrix), " and ".join(unknown))


def primaries_code(name: str) -> int:
    """The code point of primaries by FFmpeg's name; UNSPECIFIED if H.273 has none."""
    return _code_of(name, {code: each.name for code, each in _PRIMARIES.items()})


def transfer_code(name: str) -> int:
    """The code point of a transfer characteristic by FFmpeg's name; UNSPECIFIED if H.273 has none."""
    return _code_of(name, _TRANSFERS)


def matrix_code(name: str) -> int:
    """The code point of a YCbCr matrix by FFmpeg's name, "rgb" for none; UNSPECIFIED if H.273 has none."""
    return _code_of(name, _MATRICES)


def _code_of(name: str, names: dict[int, str]) -> int:
    return next((code for code, each in names.items() if each == name and code < _FIRST_PRIVATE), UNSPECIFIED)


def _describe(what: str, code: int, names: dict[int, str]) -> str:
    return f"{what} {code} ({names[code]})" if code in names else f"{what} {code}"
