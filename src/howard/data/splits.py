"""Which side of the split something is on: persons, clips and places as wholes, never frames."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from howard.errors import InputError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

# Folders that say so in what is published, in lower case; "validation" is P3M-10k's word, in its first edition with a
# number.
_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validation1": "val",
    "validation2": "val",
    "test": "test",
}
# Of a thousand without a list; the rest are trained on.
_VALIDATION, _TEST = 50, 50
# Of a hundred in a folder called train that has none for validation beside it: about as many as VideoMatte240K's test
# clips.
_HELD_OUT = 1


def split_without_lists(names: Sequence[str], paths: Sequence[Path]) -> list[Split]:
    """The sides of a collection that has no lists.

    That of a folder on the way (:func:`split_by_folder`), else of the name (:func:`split_by_name`). Where there are
    folders for training but nothing at all is for validation, as in VideoMatte240K and Distinctions-646, 1 % of what is
    in them is held out for it, by the name alone; at least one name.

    Args:
        names: what must be on one side together has one name.
        paths: in the collection, one for each name.
    """
    folders: list[Split | None] = [split_by_folder(path) for path in paths]
    sides: list[Split] = [folder or split_by_name(name) for folder, name in zip(folders, names, strict=True)]
    places = {name: _hash(name, 8) for folder, name in zip(folders, names, strict=True) if folder == "train"}
    if "val" in sides or len(places) < 2:
        return sides
    held_out = {name for name, place in places.items() if place % 100 < _HELD_OUT}
    held_out = held_out or {min(places, key=places.__getitem__)}
    for index, (side, name) in enumerate(zip(sides, names, strict=True)):
        if side == "train" and name in held_out:
            sides[index] = "val"
    return sides


def split_by_name(name: str) -> Split:
    """A side that depends on the name alone, so that adding others never moves it: 5 % each for val and test."""
    place = _hash(name, 0) % 1000
    if place < _VALIDATION:
        return "val"
    return "test" if place < _VALIDATION + _TEST else "train"


def split_by_folder(path: Path) -> Split | None:
    """The side that a folder on the way to ``path`` is called after, in capitals or not, if any."""
    return next((_FOLDERS[part.lower()] for part in path.parts if part.lower() in _FOLDERS), None)


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


def _hash(name: str, first: int) -> int:
    """A number of 64 bits from the name, of its hash's bytes from ``first`` on."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[first : first + 8], "big")


def _add(sides: dict[str, Split], names: Iterable[str], split: Split, path: Path) -> None:
    for name in names:
        if name in sides:
            where = "twice in it" if sides[name] == split else f"in {sides[name]}.txt as well"
            raise InputError(f"{path}: {name} is listed {where}; keep each name once")
        sides[name] = split
