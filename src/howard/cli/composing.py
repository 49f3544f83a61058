"""Composing configs with Hydra, and one-line errors for what does not fit, made from the fields of its exceptions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, make_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, EnumNode, FloatNode, IntegerNode, ListConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import YAMLError

from howard.cli.config_keys import list_keys
from howard.errors import SettingsError
from howard.fields import Setting, did_you_mean, list_settings, validate

Settings = TypeVar("Settings")

# Prefix of registered schemas. Options extend them (``defaults: [base_NAME]``); they are not options themselves.
SCHEMA_PREFIX = "base_"
# Packages that provide Hydra plugins, by the plugin's group and the prefix of its name.
_PLUGINS = {
    ("hydra/sweeper", "optuna"): "hydra-optuna-sweeper",
    ("hydra/sweeper", "ax"): "hydra-ax-sweeper",
    ("hydra/sweeper", "nevergrad"): "hydra-nevergrad-sweeper",
    ("hydra/launcher", "joblib"): "hydra-joblib-launcher",
    ("hydra/launcher", "submitit"): "hydra-submitit-launcher",
    ("hydra/launcher", "ray"): "hydra-ray-launcher",
}
_EXPECTED = {IntegerNode: "a whole number", FloatNode: "a number", ListConfig: "a list"}


@contextmanager
def hydra_ready(config_folder: Path) -> Iterator[None]:
    """Initialise Hydra to compose from a folder and from registered dataclasses."""
    with initialize_config_dir(str(config_folder.resolve()), version_base=None):
        yield


def register_settings(settings_class: type, name: str) -> None:
    """Register a settings dataclass with Hydra under ``name``.

    The registered schema is a copy with the same keys and defaults, since Hydra cannot change frozen dataclasses and
    supports few types.
    """
    columns = [(each.name, _schema_type(each), field(default=each.default)) for each in list_settings(settings_class)]
    ConfigStore.instance().store(name=name, node=make_dataclass(settings_class.__name__, columns))


def as_settings(settings_class: type[Settings], config: DictConfig) -> Settings:
    """Convert a composed config to an instance of its dataclass; ``~/`` at the start of a path is expanded.

    Raises:
        SettingsError: a value is invalid, or a required setting is missing.
    """
    try:
        values: Any = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        # A failed ${...} interpolation: only sweeps use Hydra's grammar, otherwise such a text is taken literally.
        raise SettingsError(f"the settings do not fit: {str(error).splitlines()[0]}") from error
    for each in list_settings(settings_class):
        if isinstance(values[each.name], str):
            values[each.name] = each.from_home(values[each.name])
    settings = settings_class(**values)
    validate(settings)
    return settings


def compose_config(
    config_name: str, overrides: Sequence[str], renamed: Mapping[str, str] = MappingProxyType({})
) -> DictConfig:
    """Compose a config within :func:`hydra_ready`.

    Args:
        config_name: the primary config.
        overrides: in Hydra's grammar.
        renamed: current keys by former keys; the error for a config file with a former key names the current one.

    Raises:
        SettingsError: in one line, for unknown keys and options and for invalid values.
    """
    try:
        config = compose(config_name, list(overrides))
        # Untyped sections, such as ``logger``, accept any key.
        former = next((key for key in renamed if OmegaConf.select(config, key) is not None), None)
        if former is None:
            return config
        problem = _describe_former_key(former, overrides, renamed)
    except MissingConfigException as error:
        problem = _describe_missing_option(error, overrides)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        problem = _describe_bad_key(error, config_name, overrides, renamed) or _unexpected(error)
    raise SettingsError(problem)


def list_groups(parent: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every config group, such as ``model`` or ``model/encoder``, with its options; Hydra's own groups are omitted."""
    loader = GlobalHydra.instance().config_loader()
    for name in loader.list_groups(parent):
        group = f"{parent}/{name}".lstrip("/")
        if group != "hydra":
            yield group, _visible(loader.get_group_options(group))
            yield from list_groups(group)


def _schema_type(setting: Setting) -> Any:
    (kind,) = setting.types if len(setting.types) == 1 else (str,)
    return kind | None if setting.is_optional else kind


def _visible(options: Sequence[str]) -> list[str]:
    return [each for each in options if not each.startswith(SCHEMA_PREFIX)]


def _unexpected(error: Exception) -> str:
    return f"the settings do not fit: {' '.join(str(error.__cause__ or error).split())}"


