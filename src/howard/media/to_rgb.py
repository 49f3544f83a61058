"""From a decoded picture to upright RGB: the YCbCr matrix, the range and the rotation that the file asks for."""

from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

# H.273 code points of the tags that matter here.
_UNSPECIFIED = 2
_MATRIX_NAMES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
_MATRICES = {
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "bt470bg": Colorspace.ITU601,
    "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M,
    "bt2020nc": Colorspace.BT2020,
}
_PRIMARIES_NAMES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
_TRANSFER_NAMES = {1: "bt709", 6: "smpte170m", 8: "linear", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12"}
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}

# swscale's default rounds down and shares one chroma sample between two pixels; saturated colours then miss the
# standard's formula by up to two levels. These flags agree with the formula exactly.
_QUALITY = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class ColourTags(NamedTuple):
    """How a stream's values are to be read: FFmpeg's names; ``matrix`` is "rgb" where there is none to undo."""

    matrix: str
    full_range: bool
    primaries: str
    transfer: str
    hdr: str | None


def read_colour_tags(frame: av.VideoFrame) -> ColourTags:
    """Read a frame's tags, filling in what is missing as players do.

    Without a matrix tag, pictures below 720 lines are BT.601 and all others BT.709; without a range tag, YCbCr is
    limited range.
    """
    hdr = _HDR_TRANSFERS.get(int(frame.color_trc))
    primaries = _PRIMARIES_NAMES.get(int(frame.color_primaries), "bt709")
    transfer = _TRANSFER_NAMES.get(int(frame.color_trc), "bt709")
    if frame.format.is_rgb:
        return ColourTags("rgb", True, primaries, transfer, hdr)
    code = int(frame.colorspace)
    if code not in _MATRIX_NAMES:
        code = 1 if max(frame.height, frame.width * 9 // 16) >= 720 else 6
    full_range = int(frame.color_range) == ColorRange.JPEG
    return ColourTags(_MATRIX_NAMES[code], full_range, primaries, transfer, hdr)


class RgbConverter:
    """Converts the decoded frames of one stream; holds the scaler's tables between frames."""

    def __init__(self, tags: ColourTags) -> None:
        self._tags = tags
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """Return the upright picture, (H, W, 3) uint8 RGB. Only matrix and range are undone, never the transfer."""
        if self._tags.matrix == "rgb":
            converted = self._reformatter.reformat(frame, format="rgb24", interpolation=_QUALITY)
        else:
            converted = self._reformatter.reformat(
                frame,
                format="rgb24",
                src_colorspace=_MATRICES[self._tags.matrix],
                src_color_range=ColorRange.JPEG if self._tags.full_range else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                interpolation=_QUALITY,
            )
        return turn_upright(converted.to_ndarray(), quarter_turns(frame.rotation))


def quarter_turns(rotation: float) -> int:
    """Number of counter-clockwise quarter turns, 0-3, nearest to a rotation given in degrees counter-clockwise."""
    return round(rotation / 90) % 4


def turn_upright(image: np.ndarray, turns: int) -> np.ndarray:
    """Turn an (H, W, 3) picture counter-clockwise by ``turns`` quarter turns; the result is contiguous."""
    return np.ascontiguousarray(np.rot90(image, turns))
