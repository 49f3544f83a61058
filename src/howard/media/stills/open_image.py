"""Pictures through OpenImageIO: TIFF, DPX, Cineon, TGA, JPEG 2000, JPEG XL, WebP, BMP, HDR, PFM and SGI files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from howard.media.colours.h273 import read_code_points
from howard.media.primaries import BT709
from howard.media.stills import dpx
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
    upright,
)
from howard.media.working_space import ColourTags

_FORMATS = frozenset(
    {"tiff", "dpx", "cineon", "targa", "jpeg2000", "jpegxl", "webp", "bmp", "hdr", "pnm", "sgi", "jpeg"}
)
# TGA files have no signature: what nothing else can read passes for one.
_TGA_SUFFIXES = frozenset({".tga", ".tpic"})
# The types that samples are read as: integers as what they stand for, rounded to the nearest.
_READ_AS = {
    "uint8": "uint8",
    "int8": "uint8",
    "uint16": "uint16",
    "int16": "uint16",
    "uint": "uint16",
    "int": "uint16",
    "half": "float",
    "float": "float",
    "double": "float",
}
_WHITE_IS_ZERO = 0  # TIFF 6.0, PhotometricInterpretation
_LINEAR_TAGS = ColourTags("rgb", True, BT709, "linear")


def read_image(path: Path) -> StillPicture:
    """Read a picture at its own depth, without its alpha; floats are scene-linear light.

    Raises InputError where it cannot be read, and DamagedFrameError where the decoder complained.
    """
    with open_image(path) as source:
        spec, kind = source.spec(), source.format_name()
        if kind not in _FORMATS or (kind == "targa" and path.suffix.lower() not in _TGA_SUFFIXES):
            raise unreadable(path, "it is of no known kind")
        check_size(path, spec.width, spec.height)
        is_padded = kind == "dpx" and dpx.needs_padding(spec.width, spec.nchannels, str(spec.format))
        image = dpx.read_padded(path) if is_padded else _read_colour(path, source, spec)
        orientation = number_of(spec, "Orientation", 1)
        colour = _state_colour(spec, kind, image.dtype)
        return StillPicture(
            image=upright(image, orientation),
            pixel_format=PIXEL_FORMATS[_depth(spec, image.dtype)],
            tags=colour.tags,
            # Other formats give the density of a scanner or a printer, which seldom means the picture.
            pixel_aspect=read_aspect(spec) if kind == "dpx" else Fraction(1),
            frame_rate=dpx.frame_rate(numbers_of(spec, "dpx:FrameRate", 1)) if kind == "dpx" else None,
            timecode=read_timecode(spec),
            notes=colour.notes,
        )


def read_profile_and_orientation(path: Path) -> tuple[bytes, int]:
    """The ICC profile, empty where there is none, and the orientation that a picture's header gives."""
    with open_image(path) as source:
        spec = source.spec()
        return _profile(spec), number_of(spec, "Orientation", 1)


@contextmanager
def open_image(path: Path) -> Iterator[Any]:
    """An ``ImageInput`` on the file; alpha does not multiply what is read. Raises InputError where it is no picture."""
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    try:
        source = oiio.ImageInput.open(str(path), config)
        reason = oiio.geterror()
    except UnicodeDecodeError:
        # The reason quotes the file.
        source, reason = None, "its header is damaged"
    if source is None:
        raise unreadable(path, reason)
    try:
        yield source
    finally:
        source.close()


def text_of(spec: Any, name: str) -> str:
    """A text of the file's header; empty where it is missing, no text, or none that can be decoded."""
    try:
        value = spec.getattribute(name)
    except UnicodeDecodeError:
        return ""
    return value if isinstance(value, str) else ""


def numbers_of(spec: Any, name: str, count: int) -> tuple[float, ...] | None:
    """``count`` numbers of the file's header; None where they are missing or something else."""
    try:
        values = np.ravel(spec.getattribute(name))
    except UnicodeDecodeError:
        return None
    return tuple(values.tolist()) if len(values) == count and values.dtype.kind in "iuf" else None


def number_of(spec: Any, name: str, default: int) -> int:
    """A whole number of the file's header, or ``default``."""
    values = numbers_of(spec, name, 1)
    return int(values[0]) if values and np.isfinite(values[0]) else default


