"""Composing settings with Hydra, and saying in our words what does not fit."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, Node
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from howard.errors import SettingsError
from howard.fields import Setting, did_you_mean, list_settings

# Schemas that the options of a group extend have names of this form; they are no options themselves.
SCHEMA_PREFIX = "base_"
# Packages that ship Hydra's plugins, by the plugin's group and the beginning of its name.
_PLUGINS = {
    ("hydra/sweeper", "optuna"): "hydra-optuna-sweeper",
    ("hydra/sweeper", "ax"): "hydra-ax-sweeper",
    ("hydra/sweeper", "nevergrad"): "hydra-nevergrad-sweeper",
    ("hydra/launcher", "joblib"): "hydra-joblib-launcher",
    ("hydra/launcher", "submitit"): "hydra-submitit-launcher",
    ("hydra/launcher", "ray"): "hydra-ray-launcher",
}


@contextmanager
def hydra_ready(config_folder: Path) -> Iterator[None]:
    """Hydra, ready to compose from a folder and from registered dataclasses."""
    with initialize_config_dir(str(config_folder.resolve()), version_base=None):
        yield


def register_settings(settings_class: type, name: str) -> None:
    """Make a dataclass of settings known to Hydra under ``name``, as a config node of the same keys and defaults.

    A node of its own: Hydra could not change a frozen dataclass, and knows no types beside text, numbers and switches.
    """
    columns = [(each.name, _node_type(each), field(default=each.default)) for each in list_settings(settings_class)]
    ConfigStore.instance().store(name=name, node=make_dataclass(settings_class.__name__, columns))


def compose_config(config_name: str, overrides: list[str]) -> DictConfig:
    """Compose within :func:`hydra_ready`; raises SettingsError, in one line, for what does not fit."""
    try:
        return compose(config_name, overrides)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        text = " ".join(str(error.__cause__ or error).split())
    raise SettingsError(_explained(text, config_name))


def list_nodes(config: Node, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Every dotted key of a config with its node, those of whole sections included."""
    if not isinstance(config, DictConfig) or config._is_none() or config._is_missing():
        return
    for name in config:
        node = config._get_node(name)
        if isinstance(node, Node):
            yield f"{prefix}{name}", node
            yield from list_nodes(node, f"{prefix}{name}.")


def list_groups(parent: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every config group, as ``model`` or ``model/encoder``, with its options; Hydra's own groups are left out."""
    loader = GlobalHydra.instance().config_loader()
    for name in loader.list_groups(parent):
        group = f"{parent}/{name}".lstrip("/")
        if group != "hydra":
            yield group, [each for each in loader.get_group_options(group) if not each.startswith(SCHEMA_PREFIX)]
            yield from list_groups(group)


def _node_type(setting: Setting) -> Any:
    (kind,) = setting.types if len(setting.types) == 1 else (str,)
    return kind | None if setting.is_optional else kind


def _explained(text: str, config_name: str) -> str:
    """What OmegaConf and Hydra say of a key, value or choice that does not fit, as we would say it."""
    found = re.match(r"In '(.+?)'", text)
    place = f"{found[1]}.yaml: " if found else ""
    if choice := re.search(r"Could not find '(.+)/(.+?)' Available options in '.*?': (.*?) Config search path", text):
        return _no_such_option(place, choice[1], choice[2], choice[3].split())
    key = re.search(r"full_key: (\S+)", text)
    if key and "ConfigKeyError" in text:
        known = [name for name, _ in list_nodes(compose(config_name))]
        return f"{place}unknown setting '{key[1]}'{did_you_mean(key[1], known)}"
    if key and (value := re.search(r"Invalid value '(.*)', expected one of \[(.*)\]", text)):
        return f"{place}{key[1]} cannot be '{value[1]}'{did_you_mean(value[1], value[2].split(', '))}"
    if key and (value := re.search(r"Value '(.*?)'(?: of type '\w+')? could not be converted to (\w+)", text)):
        expected = {"Integer": "a whole number", "Float": "a number"}.get(value[2], f"a {value[2]}")
        return f"{place}{key[1]}={value[1]} is not {expected}"
    return f"the settings do not fit: {text}"


def _no_such_option(place: str, group: str, name: str, options: list[str]) -> str:
    """The refusal of an option that a group lacks; of one that a package would bring, which package that is."""
    for (plugin_group, prefix), package in _PLUGINS.items():
        if group == plugin_group and name.startswith(prefix):
            return f"{group}={name} needs a package that is not installed: pip install {package}"
    known = [each for each in options if not each.startswith(SCHEMA_PREFIX)]
    return f"{place}there is no {group} '{name}'{did_you_mean(name, known)}"
