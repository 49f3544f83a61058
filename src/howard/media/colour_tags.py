"""The colour tags of video frames: code points of ITU-T H.273, read as players do."""

from pathlib import Path

import av
from av.video.reformatter import ColorRange

from howard.media.colour_names import apply_colour_name
from howard.media.colours.h273 import read_code_points
from howard.media.primaries import BT709
from howard.media.working_space import ColourTags

_UNSPECIFIED = 2
_HIGH_DEFINITION_LINES = 720
# Pixel formats whose matrix tag means nothing.
_GREY = ("gray", "mono", "ya")


def read_colour_tags(path: Path, frame: av.VideoFrame, colour: str | None = None) -> ColourTags:
    """Read a decoded frame's tags, or what ``colour``, one of COLOUR_NAMES, says in their place.

    Raises InputError, naming the tag, for one that is there but cannot be read; SettingsError where ``colour`` is
    unknown.
    """
    return apply_colour_name(frame_colour_tags(frame), colour, path)


def frame_colour_tags(frame: av.VideoFrame) -> ColourTags:
    """What a frame's tags say; those that cannot be read are named in ``unknown``.

    What is missing is filled in as players do: without a matrix tag, pictures below 720 lines are BT.601 and all others
    BT.709; without a range tag, YCbCr is limited range.
    """
    name, is_rgb = frame.format.name, frame.format.is_rgb
    if name.startswith("xyz"):
        # The scaler turns the XYZ of digital cinema into RGB with BT.709's primaries and a display's curve.
        return ColourTags("rgb", True, BT709, "iec61966-2-1")
    has_matrix = not is_rgb and not name.startswith(_GREY)
    matrix = int(frame.colorspace) if has_matrix else _UNSPECIFIED
    said = read_code_points(int(frame.color_primaries), int(frame.color_trc), matrix)
    tags = ColourTags("rgb", True, said.primaries or BT709, said.transfer or "bt709", unknown=said.unknown)
    if is_rgb:
        return tags
    is_high_definition = max(frame.height, frame.width * 9 // 16) >= _HIGH_DEFINITION_LINES
    guessed = "bt709" if is_high_definition else "smpte170m"
    # YCbCr that claims to be RGB is taken for untagged.
    stated = said.matrix if said.matrix != "rgb" else None
    return tags._replace(matrix=stated or guessed, full_range=int(frame.color_range) == ColorRange.JPEG)
