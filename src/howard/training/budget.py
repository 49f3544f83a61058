"""Training for a given time instead of a number of steps."""

import time
from functools import partial
from typing import Any

from lightning import Callback, LightningModule, Trainer

from howard.training.optimiser import Progress


class TimeBudget(Callback):
    """Ends training when its time is spent, the last validation included.

    The schedule of the learning rates follows the share of the time that has passed, so that it reaches its end with
    the budget on any machine. A run with a budget therefore depends on the machine's speed: it can be resumed, with the
    time that it had left, but does not end with the very same weights as one that was not interrupted.

    Args:
        seconds: for the whole run, all sessions of a resumed one together.
        started: ``time.monotonic()`` when this session began; None takes the time of construction.
    """

    def __init__(self, seconds: float, started: float | None = None) -> None:
        self.seconds = seconds
        self._started = time.monotonic() if started is None else started
        self._earlier = 0.0  # seconds of earlier sessions
        self._validation_began = 0.0
        self._validation_seconds = 0.0  # of the last one
        self._share = 0.0
        self.validated_step = -1

    @property
    def elapsed(self) -> float:
        """Seconds spent by now."""
        return self._earlier + time.monotonic() - self._started

    def progress(self, step: int) -> float:
        """The share of the training time that was over when the present step began; in [0, 1]."""
        return self._share

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        # All processes of a run follow the first one's clock: their learning rates must not differ.
        self._share = trainer.strategy.broadcast(self._spent_share())

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.strategy.broadcast(self._spent_share()) >= 1:
            trainer.should_stop = True

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validation_began = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validation_seconds = time.monotonic() - self._validation_began
        self.validated_step = trainer.global_step

    def state_dict(self) -> dict[str, Any]:
        return {"elapsed": self.elapsed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._earlier = state_dict["elapsed"]

    def _spent_share(self) -> float:
        """Time for one more validation is set aside, as long as the last one took."""
        training = max(self.seconds - self._validation_seconds, 1e-9)
        return min(1.0, self.elapsed / training)


def find_budget(trainer: Trainer) -> TimeBudget | None:
    """The budget that a trainer has, if any."""
    return next((each for each in trainer.callbacks if isinstance(each, TimeBudget)), None)  # type: ignore[attr-defined]


def training_progress(trainer: Trainer) -> Progress:
    """How much of a trainer's run is over: of its time where it has a :class:`TimeBudget`, else of its steps."""
    budget = find_budget(trainer)
    if budget is not None:
        return budget.progress
    return partial(_share_of_steps, total=max(1, int(trainer.estimated_stepping_batches)))


def _share_of_steps(step: int, total: int) -> float:
    return step / total
