"""The values that readers return: a clip's properties and its frames; and the selection of a frame range."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.errors import InputError, SettingsError
from howard.frame_ranges import FrameRange, parse_frames, range_as_text


class DamagedFrameError(InputError):
    """A frame cannot be read because its data are missing or damaged; other frames of the clip may be readable."""


class Frame(NamedTuple):
    """One frame of a clip.

    Attributes:
        image: upright RGB, (H, W, 3), sRGB-encoded with BT.709 primaries: uint8, uint16 (0 to 65535), or float32, which
            may exceed 1 (HDR) and be negative (colours outside BT.709). All frames of a clip have the same dtype.
        index: zero-based.
        number: the number in output file names: 1 for a video's first frame; an image sequence has its own numbers.
        time: exact seconds since the first frame.
        damaged: whether data were missing for this frame or for one that it is predicted from, so that the decoder
            has concealed part of the image.
    """

    image: np.ndarray
    index: int
    number: int
    time: Fraction
    damaged: bool = False


class WindowOrigin(NamedTuple):
    """The coordinates of the top left pixel of an EXR file's display window."""

    x: int = 0
    y: int = 0


_NO_OFFSET = WindowOrigin()


class AudioTrack(NamedTuple):
    """An audio stream: ``stream_index`` counts all streams of the file, ``sample_rate`` is in Hz."""

    stream_index: int
    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class ClipInfo:
    """The properties of a clip, known before its frames are read.

    Attributes:
        path: the file, folder or pattern that was opened.
        files: the clip's files; of an image sequence, one per frame in order.
        name: the base name of output files.
        width, height: size of the upright image in pixels.
        frame_count: number of frames.
        frame_rate: frames per second; of a variable frame rate, that of most frames, or else the mean.
        duration: seconds from the beginning of the first frame to the end of the last.
        pixel_format: the file's pixel format, by FFmpeg's name.
        dtype: dtype of the images: "uint8" for 8-bit files, "uint16" for higher bit depths, "float32" for HDR, wide
            gamut, log and linear light.
        rotation: counter-clockwise rotation in degrees that was applied to the stored image.
        mirrored: whether the stored image was mirrored left to right before the rotation.
        matrix, full_range, primaries, transfer: how the file's values were interpreted, by FFmpeg's names.
        pixel_aspect: width of a pixel over its height.
        first_number: number of frame 0 in output names; the numbers are consecutive.
        padding: least number of digits of frame numbers in output names.
        timecode: timecode of the first frame, as written in the file; None if there is none.
        start_time: presentation time of the first frame in seconds, on the file's clock, which ``audio`` shares.
        audio: the tracks that can be copied to or encoded for a movie.
        notes: lines for the user: which of several streams is read, what is left out, which tags are ignored.
        window_origin: origin of the display window, for EXR files.
    """

    path: Path
    files: tuple[Path, ...]
    name: str
    width: int
    height: int
    frame_count: int
    frame_rate: Fraction
    duration: Fraction
    pixel_format: str
    dtype: str = "uint8"
    rotation: int = 0
    mirrored: bool = False
    matrix: str = "rgb"
    full_range: bool = True
    primaries: str = "bt709"
    transfer: str = "iec61966-2-1"
    pixel_aspect: Fraction = Fraction(1)
    first_number: int = 1
    padding: int = 4
    timecode: str | None = None
    start_time: Fraction = Fraction(0)
    audio: tuple[AudioTrack, ...] = ()
    notes: tuple[str, ...] = ()
    window_origin: WindowOrigin = _NO_OFFSET


def choose_frames(frames: FrameRange | None, clip: ClipInfo, name: str = "frames") -> range:
    """The zero-based indices of a frame range such as "100-200" (both included) or "40"; all frames if None.

    The range is in the clip's own frame numbers. Raises SettingsError, with the clip's range and the setting's
    ``name``, if it is not a range or not within the clip.
    """
    if frames is None:
        return range(clip.frame_count)
    first, last = clip.first_number, clip.first_number + clip.frame_count - 1
    start, end = parse_frames(frames, first, last, name)
    if start < first or end > last:
        raise SettingsError(
            f"{name}={range_as_text(frames, name)} is outside {clip.path}, which has frames {first}-{last}"
        )
    return range(start - first, end - first + 1)
