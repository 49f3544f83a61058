"""Settings and classes that were renamed: typed and stored former names still work. Does not import torch."""

from collections.abc import Callable, Sequence
from typing import Any

# Current keys by former keys. Former keys are kept for as long as runs stored with them may be resumed.
MOVED_KEYS: dict[str, str] = {
    "task_name": "name",  # as lightning-hydra-template calls it
    "stage.segmentation_weight": "stage.loss.segmentation",
    "logger.mode": "logger.wandb.mode",
    "logger.project": "logger.wandb.project",
    "logger.entity": "logger.wandb.entity",
    "data.shares": "data.sampling_weights",
    "data.prepared_share": "data.prepared_fraction",
    "data.lessons": "data.hard_examples",
    "optimiser.rates": "optimiser.learning_rates",
    "budget.share": "budget.weight",
}
# Current by former values of ``_target_``, in the stored settings of earlier runs.
MOVED_TARGETS: dict[str, str] = {
    "howard.training.averaging.ema": "howard.training.checkpoints.ema",
    "howard.training.bench.BenchTable": "howard.training.bench_clips.BenchTable",
    "howard.training.best.BestWeights": "howard.training.checkpoints.BestWeights",
    "howard.training.device_figures.DeviceFigures": "howard.training.monitors.DeviceStats",
    "howard.training.error_map.ErrorMapWatch": "howard.training.monitors.ErrorMapWatch",
    "howard.training.gradient_norm.GradientNorm": "howard.training.monitors.GradientNorm",
    "howard.training.suite_curves.SuiteCurves": "howard.training.suite_metrics.SuiteCurves",
    "howard.training.throughput.Throughput": "howard.training.monitors.Throughput",
}
_TARGET = "_target_"
_SINGLE_LOGGERS = "howard.training.loggers.csv_loggers", "howard.training.loggers.wandb_loggers"
_WANDB = "howard.training.loggers.wandb_logger"


def move_arguments(arguments: Sequence[str], notify: Callable[[str], None]) -> list[str]:
    """Command-line arguments with former keys and targets replaced by the current ones; ``notify`` gets a line each."""
    return [_move_argument(argument, notify) for argument in arguments]


def move_stored(settings: dict[str, Any]) -> dict[str, Any]:
    """A copy of a stored config, plain nested dictionaries, with the current keys and targets."""
    moved = _copy_with_current_targets(settings)
    _move_single_logger(moved)
    for former, present in MOVED_KEYS.items():
        parent = _find(moved, former)
        if parent is not None:
            value = parent.pop(former.rpartition(".")[2])
            _set(moved, present, value)
    return moved


def _move_single_logger(settings: dict[str, Any]) -> None:
    """``logger`` was a single node; now it is a mapping of the loggers beside CSV files, which are always written."""
    logger = settings.get("logger")
    if isinstance(logger, dict) and logger.get(_TARGET) in _SINGLE_LOGGERS:
        is_wandb = logger[_TARGET] == _SINGLE_LOGGERS[1]
        settings["logger"] = {"wandb": logger | {_TARGET: _WANDB}} if is_wandb else {}


def _move_argument(argument: str, notify: Callable[[str], None]) -> str:
    key, equals, value = argument.partition("=")
    plain = key.lstrip("+~")
    current = _current_key(plain)
    if current != plain:
        notify(f"{plain} is called {current}")
    if plain.endswith(f".{_TARGET}"):
        value = MOVED_TARGETS.get(value, value)
    return f"{key[: len(key) - len(plain)]}{current}{equals}{value}"


def _current_key(key: str) -> str:
    """The current name of a setting or of a group of settings."""
    for former, present in MOVED_KEYS.items():
        if key == former or key.startswith(f"{former}."):
            return present + key[len(former) :]
    return key


def _copy_with_current_targets(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    copy = {key: _copy_with_current_targets(value) for key, value in node.items()}
    if isinstance(copy.get(_TARGET), str):
        copy[_TARGET] = MOVED_TARGETS.get(copy[_TARGET], copy[_TARGET])
    return copy


def _find(settings: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The dictionary that contains a dotted key, or None."""
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
