"""EXR files as compositing programs expect them: half floats, premultiplied, scene-linear."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

from howard.colour import srgb_to_linear
from howard.errors import OutputError
from howard.media.files import whole_file
from howard.media.timecode import parse_timecode

EXR_COMPRESSIONS = {
    "zip": OpenEXR.ZIP_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
    "dwaa": OpenEXR.DWAA_COMPRESSION,
}
# Red, green, blue and white of BT.709 (table 1): x and y of each.
_BT709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
_LARGEST_HALF = 65504.0


def exr_pixels(rgba: np.ndarray) -> np.ndarray:
    """Straight sRGB-encoded RGBA, (H, W, 4) float32, as EXR stores it: premultiplied, linear light, float16."""
    alpha = rgba[..., 3]
    seen = alpha > 0
    pixels = np.zeros(rgba.shape, np.float16)
    # Most of a cut-out is empty, and the transfer curve is slow.
    premultiplied = srgb_to_linear(rgba[seen][:, :3]) * alpha[seen][:, None]
    pixels[seen, :3] = premultiplied.clip(-_LARGEST_HALF, _LARGEST_HALF)
    pixels[..., 3] = alpha
    return pixels


def write_exr(
    path: Path,
    pixels: np.ndarray,
    *,
    compression: str = "zip",
    frame_rate: Fraction | None = None,
    pixel_aspect: Fraction = Fraction(1),
    timecode: str | None = None,
) -> None:
    """Write (H, W, 4) float16 RGBA, linear light with BT.709 primaries; ``timecode`` is this frame's own."""
    header: dict[str, Any] = {
        "type": OpenEXR.scanlineimage,
        "compression": EXR_COMPRESSIONS[compression],
        "chromaticities": _BT709,
        "pixelAspectRatio": float(pixel_aspect),
    }
    if frame_rate is not None:
        header["framesPerSecond"] = frame_rate
    parsed = parse_timecode(timecode) if timecode else None
    if parsed:
        header["timeCode"] = OpenEXR.TimeCode(
            parsed.hours, parsed.minutes, parsed.seconds, parsed.frames, parsed.drop, *[False] * 5, *[0] * 8
        )
    with whole_file(path) as temporary:
        try:
            OpenEXR.File(header, {"RGBA": pixels}).write(str(temporary))
        except RuntimeError as error:
            # It begins with the temporary name; what matters comes after.
            reason = str(error).rpartition('". ')[2].rstrip(".")
            raise OutputError(f"{path} cannot be written ({reason}); check space and permissions") from error
