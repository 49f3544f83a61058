"""Which steps are logged, so that figures which cost something are computed for those alone."""

from lightning import Trainer


def is_logged_next(trainer: Trainer) -> bool:
    """Whether the figures of the optimiser step that has not been counted yet are logged."""
    return (trainer.global_step + 1) % _interval(trainer) == 0


def is_logged(trainer: Trainer, batch_idx: int) -> bool:
    """Whether the batch that has just ended ended an optimiser step whose figures are logged."""
    ends_a_step = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
    return ends_a_step and trainer.global_step % _interval(trainer) == 0


def _interval(trainer: Trainer) -> int:
    return trainer.log_every_n_steps  # type: ignore[attr-defined]
