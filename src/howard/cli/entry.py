"""How a command begins and ends: who wants help, who sweeps, and what errors look like."""

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, ParamSpec, TypeVar

from howard.errors import HowardError, one_line
from howard.interrupts import EXIT_CODE, MESSAGE, noting_interrupts
from howard.requirements import missing_package

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_HELP_FLAGS = ("-h", "--help", "help")
_SWEEP_FLAGS = ("-m", "--multirun")


def friendly(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate an entry point: a HowardError ends the program with one line and code 2, Ctrl-C with a note and 130.

    So does the lack of an optional package. Any other exception is a bug and keeps its traceback, unless Ctrl-C was
    pressed before: what was interrupted may raise anything. Goes inside ``@hydra.main``, too, which would otherwise
    print a traceback of its own. Characters that the terminal's encoding lacks are printed as escapes.
    """

    @functools.wraps(function)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for stream in (sys.stdout, sys.stderr):
            # Not every stand-in for a terminal has it.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        with noting_interrupts() as was_interrupted:
            try:
                return function(*args, **kwargs)
            except KeyboardInterrupt:
                _leave(MESSAGE, EXIT_CODE)
            except Exception as error:
                if was_interrupted():
                    _leave(MESSAGE, EXIT_CODE)
                if isinstance(error, HowardError):
                    _leave(f"error: {_own_line(error)}", error.exit_code)
                if missing := missing_package(error):
                    _leave(f"error: {missing}", missing.exit_code)
                if isinstance(error, BrokenPipeError):
                    # Whoever read the output is gone; Python would complain again when it flushes at exit.
                    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                    raise SystemExit(1) from None
                raise

    return guarded


def wants_help(arguments: Sequence[str]) -> bool:
    """Whether the command was given nothing, or asked what it takes."""
    return not arguments or any(argument in _HELP_FLAGS for argument in arguments)


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether Hydra is asked to go through comma-separated values, one job for each."""
    return any(argument in _SWEEP_FLAGS for argument in arguments)


def _own_line(error: HowardError) -> str:
    """The error's text on one line; of one from a worker process of torch, what follows that process's traceback."""
    text = str(error).rstrip()
    if "Traceback (most recent call last)" in text:
        last = text.rpartition("\n")[2]
        text = last.removeprefix(f"{type(error).__module__}.{type(error).__qualname__}: ")
    return one_line(text)


def _leave(line: str, code: int) -> NoReturn:
    print(line, file=sys.stderr)
    raise SystemExit(code)
