"""ICC profiles with a matrix and curves, assembled byte by byte."""

import struct
from collections.abc import Sequence

import numpy as np

from howard.media.primaries import Chromaticity, Primaries, adaptation_matrix, rgb_to_xyz

_D50 = Chromaticity(0.3457, 0.3585)


def make_profile(
    primaries: Primaries, curve: float | Sequence[float] | np.ndarray, name: str = "made up", *, grey: bool = False
) -> bytes:
    """A profile of these primaries; ``curve`` is a gamma, a table (array) or the parameters of a parametric curve.

    Parameters are g, a, b, c, d (type 3 of the specification's table 68).
    """
    colorants = adaptation_matrix(primaries.white, _D50) @ rgb_to_xyz(primaries)
    tone = _curve(curve)
    text = name.encode("ascii") + b"\0"
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)}
    tags[b"wtpt"] = _xyz(colorants.sum(axis=1))
    if grey:
        tags[b"kTRC"] = tone
    else:
        for place, channel in enumerate((b"r", b"g", b"b")):
            tags[channel + b"XYZ"] = _xyz(colorants[:, place])
            tags[channel + b"TRC"] = tone
    return assemble(tags, b"GRAY" if grey else b"RGB ")


def assemble(tags: dict[bytes, bytes], kind: bytes) -> bytes:
    """A profile with the given tags for the colour space ``kind``."""
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for signature, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", signature, offset + len(body), len(content))
        body += padded
    header = struct.pack(">I4sI4s4s4s", offset + len(body), bytes(4), 0x02400000, b"mntr", kind, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in values))


def _curve(curve: float | Sequence[float] | np.ndarray) -> bytes:
    if isinstance(curve, np.ndarray):
        values = np.rint(65535 * curve).astype(">u2")
        return b"curv" + bytes(4) + struct.pack(">I", len(values)) + values.tobytes()
    if isinstance(curve, (int, float)):
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * curve))
    return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(65536 * value) for value in curve))
