"""What callbacks do once a run's weights are exported, after Lightning's own hooks have all been called."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lightning import Callback, Trainer

from howard.errors import HowardError
from howard.matting import WeightsMetadata


@dataclass(frozen=True)
class FinishedRun:
    """A run whose weights are in its folder.

    Attributes:
        folder: of the run.
        experiment: its name.
        metadata: that of the exported weights.
        revision: of the code, with ``-dirty`` where it was changed; ``unknown`` outside git.
        suite: figures on the validation suite, by the names they are logged under; empty where it was not run.
    """

    folder: Path
    experiment: str
    metadata: WeightsMetadata
    revision: str
    suite: Mapping[str, float]


class RunEndCallback(Callback):
    """A Lightning callback with one more hook, which the first process calls at the end of a run."""

    def on_run_end(self, trainer: Trainer, run: FinishedRun) -> None:
        """The weights are exported and measured, and loggers are still open.

        Raises:
            HowardError: it cannot be done; the run is finished all the same.
        """
        raise NotImplementedError


def call_run_end(trainer: Trainer, run: FinishedRun) -> None:
    """Call the hook of every :class:`RunEndCallback`; an error is printed, since the training is not lost for it."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, RunEndCallback):
            try:
                callback.on_run_end(trainer, run)
            except HowardError as error:
                print(f"{type(callback).__name__} skipped: {error}")
