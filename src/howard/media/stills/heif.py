"""AVIF, read with FFmpeg at full bit depth, or with Pillow if tiled; HEIC, read with the optional package pi-heif."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL.AvifImagePlugin import AvifImageFile

from howard.errors import InputError
from howard.media.orientation import EXIF_ORIENTATION_TAG, UPRIGHT, Orientation, make_upright, orientation_of_exif
from howard.media.primaries import BT709
from howard.media.stills.picture import (
    PIXEL_FORMATS,
    SRGB_TAGS,
    StillColour,
    StillPicture,
    check_pixel_count,
    colour_of_profile,
    damage_error,
    tags_of_code_points,
    unreadable_error,
)
from howard.media.to_rgb import RgbConverter, frame_colour_tags
from howard.media.working_space import ColourTags

_BRANDS = slice(8, 32)
_AV1_BRANDS = (b"avif", b"avis")
_BOX_HEADER = 8


def read_heif(path: Path, encoded: bytes) -> StillPicture:
    """Read an AVIF or HEIC still, upright.

    Raises InputError if it cannot be read or pi-heif is missing, and DamagedFrameError if its data are damaged.
    """
    if encoded[4:8] != b"ftyp":
        raise unreadable_error(path, "it is neither AVIF nor HEIC")
    if _is_truncated(encoded):
        # The libraries would return black for missing tiles.
        raise damage_error(path, "the file is truncated")
    if any(brand in encoded[_BRANDS] for brand in _AV1_BRANDS):
        return _read_avif(path, encoded)
    return _read_heic(path, encoded)


def _is_truncated(encoded: bytes) -> bool:
    """Whether the last box extends beyond the end of the file (ISO/IEC 14496-12, 4.2)."""
    position = 0
    while position + _BOX_HEADER <= len(encoded):
        size = int.from_bytes(encoded[position : position + 4], "big")
        if size == 1:
            size = int.from_bytes(encoded[position + 8 : position + 16], "big")
        if size < _BOX_HEADER:
            # Size 0 means that the box extends to the end of the file; other sizes are invalid.
            return size != 0
        position += size
    return position > len(encoded)


def _read_avif(path: Path, encoded: bytes) -> StillPicture:
    try:
        # Image.open would print a warning about large images.
        header = AvifImageFile(io.BytesIO(encoded))
    except (SyntaxError, ValueError, OSError, RuntimeError) as error:
        raise unreadable_error(path, str(error)) from error
    width, height = header.size
    check_pixel_count(path, width, height)
    first = _first_frame(path, encoded)
    tags = frame_colour_tags(first)
    notes: tuple[str, ...] = ()
    if (first.width, first.height) == (width, height):
        # SDR tags keep the code values; the still is interpreted by the file's tags later.
        image = RgbConverter(first, ColourTags(tags.matrix, tags.full_range, BT709, "iec61966-2-1")).as_stored(first)
    else:
        image = _read_grid(path, header)
        bits = max(component.bits for component in first.format.components)
        notes = (f"its {bits} bits are read as 8, for it is made of tiles",) if bits > 8 else ()
    colour = _colour_of(tags, header.info.get("icc_profile") or b"")
    return StillPicture(
        image=make_upright(image, _orientation(header)),
        pixel_format=PIXEL_FORMATS[image.dtype.name],
        tags=colour.tags,
        notes=(*colour.notes, *notes),
    )


def _first_frame(path: Path, encoded: bytes) -> av.VideoFrame:
    """The image, or its first tile."""
    try:
        with av.open(io.BytesIO(encoded), "r", format="mov", metadata_errors="replace") as container:
            return next(container.decode(video=0))
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise damage_error(path, getattr(error, "strerror", None) or "it contains no image") from error


def _read_grid(path: Path, header: AvifImageFile) -> np.ndarray:
    try:
        return np.asarray(header.convert("RGB"))
    except (SyntaxError, ValueError, OSError, RuntimeError) as error:
        raise damage_error(path, str(error)) from error


def _orientation(header: AvifImageFile) -> Orientation:
    """Pillow gives the rotation and the mirroring of an AVIF file as an EXIF orientation."""
    try:
        return orientation_of_exif(int(header.getexif().get(EXIF_ORIENTATION_TAG, 1)))
    except (SyntaxError, ValueError, TypeError):
        return UPRIGHT


def _colour_of(tags: ColourTags, profile: bytes) -> StillColour:
    """The colour of the ICC profile, which takes precedence over code points (ISO/IEC 23000-22), or of ``tags``."""
    if profile:
        return colour_of_profile(profile)
    return StillColour(tags._replace(matrix="rgb", full_range=True))


def _read_heic(path: Path, encoded: bytes) -> StillPicture:
    try:
        import pi_heif
    except ImportError as error:
        raise InputError(f"{path} is a HEIC still, which needs the library pi-heif; pip install pi-heif") from error
    try:
        file = pi_heif.open_heif(io.BytesIO(encoded), convert_hdr_to_8bit=False)
        check_pixel_count(path, *file.size)
        # A copy, since the library's memory is freed with ``file``.
        pixels = np.array(file)
    except (ValueError, RuntimeError, OSError, SyntaxError, EOFError) as error:
        raise damage_error(path, str(error)) from error
    # pi-heif applies the orientation itself.
    image = _as_rgb(pixels, int(file.info.get("bit_depth", 8)))
    colour = _colour_of(_nclx_tags(file.info.get("nclx_profile")), file.info.get("icc_profile") or b"")
    return StillPicture(image, PIXEL_FORMATS[image.dtype.name], colour.tags, notes=colour.notes)


def _as_rgb(pixels: np.ndarray, bits: int) -> np.ndarray:
    """RGB, (H, W, 3) uint8 or uint16, from grey or colour with or without alpha."""
    planes = pixels.reshape(*pixels.shape[:2], -1)
    colour = planes[..., :3] if planes.shape[2] >= 3 else np.repeat(planes[..., :1], 3, axis=2)
    if colour.dtype == np.uint16 and bits < 16:
        # pi-heif expands to 16 bits by shifting, so white is less than 65535.
        colour = colour | (colour >> bits)
    return np.ascontiguousarray(colour)


def _nclx_tags(profile: Any) -> ColourTags:
    if not profile:
        return SRGB_TAGS
    return tags_of_code_points(int(profile["color_primaries"]), int(profile["transfer_characteristics"]))
