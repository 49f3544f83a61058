"""What DPX files mean by their headers (SMPTE ST 268), and those whose rows OpenImageIO takes for longer or shorter."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from howard.media.primaries import BT709
from howard.media.stills.picture import SRGB_TAGS, damaged
from howard.media.to_rgb import RgbConverter
from howard.media.working_space import ColourTags

# Transfer characteristics in OpenImageIO's words, with Cineon's convention for both kinds of density. Those not here
# name no light.
_TRANSFERS = {
    "Printing density": "cineon",
    "Logarithmic": "cineon",
    "Linear": "linear",
    "User defined": "bt709",
    "Undefined": "bt709",
    "": "bt709",
    "Unspecified video": "bt709",
    "SMPTE 274M": "bt709",
    "ITU-R 709-4": "bt709",
    "ITU-R 601-5 system B or G": "bt709",
    "ITU-R 601-5 system M": "bt709",
    "NTSC composite video": "bt709",
    "PAL composite video": "bt709",
}
_STANDARD_RATES = (*map(Fraction, (24, 25, 30, 48, 50, 60)), *(Fraction(1000 * rate, 1001) for rate in (24, 30, 60)))
# Headers hold rates as 32-bit floats, rounded by hand.
_SAME_RATE = 1e-3
_WORD_BYTES = 4


def tags_of_transfer(transfer: str) -> ColourTags:
    """How values of a transfer characteristic, in OpenImageIO's words, are to be read."""
    if transfer not in _TRANSFERS:
        return SRGB_TAGS._replace(unknown=f"the DPX transfer characteristic {transfer!r}")
    return SRGB_TAGS._replace(transfer=_TRANSFERS[transfer])


def frame_rate(stated: tuple[float, ...] | None) -> Fraction | None:
    """The standard rate that a header's float stands for; None for others, which unset fields happen to hold."""
    rate = stated[0] if stated else 0.0
    return next((standard for standard in _STANDARD_RATES if abs(rate - standard) < _SAME_RATE), None)


def needs_padding(width: int, channels: int, sample: str) -> bool:
    """Whether rows of ``sample`` ("uint8", "uint16") end inside a 32-bit word.

    The standard fills the word up, some writers do not, and OpenImageIO expects that none does.
    """
    return width * channels * np.dtype(sample).itemsize % _WORD_BYTES != 0


def read_padded(path: Path) -> np.ndarray:
    """The picture, (H, W, 3) uint8 or uint16 as stored, by FFmpeg, which tells padded rows by the file's size."""
    try:
        with av.open(f"file:{path}", "r", format="dpx_pipe", metadata_errors="replace") as container:
            frame = next(container.decode(video=0))
    except (av.FFmpegError, StopIteration) as error:
        raise damaged(path, getattr(error, "strerror", None) or "its data end early") from error
    matrix = "rgb" if frame.format.is_rgb else "bt709"
    return RgbConverter(frame, ColourTags(matrix, True, BT709, "iec61966-2-1")).as_stored(frame)
