"""DPX (SMPTE ST 268): the header's transfer characteristic and frame rate, and files with padded rows."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from howard.media.primaries import BT709
from howard.media.stills.picture import SRGB_TAGS, damage_error
from howard.media.to_rgb import RgbConverter
from howard.media.working_space import ColourTags

# Transfer characteristics by OpenImageIO's names; both kinds of density use Cineon's convention. Those missing here
# do not describe light.
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
_STANDARD_FRAME_RATES = (
    *map(Fraction, (24, 25, 30, 48, 50, 60)),
    *(Fraction(1000 * nominal, 1001) for nominal in (24, 30, 60)),
)
# Frames per second; headers contain 32-bit floats, often rounded to decimals.
_FRAME_RATE_TOLERANCE = 1e-3
_WORD_BYTES = 4


def tags_of_transfer(transfer: str) -> ColourTags:
    """The colour tags for a transfer characteristic, by OpenImageIO's name."""
    if transfer not in _TRANSFERS:
        return SRGB_TAGS._replace(unknown=f"the DPX transfer characteristic {transfer!r}")
    return SRGB_TAGS._replace(transfer=_TRANSFERS[transfer])


def frame_rate(stated: tuple[float, ...] | None) -> Fraction | None:
    """The standard frame rate nearest to the header's value; None if none matches, as in undefined fields."""
    rate = stated[0] if stated else 0.0
    return next((each for each in _STANDARD_FRAME_RATES if abs(rate - each) < _FRAME_RATE_TOLERANCE), None)


def needs_padding(width: int, channels: int, sample: str) -> bool:
    """Whether rows with samples of type ``sample`` ("uint8", "uint16") end inside a 32-bit word.

    The standard requires padding such rows, which some writers omit. OpenImageIO expects rows without padding.
    """
    return width * channels * np.dtype(sample).itemsize % _WORD_BYTES != 0


def read_padded(path: Path) -> np.ndarray:
    """The stored values, (H, W, 3) uint8 or uint16, read with FFmpeg, which detects padding by the file's size."""
    try:
        with av.open(f"file:{path}", "r", format="dpx_pipe", metadata_errors="replace") as container:
            frame = next(container.decode(video=0))
    except (av.FFmpegError, StopIteration) as error:
        raise damage_error(path, getattr(error, "strerror", None) or "its data are incomplete") from error
    matrix = "rgb" if frame.format.is_rgb else "bt709"
    return RgbConverter(frame, ColourTags(matrix, True, BT709, "iec61966-2-1")).as_stored(frame)
