"""EXR files, through OpenEXR: scene-linear light of 16 or 32 bits."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

from howard.errors import InputError
from howard.media.picture import StillPicture
from howard.media.primaries import BT709, named_primaries
from howard.media.working_space import ColourTags

_LARGEST_HALF = 65504.0


def read_exr(path: Path) -> StillPicture:
    """Read the first part of an EXR file that has R, G and B, or only Y, in the size of its display window.

    Pixels outside the data window are black; NaN becomes 0 and infinity the largest half float. Raises InputError, in
    one line, for anything that cannot be read so.
    """
    try:
        parts = OpenEXR.File(str(path), separate_channels=True).parts
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path} cannot be read as an EXR file; check that it is whole, or save it again") from error
    part = _choose_part(path, parts)
    names = "RGB" if "R" in part.channels else "YYY"
    channels = [_pixels(path, part, name) for name in names]
    image = _in_display_window(part.header, np.stack(channels, axis=-1))
    rate = part.header.get("framesPerSecond")
    return StillPicture(
        image=np.nan_to_num(image, copy=False, nan=0.0, posinf=_LARGEST_HALF, neginf=-_LARGEST_HALF),
        pixel_format="rgbf16le" if channels[0].dtype == np.float16 else "rgbf32le",
        tags=ColourTags("rgb", True, _primaries(part.header), "linear"),
        pixel_aspect=Fraction(part.header.get("pixelAspectRatio", 1.0)).limit_denominator(10000),
        frame_rate=Fraction(rate) if rate else None,
        timecode=_timecode(part.header.get("timeCode")),
    )


def _choose_part(path: Path, parts: list[Any]) -> Any:
    for part in parts:
        if {"R", "G", "B"} <= part.channels.keys() or ("Y" in part.channels and "RY" not in part.channels):
            return part
    found = sorted({name for part in parts for name in part.channels})
    raise InputError(
        f"{path} has no channels R, G and B, but {', '.join(found) or 'none'}; write the picture as plain RGB"
    )


def _pixels(path: Path, part: Any, name: str) -> np.ndarray:
    """One channel as floats, (H, W)."""
    pixels = part.channels[name].pixels
    left, top, right, bottom = _corners(part.header["dataWindow"])
    # OpenEXR only warns of a file cut short, and hands out what it has.
    if pixels is None or getattr(pixels, "shape", ()) != (bottom - top + 1, right - left + 1):
        raise InputError(f"{path}: channel {name} is cut short or subsampled; save the file again as plain RGB")
    if pixels.dtype not in (np.float16, np.float32):
        raise InputError(f"{path}: channel {name} holds {pixels.dtype}, not light; save the file as half float RGB")
    return pixels


def _in_display_window(header: dict[str, Any], image: np.ndarray) -> np.ndarray:
    """Place (h, w, 3), which fills the data window, in the display window; float32."""
    if np.array_equal(header["dataWindow"], header["displayWindow"]):
        return image.astype(np.float32)
    left, top, right, bottom = _corners(header["displayWindow"])
    data_left, data_top, data_right, data_bottom = _corners(header["dataWindow"])
    result = np.zeros((bottom - top + 1, right - left + 1, 3), np.float32)
    first_x, last_x = max(left, data_left), min(right, data_right)
    first_y, last_y = max(top, data_top), min(bottom, data_bottom)
    if first_x <= last_x and first_y <= last_y:
        result[first_y - top : last_y - top + 1, first_x - left : last_x - left + 1] = image[
            first_y - data_top : last_y - data_top + 1, first_x - data_left : last_x - data_left + 1
        ]
    return result


def _corners(window: Any) -> tuple[int, int, int, int]:
    (left, top), (right, bottom) = window
    return int(left), int(top), int(right), int(bottom)


def _primaries(header: dict[str, Any]) -> Any:
    chromaticities = header.get("chromaticities")
    # Without them, a file's primaries are BT.709's (OpenEXR's technical introduction).
    return BT709 if chromaticities is None else named_primaries(tuple(float(value) for value in chromaticities))


def _timecode(timecode: Any) -> str | None:
    if timecode is None:
        return None
    separator = ";" if timecode.dropFrame else ":"
    return f"{timecode.hours:02d}:{timecode.minutes:02d}:{timecode.seconds:02d}{separator}{timecode.frame:02d}"
