"""Opening pictures with OpenImageIO, and reading the values of their headers (``spec``: an ``oiio.ImageSpec``)."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from howard.media.orientation import Orientation, orientation_of_exif
from howard.media.stills.picture import Window, pixel_aspect, unreadable_error
from howard.media.timecode import unpack_timecode


@contextmanager
def open_image(path: Path) -> Iterator[Any]:
    """Open a file as an ``oiio.ImageInput`` that returns straight colours. Raises InputError if it is not an image."""
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    try:
        source = oiio.ImageInput.open(str(path), config)
        reason = oiio.geterror()
    except UnicodeDecodeError:
        # The message contains undecodable bytes of the file.
        source, reason = None, "its header is damaged"
    if source is None:
        raise unreadable_error(path, reason)
    try:
        yield source
    finally:
        source.close()


def text_of(spec: Any, name: str) -> str:
    """A text attribute of the header; empty if it is missing, not text, or cannot be decoded."""
    try:
        value = spec.getattribute(name)
    except UnicodeDecodeError:
        return ""
    return value if isinstance(value, str) else ""


def numbers_of(spec: Any, name: str, count: int) -> tuple[float, ...] | None:
    """An attribute of the header with ``count`` numbers; None if it is missing or of another type."""
    try:
        values = np.ravel(spec.getattribute(name))
    except UnicodeDecodeError:
        return None
    return tuple(values.tolist()) if len(values) == count and values.dtype.kind in "iuf" else None


def number_of(spec: Any, name: str, default: int) -> int:
    """An integer attribute of the header; ``default`` if it is missing."""
    values = numbers_of(spec, name, 1)
    return int(values[0]) if values and np.isfinite(values[0]) else default


def read_error(source: Any) -> str:
    """The reader's error message since the last call; empty if there was none."""
    try:
        return source.geterror()
    except UnicodeDecodeError:
        return "its data are damaged"


def timecode_of(spec: Any) -> str | None:
    """The header's timecode, such as "01:02:03:04", or "01:02:03;04" for drop-frame; None if there is none."""
    words = numbers_of(spec, "smpte:TimeCode", 2)
    return None if words is None else unpack_timecode(int(words[0]))


def aspect_of(spec: Any) -> Fraction:
    """The header's pixel aspect ratio; 1 if it is missing or implausible."""
    aspect = numbers_of(spec, "PixelAspectRatio", 1)
    return pixel_aspect(aspect[0] if aspect else None)


def profile_of(spec: Any) -> bytes:
    """The header's ICC profile; empty if there is none."""
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
