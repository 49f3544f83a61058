"""What libraries print by themselves, kept from the terminal."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_ERROR_STREAM = 2


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Within the context only ``sys.stderr`` reaches the terminal; Python's warnings are off unless asked for (-W).

    libpng, libjpeg, OpenCV, OpenEXR and FFmpeg print warnings about files straight to the error stream's descriptor,
    which leads nowhere meanwhile. For commands in one process: processes that are started would be silent altogether.
    Where ``sys.stderr`` is something else than the descriptor, as in tests, nothing changes.
    """
    stream = sys.stderr
    try:
        is_own = stream.fileno() == _ERROR_STREAM
    except (AttributeError, OSError, ValueError):
        is_own = False
    if not is_own:
        yield
        return
    stream.flush()
    terminal = os.dup(_ERROR_STREAM)
    _point(_ERROR_STREAM, os.devnull)
    sys.stderr = os.fdopen(terminal, "w", buffering=1, encoding=stream.encoding, errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, _ERROR_STREAM)
        # Whoever kept the stream, as progress bars do, may still write to it; it is closed with the last of them.
        sys.stderr = stream


def _point(descriptor: int, path: str) -> None:
    target = os.open(path, os.O_WRONLY)
    os.dup2(target, descriptor)
    os.close(target)
