"""Ctrl-C at any moment: one word, exit code 130, and no traceback.

Python turns Ctrl-C into an exception, which libraries that are being imported, destructors and the interpreter's end
swallow or print. Standard library only, and little of it: it comes before all other imports.
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
    """From now on Ctrl-C ends the program at once: for imports, while there is nothing to clear up."""
    set_interrupt_handler(_exit)


@contextmanager
def noting_interrupts() -> Iterator[Callable[[], bool]]:
    """Within the context Ctrl-C raises KeyboardInterrupt; the function it gives says whether there has been one.

    Libraries turn the exception into others, or lose it. Afterwards the handler from before is there again.
    """
    has_come = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal has_come
        has_come = True
        raise KeyboardInterrupt

    before = set_interrupt_handler(note)
    try:
        yield lambda: has_come
    finally:
        if before is not None:
            set_interrupt_handler(before)


def _exit(number: int, frame: FrameType | None) -> None:
    os.write(_ERROR_STREAM, f"{MESSAGE}\n".encode())
    # Not SystemExit, which could be swallowed just the same.
    os._exit(EXIT_CODE)
