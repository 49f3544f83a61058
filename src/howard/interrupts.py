"""Ctrl-C at any time: one word, exit code 130, and no traceback.

Python raises an exception on Ctrl-C, which imports, destructors and the interpreter's shutdown may swallow or print.
Imports only a little of the standard library, since it is loaded before all other modules.
"""

import _thread
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from howard.operating_system import set_interrupt_handler

EXIT_CODE = 130
MESSAGE = "stopped"
_ERROR_STREAM = 2
# Name of the file of Python's own import code in its stack frames.
_IMPORT_CODE = "<frozen importlib._bootstrap>"
# Seconds until an interrupt that came during an import is tried again.
_RETRY_SECONDS = 0.05


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the program at once, for the time of imports, when there is nothing to clean up."""
    set_interrupt_handler(_exit)


@contextmanager
def recording_interrupts() -> Iterator[Callable[[], bool]]:
    """Within the context Ctrl-C raises KeyboardInterrupt; the yielded function returns whether that has happened.

    Needed since libraries may replace or swallow the exception. One that comes while a module is imported is raised
    after the import: the C++ code that initialises torch aborts the process if Python raises an exception in it. The
    previous handler is restored afterwards.
    """
    was_pressed = False

    def record(number: int, frame: FrameType | None) -> None:
        nonlocal was_pressed
        was_pressed = True
        if _is_importing(frame):
            _thread.start_new_thread(_interrupt_later, ())
            return
        raise KeyboardInterrupt

    before = set_interrupt_handler(record)
    try:
        yield lambda: was_pressed
    finally:
        if before is not None:
            set_interrupt_handler(before)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether ``frame`` or one of its callers imports a module."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT_CODE:
            return True
        frame = frame.f_back
    return False


def _interrupt_later() -> None:
    time.sleep(_RETRY_SECONDS)
    _thread.interrupt_main()


def _exit(number: int, frame: FrameType | None) -> None:
    os.write(_ERROR_STREAM, f"{MESSAGE}\n".encode())
    # SystemExit could be swallowed as well.
    os._exit(EXIT_CODE)
