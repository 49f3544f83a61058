"""Reading one picture from its file."""

from pathlib import Path

import cv2
import numpy as np

from howard.errors import InputError
from howard.media.depth import to_depth
from howard.media.picture import StillPicture
from howard.media.primaries import BT709
from howard.media.working_space import ColourTags, WorkingSpace

STILL_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".exr"})


def read_picture(path: Path) -> StillPicture:
    """Read a still at its own depth; an alpha channel is left out. Raises InputError where it cannot be read."""
    try:
        encoded = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    if not encoded.size:
        raise InputError(f"{path} is empty; copy or render it again")
    if path.suffix.lower() == ".exr":
        # Only who has EXR files waits for OpenEXR to load.
        from howard.media.exr_reading import read_exr

        return read_exr(path)
    try:
        # ANYDEPTH, or OpenCV cuts 16 bits to 8 without rounding.
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        image = None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path} cannot be read as a still of 8 or 16 bits; save it again as PNG or JPEG")
    pixel_format = "rgb24" if image.dtype == np.uint8 else "rgb48le"
    tags = ColourTags("rgb", True, BT709, "iec61966-2-1")
    return StillPicture(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), pixel_format, tags)


def read_still(path: Path) -> np.ndarray:
    """Read a still in the working space, upright: RGB, (H, W, 3) uint8; deeper ones are rounded and held to 1."""
    picture = read_picture(path)
    return to_depth(WorkingSpace(picture.tags)(picture.image), np.uint8)
