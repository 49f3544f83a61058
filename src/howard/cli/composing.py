"""Composing settings with Hydra, and saying in our words what does not fit."""

import difflib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra import compose, initialize, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, Node
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from howard.errors import SettingsError


@contextmanager
def hydra_ready(config_folder: Path | None) -> Iterator[None]:
    """Hydra, ready to compose from a folder, or from registered dataclasses alone."""
    with (
        initialize_config_dir(str(config_folder.resolve()), version_base=None)
        if config_folder
        else initialize(config_path=None, version_base=None)
    ):
        yield


def compose_config(config_name: str, overrides: list[str]) -> DictConfig:
    """Compose within :func:`hydra_ready`; raises SettingsError, in one line, for what does not fit."""
    try:
        return compose(config_name, overrides)
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
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
    """Every config group, as ``model`` or ``model/encoder``, with what may be chosen for it; Hydra's own left out."""
    loader = GlobalHydra.instance().config_loader()
    for name in loader.list_groups(parent):
        group = f"{parent}/{name}".lstrip("/")
        if group != "hydra":
            yield group, loader.get_group_options(group)
            yield from list_groups(group)


def hint(wrong: str, known: Sequence[str]) -> str:
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


def _explained(text: str, config_name: str) -> str:
    """What OmegaConf and Hydra say of a key, value or choice that does not fit, as we would say it."""
    found = re.match(r"In '(.+?)'", text)
    place = f"{found[1]}.yaml: " if found else ""
    if choice := re.search(r"Could not find '(.+)/(.+?)' Available options in '.*?': (.*?) Config search path", text):
        return f"{place}there is no {choice[1]} '{choice[2]}'{hint(choice[2], choice[3].split())}"
    key = re.search(r"full_key: (\S+)", text)
    if key and "ConfigKeyError" in text:
        return (
            f"{place}unknown setting '{key[1]}'{hint(key[1], [name for name, _ in list_nodes(compose(config_name))])}"
        )
    if key and (value := re.search(r"Invalid value '(.*)', expected one of \[(.*)\]", text)):
        return f"{place}{key[1]} cannot be '{value[1]}'{hint(value[1], value[2].split(', '))}"
    if key and (value := re.search(r"Value '(.*?)'(?: of type '\w+')? could not be converted to (\w+)", text)):
        expected = {"Integer": "a whole number", "Float": "a number"}.get(value[2], f"a {value[2]}")
        return f"{place}{key[1]}={value[1]} is not {expected}"
    return f"the settings do not fit: {text}"
