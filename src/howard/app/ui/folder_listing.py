"""What a folder holds, as the file browser shows it: folders, clips, and image sequences as one entry each."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError

# A frame's name: what comes before its number, the number, and the suffix.
_FRAME_NAME = re.compile(r"^(.*?)([0-9]+)(\.[A-Za-z0-9]+)$")
_LEAST_SEQUENCE = 3


class Entry(NamedTuple):
    """A folder, a file, or a sequence of ``count`` files whose ``path`` is a pattern; ``kind`` says which."""

    name: str
    path: Path
    kind: str
    count: int = 1


def list_folder(folder: Path) -> list[Entry]:
    """The entries of a folder, folders first, each kind in order of names; hidden ones are left out.

    Raises InputError where the folder cannot be read.
    """
    try:
        found = sorted((each for each in folder.iterdir() if not each.name.startswith(".")), key=lambda each: each.name)
        folders = [Entry(each.name, each, "folder") for each in found if each.is_dir()]
        names = [each.name for each in found if each.is_file()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); choose another folder") from error
    return [*folders, *_group(folder, names)]


def _group(folder: Path, names: list[str]) -> list[Entry]:
    """Files, those that differ in their number alone as sequences."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        match = _FRAME_NAME.match(name)
        if match:
            groups[match[1], match[3]].append(match[2])
    sequences = {key: numbers for key, numbers in groups.items() if len(numbers) >= _LEAST_SEQUENCE}
    entries = [
        Entry(pattern, folder / pattern, "sequence", count) for pattern, count in map(_pattern, sequences.items())
    ]
    for name in names:
        match = _FRAME_NAME.match(name)
        if match is None or (match[1], match[3]) not in sequences:
            entries.append(Entry(name, folder / name, "file"))
    return sorted(entries, key=lambda each: each.name)


def _pattern(group: tuple[tuple[str, str], list[str]]) -> tuple[str, int]:
    (before, suffix), numbers = group
    width = min(map(len, numbers))
    is_padded = width > 1 and all(len(each) == width for each in numbers)
    return f"{before}%0{width}d{suffix}" if is_padded else f"{before}%d{suffix}", len(numbers)
