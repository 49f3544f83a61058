"""Frame ranges: parsed from the forms that users give them in, and formatted as text. Standard library only."""

import re
from collections.abc import Sequence
from typing import Any

from howard.errors import SettingsError, quoted

# "100-200" or "40" as text, a single number, range(100, 201), or the pair (100, 200); all but range include the end.
FrameRange = str | int | range | tuple[int, int]
# Python refuses to parse numbers of thousands of digits.
_NUMBER = r"\d{1,18}"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*(?:-\s*({_NUMBER})\s*)?")
# Runs of consecutive frames that are listed before "and N more".
_MAX_RUNS = 8


def range_as_text(frames: Any, name: str = "frames") -> Any:
    """A range or a pair of frame numbers as text: "10-20" for ``range(10, 21)`` and for ``(10, 20)``.

    Any other value is returned unchanged. Raises SettingsError, with the setting's ``name``, for an empty range or one
    with a step, and for sequences that are not a pair of whole numbers.
    """
    if isinstance(frames, range):
        if not frames or frames.step != 1:
            raise SettingsError(f"{name}={quoted(frames)} is empty or has a step; give consecutive frames")
        frames = frames[0], frames[-1]
    if not isinstance(frames, list | tuple):
        return frames
    if len(frames) != 2 or not all(isinstance(each, int) and not isinstance(each, bool) for each in frames):
        raise SettingsError(f"{name}={quoted(frames)} is not a first and a last frame; write {name}=(10, 20)")
    return f"{frames[0]}-{frames[1]}"


def parse_frames(frames: FrameRange, first: int, last: int, name: str = "frames") -> tuple[int, int]:
    """The first and the last frame number of a range; of a single number, that number twice.

    Raises SettingsError, with the setting's ``name`` and the clip's frames ``first`` to ``last`` as an example, if it
    is not a range or if it ends before it begins. Whether the clip has the frames is not checked.
    """
    text = range_as_text(frames, name)
    match = _RANGE.fullmatch(str(text))
    if match is None:
        raise SettingsError(
            f"{name}={quoted(text)} is not a frame or a range; write {name}=40 or {name}={first}-{last}"
        )
    start, end = int(match[1]), int(match[2] or match[1])
    if start > end:
        raise SettingsError(f"{name}={text} ends before it begins; write {name}={end}-{start}")
    return start, end


def count_in_words(count: int) -> str:
    """A number of frames as text: "1 frame", "40 frames"."""
    return f"{count} frame{'' if count == 1 else 's'}"


def format_frames(numbers: Sequence[int], max_runs: int = _MAX_RUNS) -> str:
    """Sorted frame numbers as text, such as "frames 3-7, 12 and 40 more"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    named = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:max_runs])
    left = sum(len(run) for run in runs[max_runs:])
    return f"{'frames' if len(numbers) > 1 else 'frame'} {named}" + (f" and {left} more" if left else "")