def _describe_missing_option(error: MissingConfigException, overrides: Sequence[str]) -> str:
    """Describe an option that its group lacks; for a plugin's option, name the package to install."""
    group, _, name = (error.missing_cfg_file or "").rpartition("/")
    if not group:
        return _unexpected(error)
    for (plugin_group, prefix), package in _PLUGINS.items():
        if group == plugin_group and name.startswith(prefix):
            return f"{group}={name} needs a package that is not installed: pip install {package}"
    place = _find_file(overrides, lambda folder, content: _selects(content.get("defaults"), folder, group, name))
    return f"{place}there is no {group} '{name}'{did_you_mean(name, _visible(error.options or []))}"


def _describe_bad_key(
    error: BaseException | None, config_name: str, overrides: Sequence[str], renamed: Mapping[str, str]
) -> str | None:
    """Describe an unknown key or an invalid value; None for any other error.

    Hydra raises its own exception; OmegaConf's, which has the key and the value as attributes, is its cause or context.
    """
    while error is not None and not isinstance(error, OmegaConfBaseException):
        error = error.__cause__ or error.__context__
    if error is None or not error.full_key:
        return None
    key, value, node = error.full_key, error.value, error.child_node
    is_typed = any(override.lstrip("+~").partition("=")[0] == key for override in overrides)
    if isinstance(error, ConfigKeyError | ConfigAttributeError):
        place = "" if is_typed else _find_file(overrides, lambda group, content: _has_key(content, group, key))
        if key in renamed:
            return _describe_former_key(key, overrides, renamed)
        known = [name for name, _ in list_keys(compose(config_name))]
        return f"{place}unknown setting '{key}'{did_you_mean(key, known)}"
    place = "" if is_typed else _find_file(overrides, lambda group, content: _has_key(content, group, key, value))
    if isinstance(node, EnumNode):
        return f"{place}{key} cannot be '{value}'{did_you_mean(str(value), list(node.enum_type.__members__))}"
    if type(node) in _EXPECTED:
        return f"{place}{key}={'null' if value is None else value} is not {_EXPECTED[type(node)]}"
    return None


def _describe_former_key(key: str, overrides: Sequence[str], renamed: Mapping[str, str]) -> str:
    place = _find_file(overrides, lambda group, content: _has_key(content, group, key))
    return f"{place}unknown setting '{key}'; it is now called '{renamed[key]}'"


def _find_file(overrides: Sequence[str], matches: Callable[[str, dict[str, Any]], bool]) -> str:
    """``PATH.yaml: `` of the config file for which ``matches(group, content)`` holds; empty if there is none.

    Files that the overrides choose are tried first.
    """
    chosen = {f"{key}/{option}.yaml" for key, _, option in (each.partition("=") for each in overrides)}
    sources = [source for source in GlobalHydra.instance().config_loader().get_sources() if source.scheme() == "file"]
    for folder in (Path(source.path) for source in sources):
        names = sorted(path.relative_to(folder) for path in folder.rglob("*.yaml"))
        for name in sorted(names, key=lambda each: each.as_posix() not in chosen):
            try:
                content: Any = OmegaConf.to_container(OmegaConf.load(folder / name), resolve=False)
            except (OSError, ValueError, YAMLError, OmegaConfBaseException):
                continue
            if isinstance(content, dict) and matches(name.parent.as_posix(), content):
                return f"{name.as_posix()}: "
    return ""


def _has_key(content: dict[str, Any], group: str, key: str, *values: Any) -> bool:
    """Whether a file of ``group`` sets a dotted key, to one of ``values`` if there are any."""
    package = f"{group.replace('/', '.')}."
    for path in {key, key.removeprefix(package)}:
        node: Any = content
        *parents, name = path.split(".")
        for parent in parents:
            node = node.get(parent) if isinstance(node, dict) else None
        if isinstance(node, dict) and name in node and (not values or node[name] in values):
            return True
    return False


def _selects(defaults: Any, folder: str, group: str, name: str) -> bool:
    """Whether a defaults list, of a file in ``folder``, selects the option ``name`` of a group."""
    for entry in defaults if isinstance(defaults, list) else []:
        for key, options in (entry if isinstance(entry, dict) else {"": entry}).items():
            target = str(key).removeprefix("override ").partition("@")[0].strip("/") or folder
            if group in (target, f"{folder}/{target}") and name in (
                options if isinstance(options, list) else [options]
            ):
                return True
    return False
