"""Assigns people, clips and places to train, val and test. Frames of one clip are never divided between splits."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from howard.errors import InputError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

# Folder names in published data sets, in lower case. P3M-10k says "validation", its first edition with a number.
_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validation1": "val",
    "validation2": "val",
    "test": "test",
}
# Per mille of the names in a collection without lists; the rest are for training.
_VALIDATION = 50
_TEST = 50
# Percent of a train folder held out for validation if there is no validation folder: about as many clips as the test
# split of VideoMatte240K has.
_HELD_OUT = 1


def split_without_lists(names: Sequence[str], paths: Sequence[Path]) -> list[Split]:
    """The splits of the items of a collection that has no lists.

    A folder on the path decides (:func:`split_by_folder`), else the name (:func:`split_by_name`). VideoMatte240K and
    Distinctions-646 have train folders but nothing for validation: then 1 % of the names in the train folders, at least
    one, are held out for validation, chosen by the hash of the name.

    Args:
        names: one per item; items of equal name get the same split.
        paths: one per item, relative to the collection.
    """
    folders: list[Split | None] = [split_by_folder(path) for path in paths]
    splits: list[Split] = [folder or split_by_name(name) for folder, name in zip(folders, names, strict=True)]
    hashes = {name: _hash(name, 8) for folder, name in zip(folders, names, strict=True) if folder == "train"}
    if "val" in splits or len(hashes) < 2:
        return splits
    held_out = {name for name, value in hashes.items() if value % 100 < _HELD_OUT}
    held_out = held_out or {min(hashes, key=hashes.__getitem__)}
    for index, (split, name) in enumerate(zip(splits, names, strict=True)):
        if split == "train" and name in held_out:
            splits[index] = "val"
    return splits


def split_by_name(name: str) -> Split:
    """The split by the hash of the name: 5 % val, 5 % test. Adding other items never changes it."""
    value = _hash(name, 0) % 1000
    if value < _VALIDATION:
        return "val"
    return "test" if value < _VALIDATION + _TEST else "train"


def split_by_folder(path: Path) -> Split | None:
    """The split that the first folder of ``path`` with a known name stands for, case-insensitive; None without one."""
    return next((_FOLDERS[part.lower()] for part in path.parts if part.lower() in _FOLDERS), None)


def has_split_lists(folder: Path) -> bool:
    """Whether the folder has any of the three split lists."""
    return any((folder / f"{split}.txt").is_file() for split in SPLITS)


def read_split_lists(folder: Path) -> dict[str, Split] | None:
    """The split of each name in ``train.txt``, ``val.txt`` and ``test.txt``, one name a line; None without any list.

    Raises:
        InputError: a list is empty, or a name is listed twice.
    """
    splits: dict[str, Split] = {}
    for split in SPLITS:
        path = folder / f"{split}.txt"
        if not path.is_file():
            continue
        # Names may contain spaces: keyed people are named after their video file.
        names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if not names:
            raise InputError(f"{path} is empty: list one name a line, or remove it")
        _add(splits, names, split, path)
    return splits or None


def _hash(name: str, first: int) -> int:
    """A 64-bit number: eight bytes of the name's SHA-256 from byte ``first`` on."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[first : first + 8], "big")


def _add(splits: dict[str, Split], names: Iterable[str], split: Split, path: Path) -> None:
    for name in names:
        if name in splits:
            where = "twice in it" if splits[name] == split else f"in {splits[name]}.txt as well"
            raise InputError(f"{path}: {name} is listed {where}; keep each name once")
        splits[name] = split
