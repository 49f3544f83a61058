"""Atomic file writing, removal of temporary files left by killed programs, system files, and valid file names."""

import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from howard.errors import OutputError

# Bytes; file systems allow 255 for a name, and frame numbers and suffixes are appended to a clip's name.
_MAX_NAME_BYTES = 180
# Matches the names that temporary_path makes.
_TEMPORARY = re.compile(r"\..+\.[^.]+\.part", re.DOTALL)
# Seconds since the last modification after which a temporary file is stale. A frame's file is written in one call; the
# margin is for slow network disks, on which several machines may write into one folder.
_STALE_SECONDS = 600
# Created by macOS, Windows, Synology and NetApp storage, and KDE; in lower case.
_SYSTEM_FILES = frozenset(
    (
        ".ds_store",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        ".directory",
        ".snapshot",
        ".appledouble",
        ".localized",
        "lost+found",
        "system volume information",
    )
)
# AppleDouble files, deleted files that are still open on NFS and FUSE disks, and folders of macOS.
_SYSTEM_PREFIXES = ("._", ".nfs", ".fuse_hidden", ".Trash", ".Spotlight-", ".fseventsd", ".TemporaryItems")


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Context manager for atomic writing: yields a temporary path, which is renamed to ``path`` at the end.

    After a crash ``path`` is the complete old or the complete new file. The data are flushed to the disk before the
    renaming. An OSError, also one raised inside the block, becomes an OutputError.
    """
    temporary = temporary_path(path)
    try:
        yield temporary
        replace_durably(temporary, path)
    except OSError as error:
        raise unwritable_error(path, error) from error
    finally:
        # The first error is the one to report, even if the removal fails too.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to a file atomically; raises OutputError if that fails."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def replace_durably(temporary: Path, path: Path) -> None:
    """Flush ``temporary`` to the disk (fsync), then rename it to ``path``.

    Without the flush, a power failure could leave a file of the right size filled with zeros.
    """
    descriptor = os.open(temporary, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)


def write_if_absent(path: Path, data: bytes) -> bool:
    """Write ``data`` atomically unless the file exists; returns whether it was written.

    If several machines do so at once, exactly one succeeds, except on disks without hard links, where the last one
    overwrites the others. Raises OutputError if writing fails.
    """
    if path.exists():
        return False
    temporary = temporary_path(path)
    try:
        temporary.write_bytes(data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:
            # Network disks, FAT and some container file systems refuse hard links, with various errors.
            replace_durably(temporary, path)
    except OSError as error:
        if path.exists():
            return False  # Another machine was first and has removed this one's temporary file.
        raise unwritable_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def make_folder(path: Path) -> None:
    """Create a folder and its parents if they are missing; raises OutputError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be created ({error.strerror}); choose another folder") from error


def unwritable_error(path: Path, error: OSError) -> OutputError:
    """The error to raise for a file that cannot be written."""
    return OutputError(f"{path} cannot be written ({error.strerror}); check space and permissions")


def remove_temporary_files(paths: Iterable[Path]) -> None:
    """Remove the temporary files that killed runs left for ``paths``; no other process may be writing these."""
    targets = set(paths)
    for temporary in _find_temporary_files({path.parent for path in targets}):
        if temporary.with_name(temporary.name[1:].rsplit(".", 2)[0]) in targets:
            _remove(temporary)


def remove_old_temporary_files(*folders: Path) -> None:
    """Remove temporary files in ``folders`` that have not been modified for 10 minutes."""
    for temporary in _find_temporary_files(folders):
        with suppress(OSError):
            if time.time() - temporary.stat().st_mtime > _STALE_SECONDS:
                temporary.unlink(missing_ok=True)


def is_system_file(name: str) -> bool:
    """Whether operating systems, file managers or storage systems create files of this name by themselves."""
    return name.casefold() in _SYSTEM_FILES or name.startswith(_SYSTEM_PREFIXES)


def contains_files(folder: Path) -> bool:
    """Whether a folder contains anything but system files."""
    return not all(is_system_file(entry.name) for entry in folder.iterdir())


def shorten_name(name: str) -> str:
    """Cut a clip's name at its end so that the file names made from it are not too long for file systems."""
    while len(os.fsencode(name)) > _MAX_NAME_BYTES:
        name = name[:-1]
    return name


def temporary_path(path: Path) -> Path:
    """A unique hidden path in the folder of ``path``, for writing the file before it is renamed.

    A process id would not be unique, since several machines may write into one folder.
    """
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")


def _find_temporary_files(folders: Iterable[Path]) -> list[Path]:
    """The temporary files in ``folders``, also those of earlier versions; unreadable folders are skipped."""
    found: list[Path] = []
    for folder in folders:
        with suppress(OSError):
            found += (entry for entry in folder.iterdir() if _TEMPORARY.fullmatch(entry.name) and entry.is_file())
    return found


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable_error(path, error) from error
