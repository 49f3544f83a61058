"""Fast encoding of 8-bit and 16-bit PNG files."""

import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from howard.media.signatures import PNG_SIGNATURE

try:
    from isal.isal_zlib import compress as _deflate

    # At levels 1 and 2 the output depends on uninitialised stack memory: about one process in 200 writes different
    # bytes (isal 1.9.1). Level 0 uses fixed Huffman codes; files are 18 to 36 % larger than at level 1.
    _LEVEL = 0
except ImportError:  # no wheel for this platform
    from zlib import compress as _deflate

    _LEVEL = 1  # the fastest

_PERCEPTUAL_INTENT = b"\0"
# Exponent of the transfer curve times 100000 (PNG specification, 11.3.2.2).
_LINEAR_GAMMA = struct.pack(">I", 100000)
_COLOUR_TYPES = {3: 2, 4: 6}
_UP_FILTER = 2

# Arguments: the data and the compression level.
Compress = Callable[[Any, int], bytes]


def encode_png(
    image: np.ndarray,
    pixel_aspect: Fraction = Fraction(1),
    compress: Compress | None = None,
    *,
    is_linear: bool = False,
) -> bytes:
    """Encode an image as a PNG file, deterministically.

    All rows use the filter "Up" (PNG specification, 9.2), which is one numpy subtraction, and are deflated at the
    fastest level. Both release the GIL.

    Args:
        image: (H, W, 3) RGB or (H, W, 4) straight RGBA, uint8 or uint16.
        pixel_aspect: width of a pixel over its height.
        compress: the deflate function. By default that of the package isal, or of zlib if isal is not installed, which
            is eight times slower and gives other bytes for the same image.
        is_linear: tag the file as linear light (gAMA 1) instead of sRGB.
    """
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8 * image.itemsize, _COLOUR_TYPES[channels], 0, 0, 0)
    shape = struct.pack(">IIB", pixel_aspect.denominator, pixel_aspect.numerator, 0)
    return b"".join(
        (
            PNG_SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"gAMA", _LINEAR_GAMMA) if is_linear else _chunk(b"sRGB", _PERCEPTUAL_INTENT),
            b"" if pixel_aspect == 1 else _chunk(b"pHYs", shape),
            _chunk(b"IDAT", (compress or _deflate)(_filtered(image), _LEVEL)),
            _chunk(b"IEND", b""),
        )
    )


def _filtered(image: np.ndarray) -> memoryview:
    """The filtered rows, (H, 1 + bytes per row) uint8, each preceded by its filter type."""
    height = image.shape[0]
    # 16-bit samples are big-endian in PNG.
    rows = np.ascontiguousarray(image, image.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = _UP_FILTER
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered.data


def _chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk: length, type, content, checksum (PNG specification, 5.3)."""
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(content)), kind, content, struct.pack(">I", checksum)))
