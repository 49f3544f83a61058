"""``key=value`` arguments applied to a config that is there already, as a run's stored settings."""

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from howard.cli.arguments import checked_value
from howard.cli.composing import list_nodes
from howard.cli.plain import split_argument
from howard.errors import SettingsError, quoted
from howard.fields import did_you_mean


def override(config: DictConfig, arguments: Sequence[str]) -> DictConfig:
    """A copy of the config with other values; raises SettingsError, in one line, for unknown keys and wrong values."""
    changed: DictConfig = config.copy()
    nodes = dict(list_nodes(changed))
    for argument in arguments:
        key, text = split_argument(argument)
        if key not in nodes:
            raise SettingsError(f"unknown setting '{quoted(key)}'{did_you_mean(key, list(nodes))}")
        try:
            parsed = OverridesParser.create().parse_override(f"{key}={checked_value(key, text, nodes[key])}")
            value: Any = parsed.value()
            OmegaConf.update(changed, key, str(value) if isinstance(nodes[key]._value(), str) else value, merge=False)
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            problem = " ".join(str(error).split())
            raise SettingsError(f"{key}={quoted(text)} does not fit: {quoted(problem)}") from error
    return changed
