"""Stills read with OpenImageIO: TIFF, DPX, Cineon, TGA, JPEG 2000, JPEG XL, WebP, BMP, HDR, PFM and SGI files."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from howard.errors import InputError
from howard.media.orientation import make_upright
from howard.media.primaries import BT709
from howard.media.stills import dpx
from howard.media.stills.oiio_input import (
    aspect_of,
    frame_windows,
    number_of,
    numbers_of,
    open_image,
    orientation_of,
    profile_of,
    read_error,
    text_of,
    timecode_of,
)
from howard.media.stills.picture import (
    PIXEL_FORMATS,
    SRGB_TAGS,
    StillColour,
    StillPicture,
    check_pixel_count,
    colour_of_profile,
    damage_error,
    place_in_window,
    tags_of_code_points,
    unreadable_error,
)
from howard.media.working_space import ColourTags

_FORMATS = frozenset(
    {"tiff", "dpx", "cineon", "targa", "jpeg2000", "jpegxl", "webp", "bmp", "hdr", "pnm", "sgi", "jpeg"}
)
# TGA files have no signature, so OpenImageIO tries to read any unknown file as TGA.
_TGA_SUFFIXES = frozenset({".tga", ".tpic"})
# The types to which OpenImageIO converts samples; integers are scaled and rounded to the nearest.
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
    """Read a still with its own bit depth, without its alpha channel; floats are scene-linear.

    Raises InputError if it cannot be read, and DamagedFrameError if the decoder reports damage.
    """
    with open_image(path) as source:
        spec, kind = source.spec(), source.format_name()
        if kind not in _FORMATS or (kind == "targa" and path.suffix.lower() not in _TGA_SUFFIXES):
            raise unreadable_error(path, "its format is unknown")
        check_pixel_count(path, spec.width, spec.height)
        is_padded = kind == "dpx" and dpx.needs_padding(spec.width, spec.nchannels, str(spec.format))
        image = dpx.read_padded(path) if is_padded else _read_colour(path, source, spec)
        colour = _colour_of(spec, kind, image.dtype)
        return StillPicture(
            image=make_upright(image, orientation_of(spec)),
            pixel_format=PIXEL_FORMATS[_depth(spec, image.dtype)],
            tags=colour.tags,
            # In other formats it is derived from a print resolution, which rarely describes the image.
            pixel_aspect=aspect_of(spec) if kind == "dpx" else Fraction(1),
            frame_rate=dpx.frame_rate(numbers_of(spec, "dpx:FrameRate", 1)) if kind == "dpx" else None,
            timecode=timecode_of(spec),
            notes=colour.notes,
        )


def read_alpha(path: Path) -> np.ndarray | None:
    """The alpha channel of a still, (H, W) float32 in [0, 1], upright; None if it has none."""
    try:
        with open_image(path) as opened:
            spec = opened.spec()
            channel = spec.alpha_channel
            if channel < 0:
                return None
            check_pixel_count(path, spec.width, spec.height)
            check_pixel_count(path, spec.full_width, spec.full_height)
            samples = opened.read_image(0, 0, channel, channel + 1, "float")
    except InputError:
        # Formats that OpenImageIO does not read. The caller has checked that the still is readable.
        return None
    if samples is None:
        return None
    data, display = frame_windows(spec)
    alpha = place_in_window(np.repeat(samples.reshape(spec.height, spec.width, 1), 3, axis=2), data, display)
    return make_upright(alpha[..., :1], orientation_of(spec))[..., 0].clip(0, 1)


def _read_colour(path: Path, source: Any, spec: Any) -> np.ndarray:
    """The red, green and blue channels, or the grey channel three times, (H, W, 3)."""
    sample, bits = str(spec.format), number_of(spec, "oiio:BitsPerSample", 0)
    if sample not in _READ_AS or (sample in ("uint", "int") and bits not in (0, 32)):
        raise unreadable_error(path, f"it has samples of {bits or sample} bits; 8, 16 or 32 are supported")
    places = _colour_channels(path, spec.channelnames)
    first = min(places)
    pixels = source.read_image(0, 0, first, max(places) + 1, _READ_AS[sample])
    reason = read_error(source)
    if pixels is None or reason:
        raise damage_error(path, reason or "its data are incomplete or invalid")
    image = np.asarray(pixels).reshape(spec.height, spec.width, -1)
    if number_of(spec, "tiff:PhotometricInterpretation", -1) == _WHITE_IS_ZERO and image.dtype == np.uint16:
        # OpenImageIO inverts only 8-bit samples itself.
        image = 65535 - image
    return np.ascontiguousarray(image[..., [place - first for place in places]])


def _colour_channels(path: Path, names: Sequence[str]) -> tuple[int, int, int]:
    if {"R", "G", "B"} <= set(names):
        return names.index("R"), names.index("G"), names.index("B")
    if len(names) in (1, 2) or "Y" in names:
        grey = names.index("Y") if "Y" in names else 0
        return grey, grey, grey
    raise unreadable_error(path, f"its channels are {', '.join(names[:6])}, not red, green and blue")


def _colour_of(spec: Any, kind: str, dtype: np.dtype) -> StillColour:
    if kind == "dpx":
        return StillColour(dpx.tags_of_transfer(text_of(spec, "dpx:Transfer")))
    if kind == "cineon":
        return StillColour(SRGB_TAGS._replace(transfer="cineon"))
    code_points = numbers_of(spec, "CICP", 4)
    if code_points is not None:
        return StillColour(tags_of_code_points(int(code_points[0]), int(code_points[1])))
    profile = profile_of(spec)
    if dtype.kind != "f":
        if text_of(spec, "jpeg:ColorSpace") == "CMYK" or text_of(spec, "tiff:ColorSpace") == "CMYK":
            return StillColour(SRGB_TAGS, ("its inks are converted without its ICC profile",))
        return colour_of_profile(profile)
    # Float samples are linear light; only the primaries of a profile apply.
    stated = colour_of_profile(profile, _LINEAR_TAGS)
    return stated._replace(tags=stated.tags._replace(transfer="linear", curve=None))


def _depth(spec: Any, dtype: np.dtype) -> str:
    return "float16" if str(spec.format) == "half" else dtype.name
