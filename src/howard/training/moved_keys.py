"""Settings that have moved: what was typed or stored under a former key is understood. No torch here."""

from collections.abc import Sequence
from typing import Any

# Former key: present key. Keys of former versions stay here for as long as runs made with them may be resumed.
MOVED_KEYS: dict[str, str] = {
    "task_name": "name",  # as lightning-hydra-template calls it
    "stage.segmentation_weight": "stage.loss.segmentation",
    "logger.mode": "logger.wandb.mode",
    "logger.project": "logger.wandb.project",
    "logger.entity": "logger.wandb.entity",
}
_SINGLE_LOGGERS = "howard.training.loggers.csv_loggers", "howard.training.loggers.wandb_loggers"
_WANDB = "howard.training.loggers.wandb_logger"


def move_arguments(arguments: Sequence[str]) -> list[str]:
    """Command-line arguments with present keys in the place of former ones."""
    return [_move_argument(argument) for argument in arguments]


def move_stored(settings: dict[str, Any]) -> dict[str, Any]:
    """A stored config, plain nested dictionaries, in its present layout; the argument is left as it is."""
    moved = _copy(settings)
    _mapping_of_loggers(moved)
    for former, present in MOVED_KEYS.items():
        parent = _find(moved, former)
        if parent is not None:
            value = parent.pop(former.rpartition(".")[2])
            _set(moved, present, value)
    return moved


def _mapping_of_loggers(settings: dict[str, Any]) -> None:
    """``logger`` was one node; it has become a mapping of loggers beside the CSV files, which are always written."""
    logger = settings.get("logger")
    if isinstance(logger, dict) and logger.get("_target_") in _SINGLE_LOGGERS:
        is_wandb = logger["_target_"] == _SINGLE_LOGGERS[1]
        settings["logger"] = {"wandb": logger | {"_target_": _WANDB}} if is_wandb else {}


def _move_argument(argument: str) -> str:
    key, equals, value = argument.partition("=")
    plain = key.lstrip("+")
    return f"{key[: len(key) - len(plain)]}{MOVED_KEYS.get(plain, plain)}{equals}{value}"


def _copy(node: Any) -> Any:
    return {key: _copy(value) for key, value in node.items()} if isinstance(node, dict) else node


def _find(settings: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The dictionary that holds a dotted key, or None."""
    *parents, name = key.split(".")
    node: Any = settings
    for parent in parents:
        node = node.get(parent) if isinstance(node, dict) else None
    return node if isinstance(node, dict) and name in node else None


def _set(settings: dict[str, Any], key: str, value: Any) -> None:
    *parents, name = key.split(".")
    for parent in parents:
        settings = settings.setdefault(parent, {})
    settings[name] = value
