"""EXR files as compositing programs expect them: half floats, premultiplied, scene-linear.

Written by OpenEXR's own module: through OpenImageIO it takes 1.4 to 2.2 times as long (benchmarks/media.py).
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

from howard.colour import srgb_to_linear
from howard.errors import OutputError
from howard.media.colours.output_colour import OutputColour, choose_output_colour
from howard.media.files import atomic_file
from howard.media.frame import WindowOrigin
from howard.media.timecode import parse_timecode
from howard.media.working_space import LARGEST_HALF

EXR_COMPRESSIONS = {
    "zip": OpenEXR.ZIP_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
    "dwaa": OpenEXR.DWAA_COMPRESSION,
}
LINEAR_BT709 = choose_output_colour(None)
_NO_OFFSET = WindowOrigin()


def exr_pixels(rgba: np.ndarray, colour: OutputColour = LINEAR_BT709, is_straight: bool = False) -> np.ndarray:
    """Straight sRGB-encoded RGBA, (H, W, 4) float32, as EXR stores it: in ``colour``, float16.

    Premultiplied, unless it is to stay ``is_straight``; pixels without alpha are black in both.
    """
    alpha = rgba[..., 3]
    seen = alpha > 0
    pixels = np.zeros(rgba.shape, np.float16)
    # Most of a cut-out is empty, and the transfer curve is slow.
    values = colour(srgb_to_linear(rgba[seen][:, :3]))
    if not is_straight:
        values = values * alpha[seen][:, None]
    pixels[seen, :3] = values.clip(-LARGEST_HALF, LARGEST_HALF)
    pixels[..., 3] = alpha
    return pixels


def write_exr(
    path: Path,
    pixels: np.ndarray,
    layers: Mapping[str, np.ndarray] | None = None,
    *,
    compression: str = "zip",
    frame_rate: Fraction | None = None,
    pixel_aspect: Fraction = Fraction(1),
    timecode: str | None = None,
    colour: OutputColour = LINEAR_BT709,
    window_origin: WindowOrigin = _NO_OFFSET,
) -> None:
    """Write (H, W, 4) float16 RGBA, whose values are those of ``colour``; ``timecode`` is this frame's own.

    ``layers`` are further channels, (H, W) float16, by their full names; all are in one part. Both windows are the
    whole picture, from ``window_origin`` on. Raises OutputError where it cannot be written.
    """
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width - 1, height - 1]], np.int32) + np.array(window_origin, np.int32)
    header: dict[str, Any] = {
        "type": OpenEXR.scanlineimage,
        "compression": EXR_COMPRESSIONS[compression],
        "pixelAspectRatio": float(pixel_aspect),
        "dataWindow": tuple(corners),
        "displayWindow": tuple(corners),
    }
    if colour.primaries is not None:
        header["chromaticities"] = tuple(float(value) for value in np.ravel(colour.primaries[1:]))
    if colour.interop_id:
        header["colorInteropID"] = colour.interop_id
    if frame_rate is not None:
        header["framesPerSecond"] = frame_rate
    parsed = parse_timecode(timecode) if timecode else None
    if parsed:
        header["timeCode"] = OpenEXR.TimeCode(
            parsed.hours, parsed.minutes, parsed.seconds, parsed.frames, parsed.drop, *[False] * 5, *[0] * 8
        )
    with atomic_file(path) as temporary:
        try:
            OpenEXR.File(header, {"RGBA": pixels, **(layers or {})}).write(str(temporary))
        except RuntimeError as error:
            # It begins with the temporary name; what matters comes after.
            reason = str(error).rpartition('". ')[2].rstrip(".")
            raise OutputError(f"{path} cannot be written ({reason}); check space and permissions") from error
