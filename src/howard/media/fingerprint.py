"""Fingerprints of input files, and the differences between two nested records such as fingerprints and settings."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from howard.errors import InputError, quoted

_SAMPLE_BYTES = 2**20


def fingerprint(path: Path) -> dict[str, Any]:
    """Size, modification time, and hash of the first and last MiB: enough to detect that a file was replaced.

    Raises InputError if the file cannot be read.
    """
    try:
        state = path.stat()
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(_SAMPLE_BYTES))
            file.seek(max(0, state.st_size - _SAMPLE_BYTES))
            digest.update(file.read(_SAMPLE_BYTES))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    return {"size": state.st_size, "modified_ns": state.st_mtime_ns, "sha256_ends": digest.hexdigest()}


def fingerprint_all(files: Sequence[Path]) -> dict[str, Any]:
    """The fingerprint of a clip: a hash of all files' names, sizes and times, and the first and last fingerprint.

    Of a single file, its `fingerprint`. Raises InputError if a file cannot be read.
    """
    if len(files) == 1:
        return fingerprint(files[0])
    listing = hashlib.sha256()
    for file in files:
        try:
            state = file.stat()
        except OSError as error:
            raise InputError(f"{file} cannot be read ({error.strerror}); check the file and its permissions") from error
        listing.update(f"{file.name!a} {state.st_size} {state.st_mtime_ns}\n".encode())
    return {
        "files": len(files),
        "sha256_listing": listing.hexdigest(),
        "first": fingerprint(files[0]),
        "last": fingerprint(files[-1]),
    }


class Change(NamedTuple):
    """A value that differs between two nested records; ``keys`` lead to it, with positions for lists."""

    keys: tuple[str, ...]
    old: Any
    new: Any


def changes(old: Any, new: Any, keys: tuple[str, ...] = ()) -> Iterator[Change]:
    """All values that differ between two nested records, sorted by their keys; the key "path" is ignored."""
    old, new = _with_keys(old), _with_keys(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key != "path":
                yield from changes(old.get(key), new.get(key), (*keys, key))
    elif old != new:
        yield Change(keys, old, new)


def differences(old: Any, new: Any) -> Iterator[str]:
    """The :func:`changes` as text, such as "settings.quality was fast, is best"."""
    for change in changes(old, new):
        yield f"{quoted('.'.join(change.keys))} was {quoted(change.old)}, is {quoted(change.new)}"


def _with_keys(value: Any) -> Any:
    """A list that contains dictionaries as a dictionary with the positions as keys; other values unchanged."""
    is_list = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    return {str(position): each for position, each in enumerate(value)} if is_list else value
