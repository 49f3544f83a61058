"""Writing a file so that nobody ever sees half of it, and names that fit."""

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from howard.errors import OutputError

# File systems allow 255 bytes for a name; what is added to a clip's name (frame numbers, suffixes) needs its share.
_LONGEST_NAME = 180


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to, renamed to it at the end: a crash leaves the old file or the new.

    What goes wrong while writing, the block's own OSErrors included, is raised as OutputError.
    """
    temporary = temporary_path(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        # Where even this fails, the first error is the one to be told.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` so that the file appears whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def write_first(path: Path, data: bytes) -> bool:
    """Write ``data`` so that the file appears whole, unless there is one; False where there is.

    Of several machines that do so at once one succeeds.
    """
    if path.exists():
        return False
    temporary = temporary_path(path)
    try:
        temporary.write_bytes(data)
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if not temporary.exists() or error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise unwritable(path, error) from error
        os.replace(temporary, path)  # a disk without links, which a farm will hardly share
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


def unwritable(path: Path, error: OSError) -> OutputError:
    """What to say of a file that cannot be written."""
    return OutputError(f"{path} cannot be written ({error.strerror}); check space and permissions")


def clear_leftovers(paths: Iterable[Path]) -> None:
    """Remove what killed runs left half-written of ``paths``; nobody else may be writing these just now."""
    wanted = set(paths)
    for folder in {path.parent for path in wanted}:
        for entry in list(folder.iterdir()) if folder.is_dir() else ():
            name, _, ending = entry.name.rpartition(".")
            hidden, _, _ = name.rpartition(".")
            if ending == "part" and hidden.startswith(".") and folder / hidden[1:] in wanted:
                entry.unlink(missing_ok=True)


def fitting_name(name: str) -> str:
    """``name``, cut at its end where the file names made from it would be longer than file systems allow."""
    while len(os.fsencode(name)) > _LONGEST_NAME:
        name = name[:-1]
    return name


def temporary_path(path: Path) -> Path:
    """Where ``path`` is written until it is whole: hidden, beside it, and of this thread alone."""
    # The ids keep two renders of neighbouring frame ranges from sharing a temporary file.
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.part")
