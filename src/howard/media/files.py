"""Writing a file so that nobody ever sees half of it."""

import os
from pathlib import Path

from howard.errors import OutputError


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` under a temporary name beside ``path``, then rename: a crash leaves the old file or the new."""
    # The process id keeps two renders of neighbouring frame ranges from sharing a temporary file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); check space and permissions") from error
    finally:
        temporary.unlink(missing_ok=True)
