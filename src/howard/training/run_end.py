"""Callbacks at the end of a run, when its weights have been exported and all of Lightning's hooks called."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lightning import Callback, Trainer

from howard.errors import HowardError
from howard.matting import WeightsMetadata


@dataclass(frozen=True)
class FinishedRun:
    """A run whose weights have been exported into its folder.

    Attributes:
        folder: of the run.
        experiment: name of its experiment.
        metadata: of the exported weights.
        revision: commit of the code, with ``-dirty`` if files were changed; ``unknown`` outside of git.
        suite: metrics on the validation suite by their logged names; empty if it was not run.
    """

    folder: Path
    experiment: str
    metadata: WeightsMetadata
    revision: str
    suite: Mapping[str, float]


class RunEndCallback(Callback):
    """A Lightning callback with an additional hook, called in the first process at the end of a run."""

    def on_run_end(self, trainer: Trainer, run: FinishedRun) -> None:
        """Called when the weights have been exported and measured; loggers are still open.

        Raises:
            HowardError: the callback failed; the error is printed, and the run still counts as finished.
        """
        raise NotImplementedError


def call_run_end(trainer: Trainer, run: FinishedRun) -> None:
    """Call the hook of every :class:`RunEndCallback`; errors are printed, since the training itself has succeeded."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, RunEndCallback):
            try:
                callback.on_run_end(trainer, run)
            except HowardError as error:
                print(f"{type(callback).__name__} skipped: {error}")
