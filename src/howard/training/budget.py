"""Training for a given time instead of a number of steps, and the progress that the schedule follows."""

import time
from functools import partial
from typing import Any

from lightning import Callback, LightningModule, Trainer

from howard.training.optimiser import TrainingProgress


class TimeBudget(Callback):
    """Ends training when the time, including that of the last validation, is used up.

    The learning-rate schedule follows the elapsed fraction of the time, so that it is completed on any machine. The
    result therefore depends on the machine's speed: a run that is interrupted and resumed, with the time that it had
    left, does not give exactly the same weights as one that is not.

    Args:
        seconds: for the whole run; the sessions of a resumed run are added up.
        started: ``time.monotonic()`` at the start of this session; None is the time of construction.
    """

    def __init__(self, seconds: float, started: float | None = None) -> None:
        self.seconds = seconds
        self._started = time.monotonic() if started is None else started
        self._earlier = 0.0  # seconds of earlier sessions
        self._validation_start = 0.0
        self._validation_seconds = 0.0  # of the last one
        self._progress = 0.0
        self.validated_step = -1

    @property
    def elapsed(self) -> float:
        """Seconds used so far, in all sessions."""
        return self._earlier + time.monotonic() - self._started

    def progress(self, step: int) -> float:
        """Fraction of the training time that was used when the current step began; in [0, 1]."""
        return self._progress

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        # All processes use the first one's clock, since their learning rates must not differ.
        self._progress = trainer.strategy.broadcast(self._used_fraction())

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.strategy.broadcast(self._used_fraction()) >= 1:
            trainer.should_stop = True

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validation_start = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validation_seconds = time.monotonic() - self._validation_start
        self.validated_step = trainer.global_step

    def state_dict(self) -> dict[str, Any]:
        return {"elapsed": self.elapsed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._earlier = state_dict["elapsed"]

    def _used_fraction(self) -> float:
        """Fraction of the time used, of which the duration of one more validation is reserved."""
        training = max(self.seconds - self._validation_seconds, 1e-9)
        return min(1.0, self.elapsed / training)


def find_budget(trainer: Trainer) -> TimeBudget | None:
    """The trainer's time budget, or None."""
    return next((each for each in trainer.callbacks if isinstance(each, TimeBudget)), None)  # type: ignore[attr-defined]


def training_progress(trainer: Trainer) -> TrainingProgress:
    """The progress of a trainer's run: by time if it has a :class:`TimeBudget`, else by steps."""
    budget = find_budget(trainer)
    if budget is not None:
        return budget.progress
    return partial(_fraction_of_steps, total=max(1, int(trainer.estimated_stepping_batches)))


def _fraction_of_steps(step: int, total: int) -> float:
    return step / total
