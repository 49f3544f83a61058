"""Makes Hydra pleasant for people: any file name works, typing errors are met with a hint, trouble fits on one line.

Every command takes ``key=value`` arguments. They are checked against the composed config, which knows each key and its
type, and only then handed on, quoted for Hydra's grammar. No torch here.
"""

import difflib
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

from hydra import compose, initialize, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import AnyNode, BooleanNode, DictConfig, FloatNode, IntegerNode, Node, OmegaConf, PathNode, StringNode
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from howard.errors import HowardError, SettingsError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Settings = TypeVar("Settings")

_HYDRA_FLAGS = ("-m", "--multirun", "--cfg", "--resolve", "--info")
_HELP_FLAGS = ("-h", "--help", "help")
_CONVERSIONS = {
    IntegerNode: ("a whole number", int),
    FloatNode: ("a number", float),
    BooleanNode: ("true or false", lambda text: ("true", "false").index(text.lower())),
}


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


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether Hydra is asked to go through comma-separated values, one job for each."""
    return any(argument in ("-m", "--multirun") for argument in arguments)


def help_page(command: str, purpose: str, settings_class: type, examples: Sequence[str]) -> str:
    """A page for people, made from the settings' dataclass, so that it cannot fall behind."""
    docs = _docs(settings_class)
    rows = [(f"{each.name}=", _default_text(each.default), docs[each.name]) for each in fields(settings_class)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {key:<{widths[0]}}  {default:<{widths[1]}}  {doc}" for key, default, doc in rows]
    shown = [f"  {example}" for example in examples]
    return "\n".join([f"usage: {command} key=value ...", "", purpose, "", *lines, "", "examples:", *shown])


def read_settings(settings_class: type[Settings], config_name: str, arguments: Sequence[str]) -> Settings:
    """Turn ``key=value`` arguments into an instance of the dataclass registered with Hydra under ``config_name``.

    In fields that are paths a leading ``~/`` means home. Raises SettingsError, in one line, for unknown keys, values of
    a wrong type and required settings left out.
    """
    with _hydra(None):
        config = _compose(config_name, _checked(arguments, config_name, research=False))
        return as_settings(settings_class, config)


def as_settings(settings_class: type[Settings], config: DictConfig) -> Settings:
    """A composed config as an instance of its dataclass; raises SettingsError where a required setting was left out.

    In fields that are paths a leading ``~/`` means home.
    """
    missing = OmegaConf.missing_keys(config)
    for key, doc in _docs(settings_class).items():
        if key in missing:
            raise SettingsError(f"{key}= is missing: {doc}")
    settings: Any = OmegaConf.to_object(config)
    for each in fields(settings_class):  # type: ignore[arg-type]
        if each.metadata.get("is_path"):
            setattr(settings, each.name, _from_home(getattr(settings, each.name)))
    return settings


def hydra_arguments(arguments: Sequence[str], config_name: str, config_folder: Path) -> list[str]:
    """Check a research command's arguments and return them as Hydra's own ``main`` takes them.

    Strings are quoted, so that any file name works; groups (``experiment=coarse``), dotted keys and Hydra's flags pass.
    Hydra's own language is left alone: ``+key=``, ``~key``, ``hydra.key=``, ``hydra/group=``, and all values of a sweep
    (``--multirun``).

    Raises SettingsError, in one line, for unknown keys and options and for values of a wrong type, be it on the command
    line or in a file of settings that it chooses.
    """
    with _hydra(config_folder):
        checked = _checked(arguments, config_name, research=True)
        for overrides in _jobs(checked) if is_sweep(checked) else [checked]:
            _compose(config_name, [each for each in overrides if not each.startswith("-")])
    return checked


def quote(text: str) -> str:
    """Write any string as a value in Hydra's override grammar, such that it arrives unchanged."""
    # OmegaConf takes ${ for an interpolation unless escaped; backslashes just before it must be doubled.
    literal = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", text)
    # Hydra's lexer, in turn, takes backslashes for escapes only before a quotation mark and at the end.
    escaped = re.sub(r"(\\*)('|\Z)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), literal)
    return f"'{escaped}'"


def _checked(arguments: Sequence[str], config_name: str, research: bool) -> list[str]:
    """The arguments in their order, checked against the config that the chosen groups make, and quoted."""
    sweep = research and is_sweep(arguments)
    split = [_split(argument, research) for argument in arguments]
    groups = dict(_groups()) if research else {}
    choices = [
        f"{key}={_chosen_option(key, value.split(',') if sweep else [value], groups[key])}"
        for key, value in split
        if value is not None and key in groups
    ]
    nodes = dict(_nodes(_compose(config_name, choices)))
    checked = []
    for argument, (key, value) in zip(arguments, split, strict=True):
        if value is None or key in groups:
            checked.append(argument)
        elif key not in nodes:
            raise SettingsError(f"unknown setting '{key}'{_hint(key, [*nodes, *groups])}")
        else:
            checked.append(f"{key}={value if sweep else _checked_value(key, value, nodes[key])}")
    return checked


def _split(argument: str, research: bool) -> tuple[str, str | None]:
    """Key and value, parted at the first ``=``; the value is None for what is Hydra's business alone."""
    key, equals, value = argument.partition("=")
    if research and (key in _HYDRA_FLAGS or key.startswith(("+", "~", "hydra.", "hydra/"))):
        return key, None
    if key.startswith("-"):
        raise SettingsError(f"unknown option '{key}': settings are written without dashes, as key=value; see --help")
    if not equals:
        raise SettingsError(f"'{argument}' is not key=value; a value with spaces needs quotes: \"key=value\"")
    if not value:
        raise SettingsError(f"{key}= has no value; give one, or leave the setting out")
    return key, value


def _checked_value(key: str, value: str, node: Node) -> str:
    """The value as Hydra will read it, after a check against the type of the config's node."""
    if value == "null" and node._is_optional():
        return value
    if value == "???":
        raise SettingsError(f"{key}=??? cannot be used as a value; write a file of that name as ./???")
    if isinstance(node, StringNode | PathNode) or (isinstance(node, AnyNode) and isinstance(node._value(), str)):
        return quote(value)
    if type(node) in _CONVERSIONS:
        expected, convert = _CONVERSIONS[type(node)]
        try:
            convert(value)
        except ValueError:
            raise SettingsError(f"{key}={value} is not {expected}") from None
    return value


def _nodes(config: Node, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Every dotted key of a config with its node, those of whole sections included."""
    if not isinstance(config, DictConfig) or config._is_none() or config._is_missing():
        return
    for name in config:
        node = config._get_node(name)
        if isinstance(node, Node):
            yield f"{prefix}{name}", node
            yield from _nodes(node, f"{prefix}{name}.")


def _groups(parent: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every config group, as ``model`` or ``model/encoder``, with what may be chosen for it; Hydra's own left out."""
    loader = GlobalHydra.instance().config_loader()
    for name in loader.list_groups(parent):
        group = f"{parent}/{name}".lstrip("/")
        if group != "hydra":
            yield group, loader.get_group_options(group)
            yield from _groups(group)


def _chosen_option(group: str, chosen: Sequence[str], options: Sequence[str]) -> str:
    """The option that stands for the choice while keys are looked up; of a sweep, the first."""
    for option in chosen:
        if option not in options and option != "null":
            raise SettingsError(f"there is no {group} '{option}'{_hint(option, options)}")
    return chosen[0]


def _hint(wrong: str, known: Sequence[str]) -> str:
    """The end of an error line: what was probably meant, or else what there is."""
    by_last_name = {key.rpartition(".")[2]: key for key in reversed(known)}
    last_name = wrong.rpartition(".")[2]
    same = [by_last_name[last_name]] if last_name in by_last_name else []
    alike = [by_last_name[name] for name in difflib.get_close_matches(last_name, by_last_name, n=1)]
    close = same or difflib.get_close_matches(wrong, known, n=1) or alike
    if close:
        return f"; did you mean '{close[0]}'?"
    there_are = dict.fromkeys(key for key in known if "." not in key)
    return f"; there are: {', '.join(there_are)}"


def _jobs(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Jobs of a sweep in which every value occurs: each once, beside the first values of the others."""
    given = [argument for argument in arguments if not argument.startswith("-")]
    try:
        parsed = OverridesParser.create().parse_overrides(given)
    except HydraException as error:
        raise SettingsError(f"the settings do not fit: {' '.join(str(error).split())}") from error
    choices = [
        [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
        if override.is_sweep_override()
        else [argument]
        for argument, override in zip(given, parsed, strict=True)
    ]
    firsts = [values[0] for values in choices]
    yield firsts
    for index, values in enumerate(choices):
        for value in values[1:]:
            yield [*firsts[:index], value, *firsts[index + 1 :]]


@contextmanager
def _hydra(config_folder: Path | None) -> Iterator[None]:
    """Hydra, ready to compose from a folder, or from registered dataclasses alone."""
    with (
        initialize_config_dir(str(config_folder.resolve()), version_base=None)
        if config_folder
        else initialize(config_path=None, version_base=None)
    ):
        yield


def _compose(config_name: str, overrides: list[str]) -> DictConfig:
    try:
        return compose(config_name, overrides)
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        text = " ".join(str(error.__cause__ or error).split())
    raise SettingsError(_explained(text, config_name))


def _explained(text: str, config_name: str) -> str:
    """What OmegaConf and Hydra say of a key, value or choice that does not fit, as we would say it."""
    found = re.match(r"In '(.+?)'", text)
    place = f"{found[1]}.yaml: " if found else ""
    if choice := re.search(r"Could not find '(.+)/(.+?)' Available options in '.*?': (.*?) Config search path", text):
        return f"{place}there is no {choice[1]} '{choice[2]}'{_hint(choice[2], choice[3].split())}"
    key = re.search(r"full_key: (\S+)", text)
    if key and "ConfigKeyError" in text:
        return f"{place}unknown setting '{key[1]}'{_hint(key[1], [name for name, _ in _nodes(compose(config_name))])}"
    if key and (value := re.search(r"Invalid value '(.*)', expected one of \[(.*)\]", text)):
        return f"{place}{key[1]} cannot be '{value[1]}'{_hint(value[1], value[2].split(', '))}"
    if key and (value := re.search(r"Value '(.*?)'(?: of type '\w+')? could not be converted to (\w+)", text)):
        expected = {"Integer": "a whole number", "Float": "a number"}.get(value[2], f"a {value[2]}")
        return f"{place}{key[1]}={value[1]} is not {expected}"
    return f"the settings do not fit: {text}"


def _from_home(path: str | None) -> str | None:
    """Some shells leave ``~/`` alone after ``key=``; a folder called ``~`` is then the last thing that is wanted."""
    if path is None or not path.startswith("~/") or Path("~").exists():
        return path
    return os.path.expanduser(path)


def _docs(settings_class: Any) -> dict[str, str]:
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
