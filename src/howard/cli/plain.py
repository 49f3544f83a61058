"""From ``key=value`` arguments to the dataclass of a command's settings, without Hydra."""

from collections.abc import Sequence
from typing import Any, TypeVar

from howard.errors import SettingsError, quoted
from howard.fields import find_setting, validate

Settings = TypeVar("Settings")


def read_settings(settings_class: type[Settings], arguments: Sequence[str]) -> Settings:
    """Turn ``key=value`` arguments into an instance of a dataclass of settings; the last value of a key counts.

    Values arrive as typed, whatever their characters; in paths a leading ``~/`` means home. Raises SettingsError, in
    one line, for unknown keys, impossible values and required settings left out.
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
    """Key and value, parted at the first ``=``; raises SettingsError where it is not of this form."""
    key, equals, value = argument.partition("=")
    if key.startswith("-"):
        raise SettingsError(
            f"unknown option '{quoted(key)}': settings are written without dashes, as key=value; see --help"
        )
    if not equals:
        raise SettingsError(f"'{quoted(argument)}' is not key=value; a value with spaces needs quotes: \"key=value\"")
    if not value:
        raise SettingsError(f"{quoted(key)}= has no value; give one, or leave the setting out")
    return key, value
