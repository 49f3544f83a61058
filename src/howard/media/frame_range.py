"""Which frames of a clip are asked for."""

import re

from howard.errors import SettingsError, quoted
from howard.media.frame import ClipInfo

# Python refuses to read numbers of thousands of digits.
_NUMBER = r"\d{1,18}"


def choose_frames(frames: str | int | None, clip: ClipInfo) -> range:
    """Zero-based indices of ``frames``, such as "100-200" (both included) or "40"; all where None.

    Frames have the clip's own numbers. Raises SettingsError, naming the clip's range, where they are not in it.
    """
    if frames is None:
        return range(clip.frame_count)
    first, last = clip.first_number, clip.first_number + clip.frame_count - 1
    match = re.fullmatch(rf"\s*({_NUMBER})\s*(?:-\s*({_NUMBER})\s*)?", str(frames))
    if match is None:
        raise SettingsError(
            f"frames={quoted(frames)} is not a frame or a range; write frames=40 or frames={first}-{last}"
        )
    start, end = int(match[1]), int(match[2] or match[1])
    if start > end:
        raise SettingsError(f"frames={frames} ends before it begins; write frames={end}-{start}")
    if start < first or end > last:
        raise SettingsError(f"frames={frames} is outside {clip.path}, which has frames {first}-{last}")
    return range(start - first, end - first + 1)
