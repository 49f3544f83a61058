"""Settings that are changed when a run goes on: which may be, and which could not take effect. No torch here."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from omegaconf import DictConfig, OmegaConf

from howard.errors import SettingsError

Kind = Literal["free", "noted", "refused"]
# How the run is carried out: weights and samples of the remaining steps stay what they would have been.
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
# Of those, what does change the remaining steps; everything else that is not refused changes them too.
_NOTED = ("callbacks.ema.", "trainer.accumulate_grad_batches", "trainer.gradient_clip_val", "trainer.precision")
# What cannot take effect, with the reason.
_REFUSED = {
    "model.": "the checkpoint's weights are those of its architecture; begin a run with init=RUN",
    "optimiser.rates.": "learning rates are restored from the checkpoint; begin a run with init=RUN",
    "stage.loss.segmentation": "the checkpoint's optimiser has its parameters or lacks them; begin a run with init=RUN",
    "stages": "the stages were planned at the beginning",
    "scaling.": "batch size and learning rates were fitted to the device at the beginning",
    "name": "it is that of the run's folder",
    "runs": "it is that of the run's folder",
    "mode": "only training goes on",
    "init": "the run starts from its checkpoint",
    "encoder_weights": "the run starts from its checkpoint",
    "ckpt_path": "the run starts from its checkpoint",
}


class Change(NamedTuple):
    """A setting with its former and its present value, both as plain values."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        note = "" if kind_of(self.key) == "free" else " (the remaining steps differ from those of the run as it was)"
        return f"changed: {self.key} {_shown(self.before)} -> {_shown(self.after)}{note}"


def list_changes(config: DictConfig, changed: DictConfig) -> list[Change]:
    """What differs between the settings that a run had and those it is to go on with.

    Raises:
        SettingsError: a change could not take effect.
    """
    before, after = dict(_flat(config)), dict(_flat(changed))
    changes = [Change(key, before.get(key), value) for key, value in after.items() if before.get(key) != value]
    for change in changes:
        if kind_of(change.key) == "refused":
            raise SettingsError(f"{change.key} cannot be changed when a run goes on: {_reason(change.key)}")
    return changes


def kind_of(key: str) -> Kind:
    """Whether a setting may be changed freely, changes the remaining steps, or cannot be changed."""
    if _reason(key) is not None or key.endswith("._target_"):
        return "refused"
    return "noted" if _matches(key, _NOTED) or not _matches(key, _FREE) else "free"


def _reason(key: str) -> str | None:
    if key.endswith("._target_"):
        return "the checkpoint belongs to the class that the run had"
    return next((reason for prefix, reason in _REFUSED.items() if _matches(key, [prefix])), None)


def _matches(key: str, prefixes: Sequence[str]) -> bool:
    """Whether a key is one of those listed, or lies in a section that is listed with a dot at its end."""
    return any(key == prefix or key.startswith(f"{prefix.rstrip('.')}.") for prefix in prefixes)


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)


def _flat(node: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted keys and resolved values, lists and empty sections as values."""
    if isinstance(node, DictConfig):
        node = OmegaConf.to_container(node, resolve=True, enum_to_str=True)
    if not isinstance(node, dict) or (not node and prefix):
        return [(prefix, node)]
    return [pair for key, value in node.items() for pair in _flat(value, f"{prefix}.{key}" if prefix else str(key))]
