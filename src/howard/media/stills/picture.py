"""A still as read from its file, and the helpers that its readers have in common."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.errors import InputError
from howard.media.colours.h273 import read_code_points
from howard.media.colours.icc import IccError, read_icc
from howard.media.frame import DamagedFrameError, WindowOrigin
from howard.media.orientation import UPRIGHT, Orientation
from howard.media.primaries import BT709
from howard.media.working_space import ColourTags

# Pixels of the largest image that is read, 16384 x 16384, which takes 3 GB as float32. Larger sizes are mostly damage.
MAX_PIXELS = 2**28
# Pixel aspect ratios outside this range are treated as damage.
_MIN_PIXEL_ASPECT = Fraction(1, 10)
_MAX_PIXEL_ASPECT = Fraction(10)
SRGB_TAGS = ColourTags("rgb", True, BT709, "iec61966-2-1")
PIXEL_FORMATS = {"uint8": "rgb24", "uint16": "rgb48le", "float16": "rgbf16le", "float32": "rgbf32le"}


class StillPicture(NamedTuple):
    """A still in its file's own colour space, to be interpreted by ``tags``.

    ``image`` is upright RGB, (H, W, 3), uint8, uint16 or float32. ``frame_rate`` and ``timecode`` are None if the file
    has none. ``notes`` are lines for the user about metadata that are ignored.
    """

    image: np.ndarray
    pixel_format: str
    tags: ColourTags = SRGB_TAGS
    pixel_aspect: Fraction = Fraction(1)
    frame_rate: Fraction | None = None
    timecode: str | None = None
    window_origin: WindowOrigin = WindowOrigin()
    notes: tuple[str, ...] = ()


class Window(NamedTuple):
    """A rectangle of pixels in the coordinates of a file; ``right`` and ``bottom`` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top


class StillColour(NamedTuple):
    """The colour tags of a still, and notes for the user about colour metadata that are ignored."""

    tags: ColourTags
    notes: tuple[str, ...] = ()


def unreadable_error(path: Path, reason: str) -> InputError:
    """The error to raise for a file that is not an image or of an unsupported kind."""
    return InputError(f"{path} cannot be read as a still ({_first_line(path, reason)}); save it again as PNG or TIFF")


def damage_error(path: Path, reason: str) -> DamagedFrameError:
    """The error to raise for an image whose decoder reported damage."""
    return DamagedFrameError(
        f"{path} cannot be read as a still: it is damaged ({_first_line(path, reason)}); copy or render it again"
    )


def check_pixel_count(path: Path, width: int, height: int) -> None:
    """Raise InputError for an image that has no pixels or more than MAX_PIXELS."""
    if width < 1 or height < 1:
        raise unreadable_error(path, f"it has {width}x{height} pixels")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{path} has {width}x{height} pixels, more than the {MAX_PIXELS // 10**6} million that are supported; "
            "scale it down, or copy it again if it is smaller"
        )


def place_in_window(image: np.ndarray, data: Window, display: Window) -> np.ndarray:
    """Copy an image, (h, w, 3), from its data window to the display window; black outside the data window."""
    if data == display:
        return image
    width, height = display.size
    result = np.zeros((height, width, 3), np.float32)
    left, right = max(data.left, display.left), min(data.right, display.right)
    top, bottom = max(data.top, display.top), min(data.bottom, display.bottom)
    if left < right and top < bottom:
        result[top - display.top : bottom - display.top, left - display.left : right - display.left] = image[
            top - data.top : bottom - data.top, left - data.left : right - data.left
        ]
    return result


def pixel_aspect(value: float | Fraction | None, orientation: Orientation = UPRIGHT) -> Fraction:
    """The pixel aspect ratio (width / height) of the upright picture; 1 if the file has none or an implausible one."""
    if value is None or not np.isfinite(float(value)):
        return Fraction(1)
    aspect = Fraction(value).limit_denominator(10000)
    if not _MIN_PIXEL_ASPECT <= aspect <= _MAX_PIXEL_ASPECT:
        return Fraction(1)
    return 1 / aspect if orientation.swapped else aspect


def tags_of_code_points(primaries: int, transfer: int) -> ColourTags:
    """The colour tags of full-range RGB with H.273 code points; sRGB if they are unspecified."""
    points = read_code_points(primaries, transfer)
    return ColourTags("rgb", True, points.primaries or BT709, points.transfer or "iec61966-2-1", unknown=points.unknown)


def colour_of_profile(profile: bytes, base: ColourTags = SRGB_TAGS) -> StillColour:
    """The colour of an ICC profile; ``base`` if it is empty or cannot be used, with a note in the second case."""
    if not profile:
        return StillColour(base)
    try:
        colour = read_icc(profile)
    except IccError as error:
        return StillColour(base, (f"its ICC profile is ignored: {error}",))
    return StillColour(base._replace(primaries=colour.primaries, transfer=colour.transfer, curve=colour.curve))


def _first_line(path: Path, reason: str) -> str:
    """The first line of a library's message, with the path shortened to the file name."""
    line = next(iter(reason.replace(str(path), path.name).strip().splitlines()), "") or "unknown error"
    return line.rstrip(".")
