"""Ctrl-C at any time: one word, exit code 130, and no traceback.

Python raises an exception on Ctrl-C, which imports, destructors and the interpreter's shutdown may swallow or print.
Imports only a little of the standard library, since it is loaded before all other modules.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from howard.operating_system import set_interrupt_handler

EXIT_CODE = 130
MESSAGE = "stopped"
_ERROR_STREAM = 2


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the program at once, for the time of imports, when there is nothing to clean up."""
    set_interrupt_handler(_exit)


@contextmanager
def recording_interrupts() -> Iterator[Callable[[], bool]]:
    """Within the context Ctrl-C raises KeyboardInterrupt; the yielded function returns whether that has happened.

    Needed since libraries may replace or swallow the exception. The previous handler is restored afterwards.
    """
    was_pressed = False

    def record(number: int, frame: FrameType | None) -> None:
        nonlocal was_pressed
        was_pressed = True
        raise KeyboardInterrupt

    before = set_interrupt_handler(record)
    try:
        yield lambda: was_pressed
    finally:
        if before is not None:
            set_interrupt_handler(before)


def _exit(number: int, frame: FrameType | None) -> None:
    os.write(_ERROR_STREAM, f"{MESSAGE}\n".encode())
    # SystemExit could be swallowed as well.
    os._exit(EXIT_CODE)
