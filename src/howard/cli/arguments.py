"""Command-line arguments checked against the composed config, then quoted for Hydra or applied to a stored config."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from howard.cli.composing import compose_config, hydra_ready, list_groups
from howard.cli.config_keys import checked_value, list_keys, split_at_commas, swept_values
from howard.cli.entry import is_sweep
from howard.cli.plain import split_argument
from howard.errors import SettingsError, quoted
from howard.fields import did_you_mean

_HYDRA_FLAGS = ("-m", "--multirun", "--resolve")
# Hydra's flags that print something instead of running, with their values; --package takes a section of the config.
_SHOWN = ("job", "hydra", "all")
_VALUE_FLAGS: dict[str, tuple[str, ...]] = {"--cfg": _SHOWN, "-c": _SHOWN, "--package": (), "-p": ()}


def hydra_arguments(
    arguments: Sequence[str],
    config_name: str,
    config_folder: Path,
    check: Callable[[DictConfig], None] | None = None,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Check a command's arguments and return them as ``hydra.main`` takes them.

    Strings are quoted, so that any file name works. Groups (``experiment=coarse``), dotted keys and Hydra's flags are
    accepted. Hydra's own syntax is passed on unchanged: ``+key=``, ``~key``, ``hydra.key=``, ``hydra/group=``, and in a
    sweep (``--multirun``) its functions, numbers and booleans; texts of a sweep are split at commas outside of
    brackets.

    Args:
        arguments: those of the command line.
        config_name: the primary config.
        config_folder: the folder of configs.
        check: called with every composed config; raises SettingsError for errors that the schemas cannot express.
        renamed: current keys by former keys; the error for a config file with a former key names the current one.

    Raises:
        SettingsError: in one line, for unknown keys and options and for values of a wrong type, on the command line or
            in a config file that it selects.
    """
    flags, overrides = _split_flags(arguments)
    sweep = is_sweep(flags)
    with hydra_ready(config_folder):
        checked = _checked(overrides, config_name, sweep, renamed)
        for job in _jobs(checked) if sweep else [checked]:
            config = compose_config(config_name, job, renamed)
            if check is not None:
                check(config)
    return [*flags, *checked]


def override(config: DictConfig, arguments: Sequence[str]) -> DictConfig:
    """A copy of a composed or stored config with ``key=value`` arguments applied.

    Raises:
        SettingsError: in one line, for unknown keys and invalid values.
    """
    changed: DictConfig = config.copy()
    keys = dict(list_keys(changed))
    for argument in arguments:
        key, text = split_argument(argument)
        if key not in keys:
            raise SettingsError(f"unknown setting '{quoted(key)}'{did_you_mean(key, list(keys))}")
        try:
            parsed = OverridesParser.create().parse_override(f"{key}={checked_value(key, text, keys[key])}")
            value: Any = parsed.value()
            is_name = isinstance(keys[key].kind, type) and issubclass(keys[key].kind, Enum)
            OmegaConf.update(changed, key, str(value) if is_name and value is not None else value, merge=False)
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            problem = " ".join(str(error).split())
            raise SettingsError(f"{key}={quoted(text)} does not fit: {quoted(problem)}") from error
    return changed


def _split_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with their values, and all other arguments; raises SettingsError for an invalid value."""
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


def _checked(arguments: Sequence[str], config_name: str, sweep: bool, renamed: Mapping[str, str]) -> list[str]:
    """The arguments in their order, checked against the config that the selected groups compose, and quoted."""
    split = [_split(argument) for argument in arguments]
    groups = dict(list_groups())
    choices = [
        f"{key}={_checked_option(key, split_at_commas(value) if sweep else [value], groups[key])}"
        for key, value in split
        if value is not None and key in groups
    ]
    keys = dict(list_keys(compose_config(config_name, choices, renamed)))
    checked = []
    for argument, (key, value) in zip(arguments, split, strict=True):
        if value is None or key in groups:
            checked.append(argument)
        elif key not in keys:
            raise SettingsError(f"unknown setting '{quoted(key)}'{did_you_mean(key, [*keys, *groups])}")
        else:
            convert = swept_values if sweep else checked_value
            checked.append(f"{key}={convert(key, value, keys[key])}")
    return checked


def _split(argument: str) -> tuple[str, str | None]:
    """Key and value; the value is None for Hydra's own syntax, which is not checked."""
    key = argument.partition("=")[0]
    if key.startswith(("+", "~", "hydra.", "hydra/")):
        return key, None
    return split_argument(argument)


def _checked_option(group: str, chosen: Sequence[str], options: Sequence[str]) -> str:
    """Check the chosen options of a group, and return the first: keys are looked up in the config that it composes.

    Each choice is the name of an option, or several of them in brackets.
    """
    for choice in chosen:
        for option in choice[1:-1].split(",") if choice.startswith("[") else [choice]:
            if option.strip() not in options and option != "null":
                raise SettingsError(f"there is no {group} '{option}'{did_you_mean(option, options)}")
    return chosen[0]


def _jobs(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Jobs of a sweep that together have every value: each value once, beside the first values of the other keys."""
    try:
        parsed = OverridesParser.create().parse_overrides(list(arguments))
    # Hydra does not catch the ValueError that Python raises for numbers with thousands of digits.
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
