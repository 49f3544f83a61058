"""PNG: its chunks are checked and read here, its pixels decoded by OpenCV from the checked chunks alone.

libpng writes what it thinks of a file to the terminal. It has nothing to say of a file whose checksums are right and
that is stripped of everything but its pixels.
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

from howard.media.colours.h273 import read_code_points
from howard.media.orientation import EXIF_ORIENTATION_TAG, UPRIGHT, Orientation, make_upright, orientation_of_exif
from howard.media.primaries import BT709
from howard.media.signatures import PNG_SIGNATURE
from howard.media.stills.picture import (
    PIXEL_FORMATS,
    SRGB_TAGS,
    StatedColour,
    StillPicture,
    check_size,
    colour_of_profile,
    damaged,
    pixel_aspect,
    unreadable,
)
from howard.media.working_space import ColourTags

# Chunks that the pixels need (PNG specification, 11.2), and what is known of the others; later ones do not count.
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
# Bits a sample by colour type (11.2.2).
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_LENGTH_AND_KIND = struct.Struct(">I4s")
_CHECKSUM_BYTES = 4
# A deflated stream is at most this many times smaller than what it holds.
_BEST_DEFLATION = 1032
_METRES = 1  # pHYs, 11.3.5.3; with the unit 0 the numbers give the shape of pixels too
# sRGB's curve is near this exponent, which is what most encoders write for it.
_SRGB_GAMMA = 0.45455
_SAME_GAMMA = 0.02
_LARGEST_PROFILE = 2**24  # bytes, inflated


class _Chunk(NamedTuple):
    kind: bytes
    content: memoryview
    whole: memoryview
    is_intact: bool


def read_png(path: Path, encoded: bytes) -> StillPicture:
    """Read a PNG file of 1 to 16 bits, without its alpha, upright as its EXIF orientation asks.

    Raises DamagedFrameError where chunks are missing or their checksums are wrong.
    """
    pixels: list[bytes | memoryview] = [PNG_SIGNATURE]
    facts: dict[bytes, bytes] = {}
    for chunk in _chunks(path, memoryview(encoded)):
        if chunk.kind in _PIXEL_CHUNKS:
            if not chunk.is_intact:
                raise damaged(path, f"the checksum of a chunk {chunk.kind.decode()} is wrong")
            pixels.append(chunk.whole)
        elif chunk.kind[0] & 0x20 == 0:
            raise unreadable(path, f"it needs the private chunk {chunk.kind.decode('latin-1')!r}")
        if chunk.is_intact and chunk.kind not in (b"IDAT", b"IEND"):
            facts.setdefault(chunk.kind, bytes(chunk.content))
        elif chunk.kind == b"iCCP":
            facts.setdefault(chunk.kind, b"")
    image = _decode(path, facts.get(b"IHDR", b""), b"".join(pixels))
    orientation = _orientation(facts.get(b"eXIf", b""))
    colour = _state_colour(facts)
    return StillPicture(
        image=make_upright(image, orientation),
        pixel_format=PIXEL_FORMATS[image.dtype.name],
        tags=colour.tags,
        pixel_aspect=pixel_aspect(_aspect(facts.get(b"pHYs", b"")), orientation),
        notes=colour.notes,
    )


def _chunks(path: Path, encoded: memoryview) -> Iterator[_Chunk]:
    """Every chunk up to IEND; raises DamagedFrameError where the file ends before it."""
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
    raise damaged(path, "it ends early")


def _decode(path: Path, header: bytes, stripped: bytes) -> np.ndarray:
    """RGB, (H, W, 3) uint8 or uint16, from a file of nothing but header, palette and pixels."""
    if len(header) != 13:
        raise damaged(path, "its header is missing")
    width, height, bits, colour, compression, row_filter, interlacing = struct.unpack(">IIBBBBB", header)
    check_size(path, width, height)
    if bits not in _DEPTHS.get(colour, ()) or compression or row_filter or interlacing > 1:
        raise damaged(path, "its header makes no sense")
    if width * height * bits // 8 > _BEST_DEFLATION * len(stripped):
        raise damaged(path, f"{width}x{height} pixels cannot be in {len(stripped)} bytes")
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(stripped, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise damaged(path, "its pixels cannot be inflated")
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
    """A pixel's width over its height; the chunk counts pixels a metre, or in any other unit."""
    if len(physical) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", physical)
    return Fraction(down, across) if across and down and unit <= _METRES else None


def _state_colour(facts: dict[bytes, bytes]) -> StatedColour:
    """The strongest of what the file says of its colours (PNG specification, third edition, 4.3)."""
    code_points = facts.get(b"cICP", b"")
    if len(code_points) == 4:
        primaries, transfer, matrix, full_range = code_points
        said = read_code_points(primaries, transfer)
        unknown = said.unknown or ("" if matrix == 0 else f"matrix {matrix} in a PNG")
        unknown = unknown or ("" if full_range else "RGB of limited range")
        return StatedColour(
            ColourTags("rgb", True, said.primaries or BT709, said.transfer or "iec61966-2-1", unknown=unknown)
        )
    if b"iCCP" in facts:
        return colour_of_profile(_inflate_profile(facts[b"iCCP"]) or b"damaged")
    gamma = facts.get(b"gAMA", b"")
    if b"sRGB" not in facts and len(gamma) == 4:
        exponent = int.from_bytes(gamma, "big") / 100000
        if abs(exponent - _SRGB_GAMMA) > _SAME_GAMMA:
            return StatedColour(SRGB_TAGS, (f"its chunk gAMA ({exponent:g}) is ignored: its values are read as sRGB",))
    return StatedColour(SRGB_TAGS)


def _inflate_profile(chunk: bytes) -> bytes:
    """The profile behind name, zero and method; empty where it is damaged."""
    _, _, rest = chunk.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(rest[1:], _LARGEST_PROFILE)
    except zlib.error:
        return b""
