"""Which side of the split something is on: persons, clips and places as wholes, never frames."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from howard.errors import InputError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

# Folders that say so in what is published; "validation" is P3M-10k's word.
_FOLDERS: dict[str, Split] = {"train": "train", "val": "val", "validation": "val", "test": "test"}
# Of a thousand without a list; the rest are trained on.
_VALIDATION, _TEST = 50, 50


def split_by_name(name: str) -> Split:
    """A side that depends on the name alone, so that adding others never moves it: 5 % each for val and test."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % 1000
    if place < _VALIDATION:
        return "val"
    return "test" if place < _VALIDATION + _TEST else "train"


def split_by_folder(path: Path) -> Split | None:
    """The side that a folder on the way to ``path`` is called after, if any."""
    return next((_FOLDERS[part] for part in path.parts if part in _FOLDERS), None)


def has_split_lists(folder: Path) -> bool:
    """Whether any of the three lists lies in the folder."""
    return any((folder / f"{split}.txt").is_file() for split in SPLITS)


def read_split_lists(folder: Path) -> dict[str, Split] | None:
    """Names in ``train.txt``, ``val.txt`` and ``test.txt``, one a line; None where the folder has none of them.

    Raises:
        InputError: a list is empty, or a name is on two of them or twice on one.
    """
    sides: dict[str, Split] = {}
    for split in SPLITS:
        path = folder / f"{split}.txt"
        if not path.is_file():
            continue
        # A name may hold spaces: keyed people are called after their film.
        names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if not names:
            raise InputError(f"{path} is empty: list one name a line, or remove it")
        _add(sides, names, split, path)
    return sides or None


def _add(sides: dict[str, Split], names: Iterable[str], split: Split, path: Path) -> None:
    for name in names:
        if name in sides:
            where = "twice in it" if sides[name] == split else f"in {sides[name]}.txt as well"
            raise InputError(f"{path}: {name} is listed {where}; keep each name once")
        sides[name] = split
