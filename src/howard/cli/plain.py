"""Parsing ``key=value`` arguments into a settings dataclass, without Hydra."""

from collections.abc import Sequence
from typing import Any, TypeVar

from howard.errors import SettingsError, quoted
from howard.fields import find_setting, validate

Settings = TypeVar("Settings")


def read_settings(settings_class: type[Settings], arguments: Sequence[str]) -> Settings:
    """Parse ``key=value`` arguments into an instance of a settings dataclass; the last value of a key counts.

    Values are taken literally, whatever their characters; ``~/`` at the start of a path is expanded.

    Raises:
        SettingsError: in one line, for unknown keys, invalid values and missing required settings.
    """
    values: dict[str, Any] = {}
    for argument in arguments:
        key, text = split_argument(argument)
        found = find_setting(settings_class, key)
        values[found.name] = found.parse(text)
    settings = settings_class(**values)
    validate(settings)
    return settings


def split_argument(argument: str) -> tuple[str, str]:
    """Key and value, split at the first ``=``; raises SettingsError for any other form."""
    key, equals, value = argument.partition("=")
    if key.startswith("-"):
        raise SettingsError(
            f"unknown option '{quoted(key)}': settings are written without dashes, as key=value; see --help"
        )
    if not equals:
        raise SettingsError(
            f"'{quoted(argument)}' is not key=value, as frames=1-100 is; "
            'a value with spaces needs quotes: "key=value"'
        )
    if not value:
        raise SettingsError(
            f"{quoted(key)}= has no value; give one, without a space after the =, or leave the setting out"
        )
    return key, value
