"""Opening pictures with OpenImageIO, and reading the values of their headers (``spec``: an ``oiio.ImageSpec``)."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from howard.media.orientation import Orientation, orientation_of_exif
from howard.media.stills.picture import Window, pixel_aspect, unreadable
from howard.media.timecode import unpack_timecode


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


def timecode_of(spec: Any) -> str | None:
    """The header's timecode, such as "01:02:03:04", or "01:02:03;04" for drop-frame; None where there is none."""
    words = numbers_of(spec, "smpte:TimeCode", 2)
    return None if words is None else unpack_timecode(int(words[0]))


def aspect_of(spec: Any) -> Fraction:
    """The shape of pixels that the header gives; 1 where there is none or an impossible one."""
    aspect = numbers_of(spec, "PixelAspectRatio", 1)
    return pixel_aspect(aspect[0] if aspect else None)


def profile_of(spec: Any) -> bytes:
    profile = spec.getattribute("ICCProfile")
    return profile.tobytes() if isinstance(profile, np.ndarray) else b""


def orientation_of(spec: Any) -> Orientation:
    """The header's orientation; upright if there is none."""
    return orientation_of_exif(number_of(spec, "Orientation", 1))


def read_profile_and_orientation(path: Path) -> tuple[bytes, Orientation]:
    """The ICC profile of a picture's header, empty if there is none, and its orientation."""
    with open_image(path) as source:
        spec = source.spec()
        return profile_of(spec), orientation_of(spec)


def frame_windows(spec: Any) -> tuple[Window, Window]:
    """The data window and the display window of the header."""
    data = Window(spec.x, spec.y, spec.x + spec.width, spec.y + spec.height)
    display = Window(spec.full_x, spec.full_y, spec.full_x + spec.full_width, spec.full_y + spec.full_height)
    return data, display
