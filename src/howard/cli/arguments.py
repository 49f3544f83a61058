"""Arguments of commands that sweep and choose from config groups: checked, then quoted for Hydra."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import (
    AnyNode,
    BooleanNode,
    DictConfig,
    FloatNode,
    IntegerNode,
    ListConfig,
    Node,
    OmegaConf,
    PathNode,
    StringNode,
)
from omegaconf.errors import OmegaConfBaseException

from howard.cli.composing import compose_config, hydra_ready, list_groups, list_nodes
from howard.cli.entry import is_sweep
from howard.cli.plain import split_argument
from howard.errors import SettingsError, quoted
from howard.fields import did_you_mean, list_settings, validate

Settings = TypeVar("Settings")

_HYDRA_FLAGS = ("-m", "--multirun", "--resolve")
# Hydra's flags that print something instead of running, with their values; --package takes a section of the config.
_SHOWN = ("job", "hydra", "all")
_VALUE_FLAGS: dict[str, tuple[str, ...]] = {"--cfg": _SHOWN, "-c": _SHOWN, "--package": (), "-p": ()}
# What Hydra's grammar of sweeps calls; a text that looks alike must be quoted.
_HYDRA_FUNCTION = re.compile(r"(choice|range|interval|glob|sort|shuffle|tag)\(")
_CONVERSIONS = {
    IntegerNode: ("a whole number", int),
    FloatNode: ("a number", float),
    BooleanNode: ("true or false", lambda text: ("true", "false").index(text.lower())),
}


def as_settings(settings_class: type[Settings], config: DictConfig) -> Settings:
    """A composed config as an instance of its dataclass; in paths a leading ``~/`` means home.

    Raises SettingsError for impossible values and where a required setting was left out.
    """
    try:
        values: Any = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        # Of ${...}, which only Hydra's own grammar knows: without -m such a text is taken as it is.
        raise SettingsError(f"the settings do not fit: {str(error).splitlines()[0]}") from error
    for each in list_settings(settings_class):
        if isinstance(values[each.name], str):
            values[each.name] = each.from_home(values[each.name])
    settings = settings_class(**values)
    validate(settings)
    return settings


def hydra_arguments(
    arguments: Sequence[str],
    config_name: str,
    config_folder: Path,
    check: Callable[[DictConfig], None] | None = None,
) -> list[str]:
    """Check a research command's arguments and return them as Hydra's own ``main`` takes them.

    Strings are quoted, so that any file name works; groups (``experiment=coarse``), dotted keys and Hydra's flags pass.
    Hydra's own language is left alone: ``+key=``, ``~key``, ``hydra.key=``, ``hydra/group=``, and in a sweep
    (``--multirun``) its functions, numbers and switches; texts of a sweep part at commas outside of brackets.

    ``check`` is called with every config that is composed, and raises SettingsError for what it alone knows.

    Raises SettingsError, in one line, for unknown keys and options and for values of a wrong type, be it on the command
    line or in a file of settings that it chooses.
    """
    flags, overrides = _split_flags(arguments)
    sweep = is_sweep(flags)
    with hydra_ready(config_folder):
        checked = _checked(overrides, config_name, sweep)
        for job in _jobs(checked) if sweep else [checked]:
            config = compose_config(config_name, job)
            if check is not None:
                check(config)
    return [*flags, *checked]


def quote(text: str) -> str:
    """Write any string as a value in Hydra's override grammar, such that it arrives unchanged."""
    # OmegaConf takes ${ for an interpolation unless escaped; backslashes just before it must be doubled.
    literal = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", text)
    # Hydra's lexer, in turn, takes backslashes for escapes only before a quotation mark and at the end.
    escaped = re.sub(r"(\\*)('|\Z)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), literal)
    return f"'{escaped}'"


def _split_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with their values, and all other arguments; raises SettingsError for an impossible value."""
    flags, others, rest = [], [], list(arguments)
    while rest:
        argument = rest.pop(0)
        flag, equals, value = argument.partition("=")
        if argument in _HYDRA_FLAGS:
            flags.append(argument)
        elif flag in _VALUE_FLAGS:
            choices = _VALUE_FLAGS[flag]
            value = value if equals else rest.pop(0) if rest else ""
            if not value or (choices and value not in choices):
                expected = f"one of {', '.join(choices)}" if choices else "a section of the config, as trainer"
                raise SettingsError(f"{flag} needs {expected}; '{quoted(value)}' is not")
            flags += [flag, value]
        else:
            others.append(argument)
    return flags, others


def checked_value(key: str, value: str, node: Node) -> str:
    """The value as Hydra will read it, checked against the type of the config's node; raises SettingsError."""
    if value == "null" and node._is_optional():
        return value
    if value == "???":
        raise SettingsError(f"{key}=??? cannot be used as a value; write a file of that name as ./???")
    if _is_text(node):
        return quote(value)
    if isinstance(node, ListConfig) and not value.startswith(("[", "${")):
        raise SettingsError(f"{key}={quoted(value)} is not a list; write {key}=[{quoted(value)}]")
    if type(node) in _CONVERSIONS:
        expected, convert = _CONVERSIONS[type(node)]
        try:
            convert(value)
        except ValueError:
            raise SettingsError(f"{key}={quoted(value)} is not {expected}") from None
    return value


def _checked(arguments: Sequence[str], config_name: str, sweep: bool) -> list[str]:
    """The arguments in their order, checked against the config that the chosen groups make, and quoted."""
    split = [_split(argument) for argument in arguments]
    groups = dict(list_groups())
    choices = [
        f"{key}={_chosen_option(key, _split_at_commas(value) if sweep else [value], groups[key])}"
        for key, value in split
        if value is not None and key in groups
    ]
    nodes = dict(list_nodes(compose_config(config_name, choices)))
    checked = []
    for argument, (key, value) in zip(arguments, split, strict=True):
        if value is None or key in groups:
            checked.append(argument)
        elif key not in nodes:
            raise SettingsError(f"unknown setting '{quoted(key)}'{did_you_mean(key, [*nodes, *groups])}")
        else:
            convert = _swept_values if sweep else checked_value
            checked.append(f"{key}={convert(key, value, nodes[key])}")
    return checked


def _split(argument: str) -> tuple[str, str | None]:
    """Key and value; the value is None for what is left to Hydra."""
    key = argument.partition("=")[0]
    if key.startswith(("+", "~", "hydra.", "hydra/")):
        return key, None
    return split_argument(argument)


def _swept_values(key: str, value: str, node: Node) -> str:
    """The values of a sweep as Hydra will read them: texts part at commas outside of brackets and are quoted.

    What exists as a file is one value, whatever its characters. Hydra's sweep functions and quoted texts pass.
    """
    if not _is_text(node) or _HYDRA_FUNCTION.match(value):
        return value
    if Path(value).exists():
        return quote(value)
    parts = _split_at_commas(value)
    return ",".join(part if part[:1] in ("'", '"') or part == "null" else quote(part) for part in parts)


def _split_at_commas(text: str) -> list[str]:
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


def _is_text(node: Node) -> bool:
    return isinstance(node, StringNode | PathNode) or (isinstance(node, AnyNode) and isinstance(node._value(), str))


def _chosen_option(group: str, chosen: Sequence[str], options: Sequence[str]) -> str:
    """The option that stands for the choice while keys are looked up; of a sweep, the first.

    Each is the name of an option, or several of them in brackets.
    """
    for choice in chosen:
        for option in choice[1:-1].split(",") if choice.startswith("[") else [choice]:
            if option.strip() not in options and option != "null":
                raise SettingsError(f"there is no {group} '{option}'{did_you_mean(option, options)}")
    return chosen[0]


def _jobs(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Jobs of a sweep in which every value occurs: each once, beside the first values of the others."""
    try:
        parsed = OverridesParser.create().parse_overrides(list(arguments))
    # Hydra lets through what Python says of numbers with thousands of digits.
    except (HydraException, ValueError) as error:
        raise SettingsError(f"the settings do not fit: {' '.join(str(error).split())}") from error
    choices = [
        [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
        if override.is_sweep_override()
        else [argument]
        for argument, override in zip(arguments, parsed, strict=True)
    ]
    firsts = [values[0] for values in choices]
    yield firsts
    for index, values in enumerate(choices):
        for value in values[1:]:
            yield [*firsts[:index], value, *firsts[index + 1 :]]
