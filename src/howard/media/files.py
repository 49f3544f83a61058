"""Writing a file so that nobody ever sees half of it, what killed programs leave, and names that fit."""

import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from howard.errors import OutputError

# File systems allow 255 bytes for a name; what is added to a clip's name (frame numbers, suffixes) needs its share.
_LONGEST_NAME = 180
# Names as of temporary_path.
_TEMPORARY = re.compile(r"\..+\.[^.]+\.part", re.DOTALL)
# Seconds after which a temporary file that nothing was added to belongs to nobody: the files of single frames, which
# several machines write into one folder, are written in one go; the rest is for slow network disks.
_OLDEST_TEMPORARY = 600
# Made by macOS, Windows, Synology and NetApp disks and KDE; in lower case.
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
# AppleDouble files, files that are deleted but still open on network and FUSE disks, and folders of macOS.
_SYSTEM_PREFIXES = ("._", ".nfs", ".fuse_hidden", ".Trash", ".Spotlight-", ".fseventsd", ".TemporaryItems")


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to, renamed to it at the end: a crash leaves the old file or the new.

    The new one is on the disk before it is renamed. What goes wrong while writing, the block's own OSErrors included,
    is raised as OutputError.
    """
    temporary = temporary_path(path)
    try:
        yield temporary
        replace_durably(temporary, path)
    except OSError as error:
        raise unwritable_error(path, error) from error
    finally:
        # Where even this fails, the first error is the one to be told.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` so that the file appears whole or not at all."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def replace_durably(temporary: Path, path: Path) -> None:
    """Rename ``temporary`` to ``path`` after its data have reached the disk.

    Without the wait a power failure could leave a file of the right size that is empty.
    """
    descriptor = os.open(temporary, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)


def write_if_absent(path: Path, data: bytes) -> bool:
    """Write ``data`` so that the file appears whole, unless there is one; False where there is.

    Of several machines that do so at once one succeeds. On disks without hard links the last of them succeeds.
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
            # Network disks, FAT and some containers refuse links, each with an error of its own.
            replace_durably(temporary, path)
    except OSError as error:
        if path.exists():
            return False  # Another machine was first, and cleared this one's temporary file away.
        raise unwritable_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def make_folder(path: Path) -> None:
    """Make a folder and its parents where missing; raises OutputError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be made ({error.strerror}); choose another folder") from error


def unwritable_error(path: Path, error: OSError) -> OutputError:
    """What to say of a file that cannot be written."""
    return OutputError(f"{path} cannot be written ({error.strerror}); check space and permissions")


def remove_temporary_files(paths: Iterable[Path]) -> None:
    """Remove what killed runs left half-written of ``paths``; nobody else may be writing these just now."""
    wanted = set(paths)
    for temporary in _temporaries({path.parent for path in wanted}):
        if temporary.with_name(temporary.name[1:].rsplit(".", 2)[0]) in wanted:
            _remove(temporary)


def remove_old_temporary_files(*folders: Path) -> None:
    """Remove what killed runs left half-written of any file in ``folders``, once nobody can be writing it any more."""
    for temporary in _temporaries(folders):
        with suppress(OSError):
            if time.time() - temporary.stat().st_mtime > _OLDEST_TEMPORARY:
                temporary.unlink(missing_ok=True)


def is_system_file(name: str) -> bool:
    """Whether file managers, network disks or storage systems make files of this name by themselves."""
    return name.casefold() in _SYSTEM_FILES or name.startswith(_SYSTEM_PREFIXES)


def contains_files(folder: Path) -> bool:
    """Whether there is anything in ``folder`` beside what systems put there by themselves."""
    return not all(is_system_file(entry.name) for entry in folder.iterdir())


def shorten_name(name: str) -> str:
    """``name``, cut at its end where the file names made from it would be longer than file systems allow."""
    while len(os.fsencode(name)) > _LONGEST_NAME:
        name = name[:-1]
    return name


def temporary_path(path: Path) -> Path:
    """Where ``path`` is written until it is whole: hidden, beside it, and of this call alone.

    Process ids would not do: machines that write into one folder may use the same ones.
    """
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")


def _temporaries(folders: Iterable[Path]) -> list[Path]:
    """The temporary files in ``folders``, those of earlier versions included; folders that cannot be read have none."""
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