def read_error(source: Any) -> str:
    """What the reader complained of since this was last asked; empty where nothing was."""
    try:
        return source.geterror()
    except UnicodeDecodeError:
        return "its data are damaged"


def read_timecode(spec: Any) -> str | None:
    """The header's timecode, as "hh:mm:ss:ff", with ";" before the frame where frames are dropped; None for none."""
    bits = numbers_of(spec, "smpte:TimeCode", 2)
    if bits is None:
        return None
    word = int(bits[0])
    # SMPTE ST 12-1, as OpenEXR packs it: binary-coded decimals with flags in the spare bits.
    pairs = ((word >> 24) & 0x3F, (word >> 16) & 0x7F, (word >> 8) & 0x7F, word & 0x3F)
    if any(pair & 0xF > 9 for pair in pairs):
        return None
    hours, minutes, seconds, frame = (10 * (pair >> 4) + (pair & 0xF) for pair in pairs)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if word & 0x40 else ':'}{frame:02d}"


def read_aspect(spec: Any) -> Fraction:
    """The shape of pixels that the header gives; 1 where there is none or an impossible one."""
    aspect = numbers_of(spec, "PixelAspectRatio", 1)
    return pixel_aspect(aspect[0] if aspect else None)


def _read_colour(path: Path, source: Any, spec: Any) -> np.ndarray:
    """The picture's red, green and blue, or its grey three times, (H, W, 3)."""
    sample, bits = str(spec.format), number_of(spec, "oiio:BitsPerSample", 0)
    if sample not in _READ_AS or (sample in ("uint", "int") and bits not in (0, 32)):
        raise unreadable(path, f"it has samples of {bits or sample} bits; 8, 16 or 32 are read")
    places = _colour_channels(path, spec.channelnames)
    first = min(places)
    pixels = source.read_image(0, 0, first, max(places) + 1, _READ_AS[sample])
    reason = read_error(source)
    if pixels is None or reason:
        raise damaged(path, reason or "its data end early or make no sense")
    image = np.asarray(pixels).reshape(spec.height, spec.width, -1)
    if number_of(spec, "tiff:PhotometricInterpretation", -1) == _WHITE_IS_ZERO and image.dtype == np.uint16:
        # The reader turns 8 bits around by itself, and no others.
        image = 65535 - image
    return np.ascontiguousarray(image[..., [place - first for place in places]])


def _colour_channels(path: Path, names: Sequence[str]) -> tuple[int, int, int]:
    if {"R", "G", "B"} <= set(names):
        return names.index("R"), names.index("G"), names.index("B")
    if len(names) in (1, 2) or "Y" in names:
        grey = names.index("Y") if "Y" in names else 0
        return grey, grey, grey
    raise unreadable(path, f"its channels are {', '.join(names[:6])}, not red, green and blue")


def _state_colour(spec: Any, kind: str, dtype: np.dtype) -> StatedColour:
    if kind == "dpx":
        return StatedColour(dpx.tags_of_transfer(text_of(spec, "dpx:Transfer")))
    if kind == "cineon":
        return StatedColour(SRGB_TAGS._replace(transfer="cineon"))
    code_points = numbers_of(spec, "CICP", 4)
    if code_points is not None:
        said = read_code_points(int(code_points[0]), int(code_points[1]))
        tags = ColourTags("rgb", True, said.primaries or BT709, said.transfer or "iec61966-2-1", unknown=said.unknown)
        return StatedColour(tags)
    profile = _profile(spec)
    if dtype.kind != "f":
        if text_of(spec, "jpeg:ColorSpace") == "CMYK" or text_of(spec, "tiff:ColorSpace") == "CMYK":
            return StatedColour(SRGB_TAGS, ("its inks are converted without its ICC profile",))
        return colour_of_profile(profile)
    # Floats are light; of a profile only the primaries are meant then.
    stated = colour_of_profile(profile, _LINEAR_TAGS)
    return stated._replace(tags=stated.tags._replace(transfer="linear", curve=None))


def _profile(spec: Any) -> bytes:
    profile = spec.getattribute("ICCProfile")
    return profile.tobytes() if isinstance(profile, np.ndarray) else b""


def _depth(spec: Any, dtype: np.dtype) -> str:
    return "float16" if str(spec.format) == "half" else dtype.name
