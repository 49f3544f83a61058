"""JPEG, read with libjpeg-turbo, since OpenImageIO does not report damaged data."""

from pathlib import Path

import simplejpeg

from howard.media.orientation import make_upright
from howard.media.stills.oiio_input import read_profile_and_orientation
from howard.media.stills.oiio_stills import read_image
from howard.media.stills.picture import StillPicture, check_pixel_count, colour_of_profile, damage_error


def read_jpeg(path: Path, encoded: bytes) -> StillPicture:
    """Read a JPEG file, upright by its EXIF orientation; raises DamagedFrameError if the decoder reports damage."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(encoded)
    except ValueError:
        # Unsupported subsampling or a truncated header; OpenImageIO reads the former and reports the latter.
        return read_image(path)
    if colours in ("CMYK", "YCCK"):
        return read_image(path)
    check_pixel_count(path, int(width), int(height))
    profile, orientation = read_profile_and_orientation(path)
    try:
        image = simplejpeg.decode_jpeg(encoded, strict=True)
    except ValueError as error:
        raise damage_error(path, str(error)) from error
    colour = colour_of_profile(profile)
    return StillPicture(make_upright(image, orientation), "rgb24", colour.tags, notes=colour.notes)
