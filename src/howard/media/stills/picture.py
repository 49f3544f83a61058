"""One picture as its file holds it, and what all readers of pictures share."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.errors import InputError
from howard.media.colours.icc import IccError, read_icc
from howard.media.frame import DamagedFrameError, WindowOrigin
from howard.media.orientation import UPRIGHT, Orientation
from howard.media.primaries import BT709
from howard.media.working_space import ColourTags

# A picture of this many pixels, 16384 x 16384, takes 3 GB as float32; larger ones are seldom true.
LARGEST_PIXELS = 2**28
# Shapes of pixels beyond these are damage.
_NARROWEST_PIXEL = Fraction(1, 10)
_WIDEST_PIXEL = Fraction(10)
SRGB_TAGS = ColourTags("rgb", True, BT709, "iec61966-2-1")
PIXEL_FORMATS = {"uint8": "rgb24", "uint16": "rgb48le", "float16": "rgbf16le", "float32": "rgbf32le"}


class StillPicture(NamedTuple):
    """A picture as its file holds it, upright: RGB, (H, W, 3), uint8, uint16 or float32, read as ``tags`` says.

    ``frame_rate`` and ``timecode`` are None where the file does not say. ``notes`` are one line each on what the file
    says and is not followed.
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
    """A rectangle of pixels in a file's own coordinates; the right and bottom ends are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top


class StatedColour(NamedTuple):
    """How a still's values are to be read, and what of its colour is not followed."""

    tags: ColourTags
    notes: tuple[str, ...] = ()


def unreadable(path: Path, reason: str) -> InputError:
    """What to say of a file that is no picture, or of a kind that is not read."""
    return InputError(f"{path} cannot be read as a still ({_first_line(path, reason)}); save it again as PNG or TIFF")


def damaged(path: Path, reason: str) -> DamagedFrameError:
    """What to say of a picture whose decoder complained."""
    text = f"{path} cannot be read as a still: it is damaged ({_first_line(path, reason)}); copy or render it again"
    return DamagedFrameError(text)


def check_size(path: Path, width: int, height: int) -> None:
    """Raise InputError for a picture that memory cannot be asked for, or that has no pixels."""
    if width < 1 or height < 1:
        raise unreadable(path, f"it claims {width}x{height} pixels")
    if width * height > LARGEST_PIXELS:
        raise InputError(
            f"{path} claims {width}x{height} pixels; more than {LARGEST_PIXELS // 10**6} million are not read; "
            "scale it down, or copy it again if it is smaller"
        )


def place_in_window(image: np.ndarray, data: Window, display: Window) -> np.ndarray:
    """Place (h, w, 3), which fills the window ``data``, in the window ``display``; black elsewhere."""
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
    if not _NARROWEST_PIXEL <= aspect <= _WIDEST_PIXEL:
        return Fraction(1)
    return 1 / aspect if orientation.swapped else aspect


def colour_of_profile(profile: bytes, base: ColourTags = SRGB_TAGS) -> StatedColour:
    """Tags from an ICC profile; ``base`` where there is none or it cannot be used, which is then noted."""
    if not profile:
        return StatedColour(base)
    try:
        colour = read_icc(profile)
    except IccError as error:
        return StatedColour(base, (f"its ICC profile is ignored: {error}",))
    return StatedColour(base._replace(primaries=colour.primaries, transfer=colour.transfer, curve=colour.curve))


def _first_line(path: Path, reason: str) -> str:
    """A library's reason without the path, which it repeats, and without what only its makers understand."""
    line = next(iter(reason.replace(str(path), path.name).strip().splitlines()), "") or "no reason given"
    return line.rstrip(".")
