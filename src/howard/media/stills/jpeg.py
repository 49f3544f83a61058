"""JPEG, through libjpeg-turbo, whose complaints `OpenImageIO` would keep to itself: a damaged file is said to be so."""

from pathlib import Path

import simplejpeg

from howard.media.orientation import make_upright
from howard.media.stills.oiio_input import read_profile_and_orientation
from howard.media.stills.oiio_stills import read_image
from howard.media.stills.picture import StillPicture, check_size, colour_of_profile, damaged


def read_jpeg(path: Path, encoded: bytes) -> StillPicture:
    """Read a JPEG file, upright as its EXIF orientation asks; raises DamagedFrameError where the decoder complained."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(encoded)
    except ValueError:
        # Of rare subsampling or cut short in its header: OpenImageIO knows which.
        return read_image(path)
    if colours in ("CMYK", "YCCK"):
        return read_image(path)
    check_size(path, int(width), int(height))
    profile, orientation = read_profile_and_orientation(path)
    try:
        image = simplejpeg.decode_jpeg(encoded, strict=True)
    except ValueError as error:
        raise damaged(path, str(error)) from error
    colour = colour_of_profile(profile)
    return StillPicture(make_upright(image, orientation), "rgb24", colour.tags, notes=colour.notes)
