"""Which frames of a clip are asked for, and how fast they follow one another."""

import re
from fractions import Fraction

from howard.errors import InputError, SettingsError
from howard.media import ClipInfo


def choose_frames(frames: str | None, clip: ClipInfo) -> range:
    """Zero-based indices of ``frames``, such as "100-200" (both included) or "40"; all where None.

    Frames are counted as in output names. Raises SettingsError, naming the clip's range, where they are not in it.
    """
    if frames is None:
        return range(clip.frame_count)
    first, last = clip.first_number, clip.first_number + clip.frame_count - 1
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(frames))
    if match is None:
        raise SettingsError(f"frames={frames} is not a frame or a range; write frames=40 or frames={first}-{last}")
    start, end = int(match[1]), int(match[2] or match[1])
    if start > end:
        raise SettingsError(f"frames={frames} ends before it begins; write frames={end}-{start}")
    if start < first or end > last:
        raise SettingsError(f"frames={frames} is outside {clip.path}, which has frames {first}-{last}")
    return range(start - first, end - first + 1)


# Below this the network has nothing to see.
_SMALLEST_SIDE = 64


def refuse_tiny(clip: ClipInfo) -> None:
    """Raise InputError where a clip's pictures are too small to be matted."""
    if min(clip.width, clip.height) < _SMALLEST_SIDE:
        raise InputError(
            f"{clip.path} is {clip.width}x{clip.height}; both sides need {_SMALLEST_SIDE} pixels at least, scale it up"
        )


def read_frame_rate(rate: str | Fraction | None) -> Fraction | None:
    """A frame rate written as "24", "23.976" or "24000/1001"; raises SettingsError where it is none."""
    if rate is None:
        return None
    try:
        number = Fraction(rate)
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if number <= 0:
        raise SettingsError(f"frame_rate={rate} is not a frame rate; write frame_rate=24 or frame_rate=24000/1001")
    return number
