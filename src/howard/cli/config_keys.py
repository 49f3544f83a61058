"""The keys of a composed config with their declared types, and values checked and quoted for Hydra's grammar."""

import re
import types
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, ListConfig, OmegaConf

from howard.errors import SettingsError, quoted

# Function names of Hydra's sweep grammar; a plain text of this form has to be quoted.
_SWEEP_FUNCTION = re.compile(r"(choice|range|interval|glob|sort|shuffle|tag)\(")
_CONVERSIONS: dict[Any, tuple[str, Any]] = {
    int: ("a whole number", int),
    float: ("a number", float),
    bool: ("true or false", lambda text: ("true", "false").index(text.lower())),
}


class KeyType(NamedTuple):
    """Type of a config key: ``kind`` is the declared type, or ``str``, ``list`` or ``Any`` by the value's type."""

    kind: Any
    is_optional: bool

    @property
    def is_text(self) -> bool:
        """Whether values are strings or paths, which have to be quoted."""
        return self.kind in (str, Path)


def list_keys(config: DictConfig, prefix: str = "", element_type: Any = Any) -> Iterator[tuple[str, KeyType]]:
    """Every dotted key of a config with its type, whole sections included.

    ``element_type`` is the declared type of the values where the config is a dictionary and not a dataclass.
    """
    if not config.keys():  # also those of null and of a missing section
        return
    schema = OmegaConf.get_type(config)
    hints = typing.get_type_hints(schema) if is_dataclass(schema) else {}
    for name, value in config.items_ex(resolve=False):
        hint = hints.get(str(name), element_type)
        yield f"{prefix}{name}", _key_type(hint, value)
        if isinstance(value, DictConfig):
            arguments = typing.get_args(hint) if typing.get_origin(hint) is dict else ()
            yield from list_keys(value, f"{prefix}{name}.", arguments[1] if arguments else Any)


def checked_value(key: str, value: str, key_type: KeyType) -> str:
    """The value as Hydra will parse it, checked against the key's type.

    Raises:
        SettingsError: in one line, where it has the wrong type.
    """
    if value == "null" and key_type.is_optional:
        return value
    if value == "???":
        raise SettingsError(f"{key}=??? cannot be used as a value; write a file of that name as ./???")
    if key_type.is_text:
        return quote(value)
    if key_type.kind is list and not value.startswith(("[", "${")):
        raise SettingsError(f"{key}={quoted(value)} is not a list; write {key}=[{quoted(value)}]")
    if key_type.kind in _CONVERSIONS:
        expected, convert = _CONVERSIONS[key_type.kind]
        try:
            convert(value)
        except ValueError:
            raise SettingsError(f"{key}={quoted(value)} is not {expected}") from None
    return value


def swept_values(key: str, value: str, key_type: KeyType) -> str:
    """The values of a sweep as Hydra will parse them: texts are split at commas outside of brackets, and quoted.

    A text that is the path of a file is one value. Hydra's sweep functions and quoted texts are passed on unchanged.
    """
    if not key_type.is_text or _SWEEP_FUNCTION.match(value):
        return value
    if Path(value).exists():
        return quote(value)
    parts = split_at_commas(value)
    return ",".join(part if part[:1] in ("'", '"') or part == "null" else quote(part) for part in parts)


def split_at_commas(text: str) -> list[str]:
    """The parts of a text between commas that stand outside of brackets and quotation marks."""
    parts, depth, open_quote = [""], 0, ""
    for character in text:
        if open_quote:
            open_quote = "" if character == open_quote else open_quote
        elif character in "'\"":
            open_quote = character
        else:
            depth += (character == "[") - (character == "]")
        if character == "," and depth <= 0 and not open_quote:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def quote(text: str) -> str:
    """Write any string as a value in Hydra's override grammar, such that it arrives unchanged."""
    # OmegaConf takes ${ for an interpolation unless escaped; backslashes just before it must be doubled.
    literal = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", text)
    # Hydra's lexer, in turn, takes backslashes for escapes only before a quotation mark and at the end.
    escaped = re.sub(r"(\\*)('|\Z)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), literal)
    return f"'{escaped}'"


def _key_type(hint: Any, value: Any) -> KeyType:
    if hint is Any:
        kinds = {str: isinstance(value, str), list: isinstance(value, ListConfig)}
        return KeyType(next((kind for kind, holds in kinds.items() if holds), Any), is_optional=True)
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    members = typing.get_args(hint) if is_union else (hint,)
    kinds = [typing.get_origin(member) or member for member in members if member is not types.NoneType]
    return KeyType(kinds[0] if len(kinds) == 1 else Any, is_optional=types.NoneType in members)
