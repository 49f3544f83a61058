"""Finding the files of an image sequence, given by a folder, a frame number pattern or wildcards."""

import fnmatch
import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError
from howard.media.still import STILL_SUFFIXES

_DIGITS = re.compile(r"[0-9]+")
# printf's %d and %04d, or one # per digit.
_NUMBER_SIGN = re.compile(r"%(?:0([0-9]+))?d|(#+)")
_WILDCARDS = "*?["
# Gaps that an error message lists.
_MAX_LISTED = 5


class SequenceFiles(NamedTuple):
    """The files of a sequence in order, with consecutive numbers that begin with ``first_number``.

    ``name`` is the part of the file names before the number, or the folder's name if that is empty. Numbers have at
    least ``padding`` digits.
    """

    files: tuple[Path, ...]
    first_number: int
    name: str
    padding: int = 4


def is_pattern(path: Path) -> bool:
    """Whether the last part of ``path`` is a pattern with a frame number or wildcards; folders are not checked."""
    return bool(_NUMBER_SIGN.search(path.name)) or any(sign in path.name for sign in _WILDCARDS)


def find_sequence(path: Path) -> SequenceFiles:
    """Find the files of the sequence in a folder, or of a pattern.

    The frame number is the one group of digits that differs between the file names. Raises InputError if there is no
    image, if there are several sequences, or if frames are missing.
    """
    folder = path if path.is_dir() else path.parent
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder} cannot be read as a folder ({error.strerror}); check the path") from error
    pictures = [name for name in names if Path(name).suffix.lower() in STILL_SUFFIXES]
    if path.is_dir():
        if not pictures:
            raise InputError(f"{path} is a folder without pictures; give one video file, or a folder of frames")
        return _number(path, folder, pictures)
    matches = list(_matching(path.name, pictures))
    if not matches:
        raise InputError(f"{path} matches no picture; check the pattern, for instance with ls")
    return _number(path, folder, matches)


def _matching(pattern: str, names: Iterable[str]) -> Iterable[str]:
    if not _NUMBER_SIGN.search(pattern):
        return (name for name in names if fnmatch.fnmatchcase(name, pattern))
    expression, end = "", 0
    for sign in _NUMBER_SIGN.finditer(pattern):
        width = int(sign[1] or 1) if sign[2] is None else len(sign[2])
        # As printf pads: more digits than the width only without leading zeros.
        expression += re.escape(pattern[end : sign.start()]) + f"(?:[0-9]{{{width}}}|[1-9][0-9]{{{width},}})"
        end = sign.end()
    expression += re.escape(pattern[end:])
    return (name for name in names if re.fullmatch(expression, name))


def _number(path: Path, folder: Path, names: list[str]) -> SequenceFiles:
    """Sort the files by frame number; raises InputError if the numbers are ambiguous or have gaps."""
    skeletons = sorted({_DIGITS.sub("#", name) for name in names})
    groups = [[int(digits) for digits in _DIGITS.findall(Path(name).stem)] for name in names]
    varying = [place for place, values in enumerate(zip(*groups, strict=False)) if len(set(values)) > 1]
    if len(skeletons) > 1 or len(varying) > 1:
        examples = " and ".join(sorted(names)[:: max(1, len(names) - 1)][:2])
        raise InputError(f"{path} contains more than one sequence, such as {examples}; give one as NAME.%04d.png")
    if not groups[0]:
        raise InputError(f"{path}: {names[0]} has no frame number in its name; name the files NAME.0001.png and so on")
    place = varying[0] if varying else -1
    by_number = {group[place]: name for group, name in zip(groups, names, strict=True)}
    if len(by_number) < len(names):
        raise InputError(f"{path} has two files of the same number, as 1 and 01; remove one of them")
    numbers = sorted(by_number)
    _refuse_gaps(path, numbers)
    first = by_number[numbers[0]]
    digits = list(_DIGITS.finditer(Path(first).stem))[place]
    return SequenceFiles(
        files=tuple(folder / by_number[number] for number in numbers),
        first_number=numbers[0],
        name=first[: digits.start()].rstrip("._- ") or folder.resolve().name,
        padding=len(digits[0]),
    )


def _refuse_gaps(path: Path, numbers: list[int]) -> None:
    gaps = [
        f"{before + 1}" if after - before == 2 else f"{before + 1}-{after - 1}"
        for before, after in itertools.pairwise(numbers)
        if after - before > 1
    ]
    if gaps:
        more = f" and {len(gaps) - _MAX_LISTED} more gaps" if len(gaps) > _MAX_LISTED else ""
        raise InputError(
            f"{path} lacks frames {', '.join(gaps[:_MAX_LISTED])}{more} between {numbers[0]} and {numbers[-1]}; "
            "render or copy them again"
        )
