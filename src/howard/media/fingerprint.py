"""What tells whether files, and what was noted about them, are still the same."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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


def differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """Every value that is not the same in two records, as "settings.quality was fast, is best"; paths do not count."""
    old, new = _keyed(old), _keyed(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key != "path":
                yield from differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
    elif old != new:
        yield f"{quoted(where)} was {quoted(old)}, is {quoted(new)}"


def _keyed(value: Any) -> Any:
    """A list of entries as one entry with their positions for keys, so that what differs in them can be named."""
    is_list = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    return {str(position): each for position, each in enumerate(value)} if is_list else value
