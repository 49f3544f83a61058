"""Timecode (SMPTE ST 12-1), "hh:mm:ss:ff", or "hh:mm:ss;ff" for drop-frame: parsing, shifting and unpacking."""

import re
from fractions import Fraction
from typing import NamedTuple


class Timecode(NamedTuple):
    """The parts of a timecode; ``drop`` says that it is drop-frame, which skips numbers to follow the clock."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    drop: bool


def parse_timecode(text: str) -> Timecode | None:
    """Parse "01:02:03:04", or "01:02:03;04" for drop-frame; None for any other text."""
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;.])(\d{2,3})", text.strip())
    if match is None:
        return None
    return Timecode(int(match[1]), int(match[2]), int(match[3]), int(match[5]), drop=match[4] != ":")


def shift_timecode(text: str, frames: int, rate: Fraction) -> str | None:
    """The timecode ``frames`` later, at ``rate`` frames per second; None if ``text`` is not a timecode.

    It wraps after 24 hours. Drop-frame timecode skips the first two frame numbers of every minute, except every tenth,
    at 29.97 frames per second, and the first four at 59.94.
    """
    start = parse_timecode(text)
    if start is None:
        return None
    base = max(1, round(rate))
    dropped = base // 15 if start.drop else 0
    minutes = 60 * start.hours + start.minutes
    count = (60 * minutes + start.seconds) * base + start.frames - dropped * (minutes - minutes // 10) + frames
    # Insert the dropped numbers: in every ten minutes, at the start of each minute but the first.
    tens, rest = divmod(count % (24 * 6 * (600 * base - 9 * dropped)), 600 * base - 9 * dropped)
    late = max(0, (rest - dropped) // (60 * base - dropped))
    number = tens * 600 * base + rest + late * dropped
    seconds, frame = divmod(number, base)
    separator = ";" if start.drop else ":"
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{separator}{frame:02d}"


def unpack_timecode(word: int) -> str | None:
    """The text of a timecode that is packed as in OpenEXR and DPX headers; None if it is not a valid time.

    ``word`` has 32 bits: binary-coded decimals, with flags in the spare bits (SMPTE ST 12-1).
    """
    pairs = ((word >> 24) & 0x3F, (word >> 16) & 0x7F, (word >> 8) & 0x7F, word & 0x3F)
    if any(pair & 0xF > 9 for pair in pairs):
        return None
    hours, minutes, seconds, frame = (10 * (pair >> 4) + (pair & 0xF) for pair in pairs)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if word & 0x40 else ':'}{frame:02d}"
