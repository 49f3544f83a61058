"""Reading a run's settings from its folder: migrated to the current keys and checked. Does not import torch."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from howard.errors import SettingsError
from howard.training.moved_keys import move_stored
from howard.training.run_folders import read_yaml
from howard.training.train_settings import MAPPINGS, SCHEMAS, TrainSettings

_TARGET = "_target_"


def load_settings(path: Path) -> DictConfig:
    """Read the ``config.yaml`` of a run of this or an earlier version.

    Renamed settings get their current keys, and settings that did not exist yet their defaults.

    Raises:
        InputError: the file cannot be read.
        SettingsError: it contains an unknown setting or an invalid value.
    """
    return restore_settings(read_yaml(path), str(path))


def load_stages(path: Path) -> dict[str, DictConfig]:
    """Read the ``stages.yaml`` of a run: settings of each stage, in order. Raises as :func:`load_settings`."""
    return {name: restore_settings(stage, f"{path}, {name}") for name, stage in read_yaml(path).items()}


def restore_settings(stored: dict[str, Any], origin: str) -> DictConfig:
    """Convert plain stored settings to a typed config, see :func:`load_settings`; errors name their ``origin``."""
    settings = move_stored(stored)
    nodes: dict[str, Any] = {}
    for group, schemas in SCHEMAS.items():
        nodes[group] = _typed(settings.get(group), list(schemas.values()))
    for group, schemas in MAPPINGS.items():
        members = settings.get(group) or {}
        nodes[group] = {name: _typed(member, list(schemas.values())) for name, member in members.items()}
    try:
        config = OmegaConf.structured(TrainSettings)
        for group, node in nodes.items():
            config[group] = node
        merged = OmegaConf.merge(config, settings)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or getattr(error, "key", None)
        problem = str(error).splitlines()[0]
        raise SettingsError(f"{origin}: the setting {key} does not fit this version ({problem})") from error
    assert isinstance(merged, DictConfig)
    return merged


def _typed(stored: Any, schemas: list[type]) -> Any:
    """The schema of the stored node's ``_target_``, or the group's only one; an empty node for foreign classes."""
    target = stored.get(_TARGET) if isinstance(stored, dict) else None
    for schema in schemas:
        if target == getattr(schema, _TARGET, None) or (target is None and len(schemas) == 1):
            return OmegaConf.structured(schema)
    return {}
