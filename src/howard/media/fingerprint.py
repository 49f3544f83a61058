"""What tells whether files, and what was noted about them, are still the same."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from howard.errors import InputError, quoted

_SAMPLE_BYTES = 2**20


def fingerprint(path: Path) -> dict[str, Any]:
    """Size, time of change, and hash of the first and last megabyte: enough to tell a file that was replaced.

    Raises InputError where it cannot be read.
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
    """The fingerprint of a clip's files: of all their names, sizes and times, and of the first's and last's ends.

    Raises InputError where one of them cannot be read.
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
    """A value that is not the same in two records; ``place`` are the keys that lead to it, positions in lists too."""

    place: tuple[str, ...]
    old: Any
    new: Any


def changes(old: Any, new: Any, place: tuple[str, ...] = ()) -> Iterator[Change]:
    """Every value that is not the same in two records, in the order of their keys; paths do not count."""
    old, new = _keyed(old), _keyed(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key != "path":
                yield from changes(old.get(key), new.get(key), (*place, key))
    elif old != new:
        yield Change(place, old, new)


def differences(old: Any, new: Any) -> Iterator[str]:
    """The :func:`changes` as text, such as "settings.quality was fast, is best"."""
    for change in changes(old, new):
        yield f"{quoted('.'.join(change.place))} was {quoted(change.old)}, is {quoted(change.new)}"


def _keyed(value: Any) -> Any:
    """A list of entries as one entry with their positions for keys, so that what differs in them can be named."""
    is_list = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    return {str(position): each for position, each in enumerate(value)} if is_list else value
