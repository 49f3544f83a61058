"""Settings as dataclass fields, each with its type, default, help text, choices and check.

Standard library only, so that help pages and errors about settings are shown at once.
"""

import difflib
import functools
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from howard.errors import SettingsError, quoted

# Default of required settings; OmegaConf uses the same text for missing values.
REQUIRED = "???"

Check = Callable[[Any], str | None]
_SWITCHES = {"true": True, "false": False}


def setting(
    default: Any,
    doc: str,
    *,
    choices: Mapping[str, str] | Sequence[str] = (),
    check: Check | None = None,
    is_path: bool = False,
    is_recorded: bool = False,
    is_list: bool = False,
    aliases: Sequence[str] = (),
    group: str = "",
) -> Any:
    """A dataclass field for a setting.

    Args:
        default: value if not given; `REQUIRED` if it must be given.
        doc: help text, without the choices.
        choices: allowed values, each with its meaning, "" if it needs no explanation.
        check: returns the problem and remedy of a value, or None; not called with None.
        is_path: whether ``~/`` at the start is expanded.
        is_recorded: whether it affects the result, and is stored with it.
        is_list: whether several of the choices may be given: "[a,b]", or a sequence from Python.
        aliases: former and other names, which also work.
        group: heading of the documentation under which it is listed.
    """
    meanings = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
    metadata = {"doc": doc, "choices": meanings, "check": check, "group": group, "aliases": tuple(aliases)}
    flags = {"is_path": is_path, "is_recorded": is_recorded, "is_list": is_list}
    return field(default=default, metadata=metadata | flags)


def at_least(least: int, problem: str) -> Check:
    """A check for numbers of ``least`` or more; ``problem`` follows the value in the error line."""
    return lambda value: None if value >= least else problem


@dataclass(frozen=True)
class Between:
    """A check for numbers from ``least`` to ``most``, both included; NaN fails."""

    least: float
    most: float

    def __call__(self, value: Any) -> str | None:
        """The problem of a value, or None."""
        return None if self.least <= value <= self.most else f"is not between {self.least:g} and {self.most:g}"


@dataclass(frozen=True)
class Setting:
    """One setting of a dataclass; see :func:`setting`. ``types`` are the types of its values other than None."""

    name: str
    default: Any
    types: tuple[type, ...]
    is_optional: bool
    doc: str
    choices: Mapping[str, str]
    check: Check | None
    is_path: bool
    is_recorded: bool
    is_list: bool
    aliases: tuple[str, ...]
    group: str

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default == REQUIRED

    def parse(self, text: str) -> Any:
        """Parse the text of a command line; raises SettingsError if it is not a value.

        ``null`` is None if None is allowed. ``~/`` at the start of a path is expanded.
        """
        if text == "null" and self.is_optional:
            return None
        if text == REQUIRED and self.is_required:
            raise SettingsError(f"{self.name}={text} cannot be used as a value; write a file of that name as ./{text}")
        if str in self.types:
            return self.from_home(text)
        kind, expected = self._kind()
        try:
            return _SWITCHES[text.lower()] if kind is bool else kind(text)
        except (ValueError, KeyError):
            raise SettingsError(f"{self.name}={quoted(text)} is not {expected}") from None

    def from_home(self, text: str) -> str:
        """Expand ``~/`` at the start of a path, which some shells do not do after ``key=``.

        A folder that is named ``~`` takes precedence.
        """
        if not self.is_path or not text.startswith("~/") or Path("~").exists():
            return text
        return os.path.expanduser(text)

    def validate(self, value: Any) -> None:
        """Raise SettingsError, with the value and the remedy, if the value is not allowed."""
        if value is None and self.is_optional:
            return
        if self.is_required and value == REQUIRED:
            raise SettingsError(f"{self.name}= is missing: {self.doc}")
        # An int is also a float. True is an int in Python, but not as a value of a setting.
        accepted = (*self.types, int) if float in self.types else self.types
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in self.types):
            raise SettingsError(f"{self.name}={quoted(value)} is not {self._kind()[1]}")
        for member in self._members(value):
            if self.choices and member not in self.choices:
                raise SettingsError(f"{self.name}={quoted(member)} is not known; choose {one_of(list(self.choices))}")
        problem = self.check(value) if self.check else None
        if problem:
            raise SettingsError(f"{self.name}={quoted(value)} {problem}")

    def _members(self, value: Any) -> tuple[Any, ...]:
        """The values to check: ``value`` itself, or the members of a list, which must not be empty."""
        if not self.is_list:
            return (value,)
        members = split_list(value)
        if isinstance(value, str) and "," in value and members == (value,):
            raise SettingsError(
                f"{self.name}={quoted(value)} is not a list; write several as {self.name}=[a,b], without spaces"
            )
        if not all(isinstance(member, str) for member in members):
            raise SettingsError(f"{self.name}={quoted(value)} is not {self._kind()[1]}")
        repeated = next((member for member in members if members.count(member) > 1), None)
        if repeated is not None:
            raise SettingsError(f"{self.name}={join_list(members)} has {quoted(repeated)} twice; give it once")
        if not members:
            raise SettingsError(f"{self.name}=[] names nothing; choose {one_of(list(self.choices))}")
        return members

    def explain(self) -> str:
        """The help text with the choices, each with its meaning."""
        if not self.choices:
            return self.doc
        meanings = [f"{name} ({meaning})" if meaning else name for name, meaning in self.choices.items()]
        return f"{self.doc}: {one_of(meanings)}"

    def default_text(self) -> str:
        """The default as it is typed; "required" if there is none, "-" for None."""
        if self.is_required:
            return "required"
        if self.default is None:
            return "-"
        return str(self.default).lower() if isinstance(self.default, bool) else str(self.default)

    def _kind(self) -> tuple[Callable[[str], Any], str]:
        """The conversion from text, and the name of such a value in error messages."""
        if bool in self.types:
            return bool, "true or false"
        if int in self.types and str not in self.types and float not in self.types:
            return int, "a whole number"
        if float in self.types and str not in self.types:
            return float, "a number"
        return str, "a path or a text" if self.is_path else "a text"


