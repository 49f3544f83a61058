"""The two values that readers hand out: what a clip is, and one picture of it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Frame(NamedTuple):
    """One picture of a clip.

    ``image`` is RGB, (H, W, 3), uint8 or uint16, sRGB-encoded code values, upright. ``index`` counts from zero;
    ``number`` is what the frame is called in output names (a video's first frame is 1); ``time`` is in seconds since
    the first frame, exact.
    """

    image: np.ndarray
    index: int
    number: int
    time: Fraction


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before its pictures are read.

    ``width`` and ``height`` are those of the upright picture, ``rotation`` the counter-clockwise turn in degrees that
    made it so. ``matrix``, ``full_range``, ``primaries`` and ``transfer`` say how the file's values were read, in
    FFmpeg's names. ``pixel_aspect`` is 1 for square pixels. ``first_number`` is what frame 0 is called in output names.
    """

    path: Path
    width: int
    height: int
    frame_count: int
    frame_rate: Fraction
    pixel_format: str
    rotation: int = 0
    matrix: str = "rgb"
    full_range: bool = True
    primaries: str = "bt709"
    transfer: str = "iec61966-2-1"
    pixel_aspect: Fraction = Fraction(1)
    first_number: int = 1
