"""Luminance/chroma EXR files, written byte by byte, since OpenEXR's Python module does not support them."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_HALF = 1  # pixel type
_UNCOMPRESSED = b"\0"
_INCREASING = b"\0"


def write_luminance_chroma(
    path: Path, luminance: np.ndarray, red: np.ndarray, blue: np.ndarray, chromaticities: Sequence[float] = ()
) -> Path:
    """Write Y, (h, w) with even sizes, and RY and BY, (h / 2, w / 2), as uncompressed half floats."""
    height, width = luminance.shape
    channels = b"".join(
        name + b"\0" + struct.pack("<iB3xii", _HALF, 0, sampling, sampling)
        for name, sampling in ((b"BY", 2), (b"RY", 2), (b"Y", 1))
    )
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = _attribute(b"channels", b"chlist", channels + b"\0") + _attribute(
        b"compression", b"compression", _UNCOMPRESSED
    )
    header += _attribute(b"dataWindow", b"box2i", window) + _attribute(b"displayWindow", b"box2i", window)
    header += _attribute(b"lineOrder", b"lineOrder", _INCREASING)
    header += _attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1))
    header += _attribute(b"screenWindowCenter", b"v2f", bytes(8))
    header += _attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1))
    if len(chromaticities):
        header += _attribute(b"chromaticities", b"chromaticities", struct.pack("<8f", *chromaticities))
    head = struct.pack("<II", 20000630, 2) + header + b"\0"
    lines = [
        b"".join(plane.astype("<f2").tobytes() for plane in _rows_at(y, luminance, red, blue)) for y in range(height)
    ]
    chunks = [struct.pack("<iI", y, len(line)) + line for y, line in enumerate(lines)]
    offsets = len(head) + 8 * height + np.cumsum([0, *map(len, chunks[:-1])])
    path.write_bytes(head + offsets.astype("<u8").tobytes() + b"".join(chunks))
    return path


def _rows_at(y: int, luminance: np.ndarray, red: np.ndarray, blue: np.ndarray) -> list[np.ndarray]:
    """The stored samples of a row, channels in alphabetical order; chroma only in even rows."""
    return [luminance[y]] if y % 2 else [blue[y // 2], red[y // 2], luminance[y]]


def _attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
    return name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value