@functools.cache
def list_settings(settings_class: type) -> tuple[Setting, ...]:
    """Every setting of a dataclass whose fields were made by :func:`setting`; its own before those it inherits."""
    hints = typing.get_type_hints(settings_class)
    ordered = sorted(fields(settings_class), key=lambda each: each.name not in settings_class.__annotations__)
    return tuple(_describe(each, hints[each.name]) for each in ordered)


def validate(settings: Any) -> None:
    """Raise SettingsError for the first setting of a dataclass with an invalid value."""
    for each in list_settings(type(settings)):
        each.validate(getattr(settings, each.name))


def split_list(value: str | Sequence[str]) -> tuple[str, ...]:
    """The members of a list setting's value: "[a, b]" has two, "a" is one."""
    if not isinstance(value, str):
        return tuple(value)
    if not (value.startswith("[") and value.endswith("]")):
        return (value,)
    return tuple(filter(None, (member.strip() for member in value[1:-1].split(","))))


def join_list(members: Sequence[str]) -> str:
    """A list setting's value as it is typed: "[a,b]", or "a" alone."""
    return members[0] if len(members) == 1 else f"[{','.join(members)}]"


def find_setting(settings_class: type, name: str) -> Setting:
    """The setting with this name or alias; raises SettingsError, with a suggestion, if there is none."""
    known = list_settings(settings_class)
    for each in known:
        if name == each.name or name in each.aliases:
            return each
    raise SettingsError(f"unknown setting '{quoted(name)}'{did_you_mean(name, [each.name for each in known])}")


def did_you_mean(wrong: str, known: Sequence[str]) -> str:
    """The end of an error line: the most similar known name, else all known names.

    The last part of a dotted name (``model.encoder``) is compared too.
    """
    by_last_name = {key.rpartition(".")[2]: key for key in reversed(known)}
    last_name = wrong.rpartition(".")[2]
    same = [by_last_name[last_name]] if last_name in by_last_name else []
    alike = [by_last_name[name] for name in difflib.get_close_matches(last_name, by_last_name, n=1)]
    close = same or difflib.get_close_matches(wrong, known, n=1) or alike
    if close:
        return f"; did you mean '{close[0]}'?"
    listed = dict.fromkeys(key for key in known if "." not in key)
    return f"; there are: {', '.join(listed)}"


def one_of(names: Sequence[str]) -> str:
    """Names in words: "a, b or c"."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _describe(each: Any, hint: Any) -> Setting:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    members = typing.get_args(hint) if is_union else (hint,)
    return Setting(
        name=each.name,
        default=each.default,
        types=tuple(typing.get_origin(member) or member for member in members if member is not types.NoneType),
        is_optional=types.NoneType in members,
        **each.metadata,
    )
