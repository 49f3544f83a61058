"""Start and end of every command: help and sweep flags, the folder of configs, errors as one line."""

import functools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import howard
from howard.errors import HowardError, one_line
from howard.interrupts import EXIT_CODE, MESSAGE, recording_interrupts
from howard.requirements import missing_package

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_HELP_FLAGS = ("-h", "--help", "help")
_SWEEP_FLAGS = ("-m", "--multirun")


def friendly(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate an entry point: errors meant for users become one line and an exit code.

    A HowardError exits with its code (2 as a rule), a missing optional package with 2, Ctrl-C with 130. Any other
    exception is a bug and keeps its traceback, unless Ctrl-C was pressed before: interrupted code may raise anything.
    Also use it inside ``@hydra.main``, which would otherwise print its own traceback. Characters that the terminal's
    encoding lacks are printed as escapes.
    """

    @functools.wraps(function)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for stream in (sys.stdout, sys.stderr):
            # Replaced streams, as in notebooks and tests, may lack it.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        with recording_interrupts() as was_interrupted:
            try:
                return function(*args, **kwargs)
            except KeyboardInterrupt:
                _exit(MESSAGE, EXIT_CODE)
            except Exception as error:
                if was_interrupted():
                    _exit(MESSAGE, EXIT_CODE)
                if isinstance(error, HowardError):
                    _exit(f"error: {_message_of(error)}", error.exit_code)
                if missing := missing_package(error):
                    _exit(f"error: {missing}", missing.exit_code)
                if isinstance(error, BrokenPipeError):
                    # The reader of the pipe has ended; Python would raise again when it flushes at exit.
                    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                    raise SystemExit(1) from None
                raise

    return guarded


def wants_help(arguments: Sequence[str]) -> bool:
    """Whether the help page is to be shown: there are no arguments, or one asks for help."""
    return not arguments or any(argument in _HELP_FLAGS for argument in arguments)


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for a sweep (``--multirun``): a job for each comma-separated value."""
    return any(argument in _SWEEP_FLAGS for argument in arguments)


def config_folder() -> Path:
    """The folder of Hydra configs: ``howard/configs`` of an installed wheel, else ``configs/`` of the repository."""
    package = Path(howard.__file__).parent
    installed = package / "configs"
    return installed if installed.is_dir() else package.parents[1] / "configs"


def _message_of(error: HowardError) -> str:
    """The error's text on one line. An error from a torch worker process contains a traceback, which is removed."""
    text = str(error).rstrip()
    if "Traceback (most recent call last)" in text:
        last = text.rpartition("\n")[2]
        text = last.removeprefix(f"{type(error).__module__}.{type(error).__qualname__}: ")
    return one_line(text)


def _exit(line: str, code: int) -> NoReturn:
    print(line, file=sys.stderr)
    raise SystemExit(code)
