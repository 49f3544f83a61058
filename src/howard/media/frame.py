"""The values that readers hand out: what a clip is, one picture of it, and which pictures are asked for."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.errors import InputError, SettingsError
from howard.frame_ranges import FrameRange, parse_frames, range_as_text


class DamagedFrameError(InputError):
    """One frame of a clip cannot be read, because data are missing or damaged; others may."""


class Frame(NamedTuple):
    """One picture of a clip.

    ``image`` is upright RGB, (H, W, 3), sRGB-encoded with BT.709 primaries: uint8, uint16 (0 to 65535), or float32,
    whose curve goes on above 1 and, for colours outside BT.709, below 0. All frames of a clip have one type. ``index``
    counts from zero; ``number`` is what the frame is called in output names (a video's first frame is 1, a sequence
    keeps its own numbers); ``time`` is in seconds since the first frame, exact. ``damaged`` says that data were missing
    for it, or for a frame that it is predicted from, and that part of the picture is made up.
    """

    image: np.ndarray
    index: int
    number: int
    time: Fraction
    damaged: bool = False


class WindowOrigin(NamedTuple):
    """Where a picture's top left pixel lies in its file's own coordinates, as an EXR's display window says."""

    x: int = 0
    y: int = 0


_NO_OFFSET = WindowOrigin()


class AudioTrack(NamedTuple):
    """One stream of sound: ``stream_index`` among all streams of the file, ``sample_rate`` in Hz."""

    stream_index: int
    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before its pictures are read.

    ``path`` is what was opened; ``files`` are the files behind it, in a sequence one a frame, in order; ``name`` is
    what a clip's output is called after. ``width`` and ``height`` are those of the upright picture; ``rotation`` is the
    counter-clockwise turn in degrees that made it so, after mirroring left to right where it is ``mirrored``.
    ``frame_rate`` is that of most frames where the rate varies, or else the mean, ``duration`` the seconds from the
    first frame to the end of the last. ``dtype`` is the type of the pictures: "uint8" for files
    of 8 bits, "uint16" for deeper ones, "float32" for HDR, wide gamut, log and linear light.

    ``matrix``, ``full_range``, ``primaries`` and ``transfer`` say how the file's values were read, in FFmpeg's names.
    ``pixel_aspect`` is 1 for square pixels. ``first_number`` is what frame 0 is called in output names, numbers
    have no gaps, and names have at least ``padding`` digits. ``timecode`` is that of the first frame, as written
    in the file. ``start_time`` is the first frame's place on the file's own clock, in seconds, which is also that of
    the ``audio`` tracks. ``notes`` are lines for a person: what was chosen of several things in the file, and what is
    not carried. EXR files are written with the ``window_origin`` of those read.
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
    """Zero-based indices of ``frames``, such as "100-200" (both included) or "40"; all frames if None.

    Frames are counted in the clip's own numbers. Raises SettingsError, with the clip's range and the setting's
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
