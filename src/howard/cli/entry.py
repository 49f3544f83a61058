"""How a command begins and ends: who wants help, what is shown then, and what trouble looks like."""

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields
from typing import Any, NoReturn, ParamSpec, TypeVar

from howard.errors import HowardError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_HELP_FLAGS = ("-h", "--help", "help")


def friendly(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate an entry point: a HowardError ends the program with one line and code 2, Ctrl-C with a note and 130.

    Any other exception is a bug and keeps its traceback. Goes inside ``@hydra.main``, too, which would otherwise print
    a traceback of its own.
    """

    @functools.wraps(function)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except HowardError as error:
            _leave(f"error: {_own_line(error)}", 2)
        except KeyboardInterrupt:
            _leave("stopped", 130)

    return guarded


def wants_help(arguments: Sequence[str]) -> bool:
    """Whether the command was given nothing, or asked what it takes."""
    return not arguments or any(argument in _HELP_FLAGS for argument in arguments)


def help_page(command: str, purpose: str, settings_class: type, examples: Sequence[str]) -> str:
    """A page for people, made from the settings' dataclass, so that it cannot fall behind."""
    docs = setting_docs(settings_class)
    rows = [(f"{each.name}=", _default_text(each.default), docs[each.name]) for each in fields(settings_class)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {key:<{widths[0]}}  {default:<{widths[1]}}  {doc}" for key, default, doc in rows]
    shown = [f"  {example}" for example in examples]
    return "\n".join([f"usage: {command} key=value ...", "", purpose, "", *lines, "", "examples:", *shown])


def setting_docs(settings_class: Any) -> dict[str, str]:
    return {each.name: each.metadata.get("doc", "") for each in fields(settings_class)}


def _default_text(default: Any) -> str:
    if default is NO_DEFAULT or default == "???":
        return "required"
    if default is None:
        return "-"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _own_line(error: HowardError) -> str:
    """What the error says itself: one from a worker process of torch carries that process's traceback before it."""
    last = str(error).rstrip().rpartition("\n")[2]
    return last.removeprefix(f"{type(error).__module__}.{type(error).__qualname__}: ")


def _leave(line: str, code: int) -> NoReturn:
    print(line, file=sys.stderr)
    raise SystemExit(code)
