"""Suppressing what libraries print to the terminal."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_ERROR_STREAM = 2


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Within the context only ``sys.stderr`` reaches the terminal; Python's warnings are off unless enabled by ``-W``.

    libpng, libjpeg, OpenCV, OpenEXR and FFmpeg print warnings directly to file descriptor 2, which is redirected to
    the null device. Only for commands of one process: child processes would inherit the redirected descriptor. Does
    nothing where ``sys.stderr`` does not write to descriptor 2, as in tests.
    """
    stream = sys.stderr
    try:
        is_descriptor = stream.fileno() == _ERROR_STREAM
    except (AttributeError, OSError, ValueError):
        is_descriptor = False
    if not is_descriptor:
        yield
        return
    stream.flush()
    terminal = os.dup(_ERROR_STREAM)
    _redirect(_ERROR_STREAM, os.devnull)
    sys.stderr = os.fdopen(terminal, "w", buffering=1, encoding=stream.encoding, errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, _ERROR_STREAM)
        # Progress bars may have kept the replaced stream, so it is not closed here.
        sys.stderr = stream


def _redirect(descriptor: int, path: str) -> None:
    target = os.open(path, os.O_WRONLY)
    os.dup2(target, descriptor)
    os.close(target)
