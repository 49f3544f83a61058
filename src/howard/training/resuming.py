"""Resuming a run with changed settings, for example to train a finished run for longer. Does not import torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from omegaconf import DictConfig, OmegaConf

from howard.errors import SettingsError
from howard.training import run_folders

Kind = Literal["free", "noted", "refused"]
# Settings that do not affect the weights and samples of the remaining steps.
_FREE = (
    "budget.",
    "callbacks.",
    "compile",
    "data.pack",
    "data.pack_memory_gb",
    "data.root",
    "data.workers",
    "licence",
    "logger.",
    "notes",
    "paths.",
    "suite",
    "tags",
    "tf32",
    "threads",
    "trainer.",
)
# Exceptions, which do affect the remaining steps, as do all settings that are neither free nor refused.
_NOTED = ("callbacks.ema.", "trainer.accumulate_grad_batches", "trainer.gradient_clip_val", "trainer.precision")
# Settings whose change could not take effect, with the reason.
_REFUSED = {
    "model.": "the checkpoint's weights belong to its architecture; start a new run with init=RUN",
    "optimiser.learning_rates.": "learning rates are restored from the checkpoint; start a new run with init=RUN",
    "stage.loss.segmentation": "the checkpoint's optimiser has or lacks its parameters; start a new run with init=RUN",
    "stages": "the stages were fixed when the run was started",
    "scaling.": "batch size and learning rates were scaled to the device when the run was started",
    "name": "it is the name of the run's folder",
    "runs": "the run stays in its folder",
    "mode": "only training can be resumed",
    "init": "the run starts from its checkpoint",
    "encoder_weights": "the run starts from its checkpoint",
    "ckpt_path": "the run starts from its checkpoint",
}


class Change(NamedTuple):
    """A setting with its old and its new value, both plain values."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        note = "" if kind_of(self.key) == "free" else " (the remaining steps differ from those of the unchanged run)"
        return f"changed: {self.key} {_shown(self.before)} -> {_shown(self.after)}{note}"


def list_changes(config: DictConfig, changed: DictConfig) -> list[Change]:
    """The differences between a run's settings and the changed settings.

    Raises:
        SettingsError: a change could not take effect.
    """
    before, after = dict(_flat(config)), dict(_flat(changed))
    changes = [Change(key, before.get(key), value) for key, value in after.items() if before.get(key) != value]
    for change in changes:
        if kind_of(change.key) == "refused":
            raise SettingsError(f"{change.key} cannot be changed when a run is resumed: {_reason(change.key)}")
    return changes


def change_run(run: Path, config: DictConfig, changed: DictConfig) -> None:
    """Print the changes of a run's settings, and store the changed settings in its folder.

    The old settings are kept as ``config_STEP.yaml``. The weights of a finished run are renamed to
    ``weights_STEP.safetensors``, which makes it unfinished again.

    Raises:
        SettingsError: a change could not take effect, or the run is already past the new number of steps.
        WeightsError: the checkpoint cannot be read.
    """
    from lightning.pytorch.utilities import rank_zero_only

    from howard.training.checkpoints import checkpoint_step

    changes = list_changes(config, changed)
    step = checkpoint_step(run / run_folders.CHECKPOINT)
    if 0 <= changed.trainer.max_steps <= step and changed.trainer.max_steps != config.trainer.max_steps:
        raise SettingsError(f"trainer.max_steps={changed.trainer.max_steps}: the run is at step {step} already")
    if rank_zero_only.rank != 0 or not changes:
        return
    for change in changes:
        print(change)
    (run / run_folders.SETTINGS).replace(run / f"config_{step:07d}.yaml")
    OmegaConf.save(changed, run / run_folders.SETTINGS)
    if (run / run_folders.EXPORTED).is_file():
        kept = run / f"weights_{step:07d}.safetensors"
        (run / run_folders.EXPORTED).replace(kept)
        print(f"weights so far: {kept}")


def kind_of(key: str) -> Kind:
    """``free`` if a change has no effect on the remaining steps, ``noted`` if it has, ``refused`` if not allowed."""
    if _reason(key) is not None or key.endswith("._target_"):
        return "refused"
    return "noted" if _matches(key, _NOTED) or not _matches(key, _FREE) else "free"


def _reason(key: str) -> str | None:
    if key.endswith("._target_"):
        return "the checkpoint belongs to the class of the run"
    return next((reason for prefix, reason in _REFUSED.items() if _matches(key, [prefix])), None)


def _matches(key: str, prefixes: Sequence[str]) -> bool:
    """Whether a key is one of the prefixes or below it; prefixes of sections end with a dot."""
    return any(key == prefix or key.startswith(f"{prefix.rstrip('.')}.") for prefix in prefixes)


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)


def _flat(node: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted keys with resolved values; lists and empty sections count as values."""
    if isinstance(node, DictConfig):
        node = OmegaConf.to_container(node, resolve=True, enum_to_str=True)
    if not isinstance(node, dict) or (not node and prefix):
        return [(prefix, node)]
    return [pair for key, value in node.items() for pair in _flat(value, f"{prefix}.{key}" if prefix else str(key))]
