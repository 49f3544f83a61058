"""Reading PNG files: chunks are checked and parsed here, pixels are decoded by OpenCV.

OpenCV gets a file of only the chunks that the pixels need, with correct checksums, since libpng prints messages about
other chunks and errors to the terminal.
"""

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from howard.media.orientation import EXIF_ORIENTATION_TAG, UPRIGHT, Orientation, make_upright, orientation_of_exif
from howard.media.signatures import PNG_SIGNATURE
from howard.media.stills.picture import (
    PIXEL_FORMATS,
    SRGB_TAGS,
    StillColour,
    StillPicture,
    check_pixel_count,
    colour_of_profile,
    damage_error,
    pixel_aspect,
    tags_of_code_points,
    unreadable_error,
)

# The critical chunks (PNG specification, 11.2).
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
# Bits per sample by colour type (11.2.2).
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_LENGTH_AND_KIND = struct.Struct(">I4s")
_CHECKSUM_BYTES = 4
# The largest compression ratio of deflate.
_MAX_DEFLATE_RATIO = 1032
_METRES = 1  # the unit in pHYs, 11.3.5.3; with unit 0 (unknown) the aspect ratio is valid too
# The exponent that most encoders write for the sRGB curve.
_SRGB_GAMMA = 0.45455
_SAME_GAMMA = 0.02
_LARGEST_PROFILE = 2**24  # bytes, inflated


class _Chunk(NamedTuple):
    kind: bytes
    content: memoryview
    whole: memoryview
    is_intact: bool


def read_png(path: Path, encoded: bytes) -> StillPicture:
    """Read a PNG file of 1 to 16 bits, without its alpha channel, upright by its EXIF orientation.

    Raises DamagedFrameError if critical chunks are missing or have wrong checksums.
    """
    pixels: list[bytes | memoryview] = [PNG_SIGNATURE]
    facts: dict[bytes, bytes] = {}
    for chunk in _chunks(path, memoryview(encoded)):
        if chunk.kind in _PIXEL_CHUNKS:
            if not chunk.is_intact:
                raise damage_error(path, f"the checksum of a chunk {chunk.kind.decode()} is wrong")
            pixels.append(chunk.whole)
        elif chunk.kind[0] & 0x20 == 0:
            raise unreadable_error(path, f"it needs the private chunk {chunk.kind.decode('latin-1')!r}")
        if chunk.is_intact and chunk.kind not in (b"IDAT", b"IEND"):
            facts.setdefault(chunk.kind, bytes(chunk.content))
        elif chunk.kind == b"iCCP":
            facts.setdefault(chunk.kind, b"")
    image = _decode(path, facts.get(b"IHDR", b""), b"".join(pixels))
    orientation = _orientation(facts.get(b"eXIf", b""))
    colour = _colour_of(facts)
    return StillPicture(
        image=make_upright(image, orientation),
        pixel_format=PIXEL_FORMATS[image.dtype.name],
        tags=colour.tags,
        pixel_aspect=pixel_aspect(_aspect(facts.get(b"pHYs", b"")), orientation),
        notes=colour.notes,
    )


def _chunks(path: Path, encoded: memoryview) -> Iterator[_Chunk]:
    """All chunks up to IEND; raises DamagedFrameError if the file ends before it."""
    position = len(PNG_SIGNATURE)
    while position + _LENGTH_AND_KIND.size + _CHECKSUM_BYTES <= len(encoded):
        length, kind = _LENGTH_AND_KIND.unpack_from(encoded, position)
        start = position + _LENGTH_AND_KIND.size
        end = start + length + _CHECKSUM_BYTES
        if end > len(encoded):
            break
        stated = int.from_bytes(encoded[start + length : end], "big")
        content = encoded[start : start + length]
        yield _Chunk(kind, content, encoded[position:end], zlib.crc32(content, zlib.crc32(kind)) == stated)
        if kind == b"IEND":
            return
        position = end
    raise damage_error(path, "the file is truncated")


def _decode(path: Path, header: bytes, stripped: bytes) -> np.ndarray:
    """RGB, (H, W, 3) uint8 or uint16, from a PNG file with only header, palette and pixels."""
    if len(header) != 13:
        raise damage_error(path, "its header is missing")
    width, height, bits, colour, compression, row_filter, interlacing = struct.unpack(">IIBBBBB", header)
    check_pixel_count(path, width, height)
    if bits not in _DEPTHS.get(colour, ()) or compression or row_filter or interlacing > 1:
        raise damage_error(path, "its header is invalid")
    if width * height * bits // 8 > _MAX_DEFLATE_RATIO * len(stripped):
        raise damage_error(path, f"{width}x{height} pixels cannot be in {len(stripped)} bytes")
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(stripped, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise damage_error(path, "its pixels cannot be inflated")
    return image


def _orientation(exif: bytes) -> Orientation:
    if not exif:
        return UPRIGHT
    try:
        fields = Image.Exif()
        fields.load(exif)
        return orientation_of_exif(int(fields.get(EXIF_ORIENTATION_TAG, 1)))
    except (ValueError, TypeError, SyntaxError, struct.error, OSError):
        return UPRIGHT


def _aspect(physical: bytes) -> Fraction | None:
    """The pixel aspect ratio (width / height) from pHYs, which has pixels per unit along x and y."""
    if len(physical) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", physical)
    return Fraction(down, across) if across and down and unit <= _METRES else None


def _colour_of(facts: dict[bytes, bytes]) -> StillColour:
    """The colour from the chunk with the highest precedence (PNG specification, third edition, 4.3)."""
    code_points = facts.get(b"cICP", b"")
    if len(code_points) == 4:
        primaries, transfer, matrix, full_range = code_points
        tags = tags_of_code_points(primaries, transfer)
        unknown = tags.unknown or ("" if matrix == 0 else f"matrix {matrix} in a PNG")
        unknown = unknown or ("" if full_range else "RGB of limited range")
        return StillColour(tags._replace(unknown=unknown))
    if b"iCCP" in facts:
        return colour_of_profile(_inflate_profile(facts[b"iCCP"]) or b"damaged")
    gamma = facts.get(b"gAMA", b"")
    if b"sRGB" not in facts and len(gamma) == 4:
        exponent = int.from_bytes(gamma, "big") / 100000
        if abs(exponent - _SRGB_GAMMA) > _SAME_GAMMA:
            return StillColour(SRGB_TAGS, (f"its chunk gAMA ({exponent:g}) is ignored: its values are read as sRGB",))
    return StillColour(SRGB_TAGS)


def _inflate_profile(chunk: bytes) -> bytes:
    """The ICC profile in an iCCP chunk, after name and compression method; empty if it is damaged."""
    _, _, rest = chunk.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(rest[1:], _LARGEST_PROFILE)
    except zlib.error:
        return b""
