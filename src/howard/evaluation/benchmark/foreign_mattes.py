"""Scores a folder of mattes that another program made of a clip."""

import re
from collections.abc import Sequence
from pathlib import Path

from howard.errors import InputError
from howard.evaluation.benchmark.clip_report import FOREIGN, ClipReport
from howard.evaluation.benchmark.method_scores import MethodScores
from howard.evaluation.predictions import check_size, matte_files, read_cutout
from howard.evaluation.true_clip import TrueClip, files_digest, read_factor
from howard.media import choose_frames, open_reader
from howard.progress import FrameDone, ProgressCallback

_NUMBER = re.compile(r"(\d+)$")
# Missing frames that are listed before "...".
_MAX_LISTED = 5


def score_mattes(
    clip: TrueClip, folder: Path, frames: str | None = None, progress: ProgressCallback | None = None
) -> ClipReport:
    """Score the mattes in a folder: one PNG file for each frame of the clip's shot.

    Args:
        clip: with ground truth.
        folder: PNG files of 8 or 16 bits, grey (alpha) or RGBA (straight colour), and possibly as many called
            ``*_shadow.*.png``, the shadow as a factor on linear light.
        frames: "10-20", both included, or "7", counted from 1; None scores all.
        progress: called after each frame.

    Raises:
        InputError: mattes are missing, cannot be read or have another size than the clip.
        SettingsError: ``frames`` is outside the clip.
    """
    with open_reader(clip.shot) as shot:
        count, first = len(shot), shot.info.first_number
        indices = choose_frames(frames, shot.info)
    files = in_order(matte_files(folder))
    check_complete(files, count, folder)
    shadows = in_order(list(folder.glob("*_shadow.*.png")))
    if shadows:
        check_complete(shadows, count, folder)
    scores = MethodScores(clip)
    for done, index in enumerate(indices, start=1):
        cutout, true = read_cutout(files[index]), clip.alpha(index)
        check_size(files[index], cutout.alpha, true)
        shadow = read_factor(shadows[index]) if shadows else None
        if shadow is not None:
            check_size(shadows[index], shadow, true)
        scores.add(index, true, cutout.alpha, cutout.foreground, shadow)
        if progress is not None:
            progress(FrameDone(index + first, "scored", done, len(indices)))
    return ClipReport(len(indices), {FOREIGN: scores.scores()}, None, scores.measures(), scores.per_frame())


def mattes_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's PNG files; raises InputError if one cannot be read."""
    return files_digest(sorted(folder.glob("*.png")), folder)


def in_order(files: Sequence[Path]) -> list[Path]:
    """Files by the numbers at the ends of their names, so that 10 follows 9; by name if one has no number."""
    numbers = _numbers(files)
    if numbers is None:
        return sorted(files)
    return [file for _, file in sorted(zip(numbers, files, strict=True))]


def check_complete(files: Sequence[Path], count: int, folder: Path) -> None:
    """Raise InputError, with the missing numbers, unless there is one file for each of ``count`` frames.

    Frames may be counted from 0, from 1, or from any number if there are enough.
    """
    numbers = _numbers(files)
    if numbers is not None and len(set(numbers)) < len(numbers):
        repeated = next(number for number in numbers if numbers.count(number) > 1)
        raise InputError(f"{folder} has two files of frame {repeated}; leave one file for each frame")
    if len(files) == count and (numbers is None or max(numbers) - min(numbers) == count - 1):
        return
    missing = "" if numbers is None else _describe_missing(numbers, count)
    raise InputError(
        f"{folder} has {len(files)} files for the {count} frames of the clip{missing}; each frame needs one"
    )


def _describe_missing(numbers: Sequence[int], count: int) -> str:
    start = min(numbers)
    missing = sorted(set(range(start, max(start + count, max(numbers) + 1))) - set(numbers))
    if not missing:
        return ""
    listed = ", ".join(map(str, missing[:_MAX_LISTED]))
    return f" ({listed}{', ...' if len(missing) > _MAX_LISTED else ''} missing)"


def _numbers(files: Sequence[Path]) -> list[int] | None:
    """The number at the end of each name; None if a name has none."""
    found = [_NUMBER.search(file.stem) for file in files]
    return [int(match[1]) for match in found if match] if all(found) else None
