"""Which samples a process trains on next: numbers that follow from the trainer's step alone."""

from collections.abc import Iterator
from typing import NamedTuple

from lightning import Trainer
from torch.utils.data import Dataset, DistributedSampler


class Position(NamedTuple):
    """Where a process stands: optimiser steps done, and how batches make up a step."""

    step: int = 0
    accumulate: int = 1
    world: int = 1
    rank: int = 0


def find_position(trainer: Trainer | None) -> Position:
    """The position of a trainer; the beginning of a single process where there is none."""
    if trainer is None:
        return Position()
    return Position(trainer.global_step, trainer.accumulate_grad_batches, trainer.world_size, trainer.global_rank)


# A DistributedSampler by name, so that Lightning leaves it alone: it gives each process its own part by itself.
class SampleNumbers(DistributedSampler[int]):
    """Sample numbers of one epoch: step x samples a step + place within the step, beginning at the trainer's step.

    A step takes ``accumulate`` batches of every process, one process after the other. Lightning asks for a new
    iterator at the beginning of an epoch and after resuming, and itself stops where the epoch ends.

    Args:
        dataset: what the numbers are for.
        batches: of an epoch, of every process.
        batch_size: samples a batch of a process.
        trainer: whose step decides; None for a single pass outside of training.
    """

    def __init__(self, dataset: Dataset, batches: int, batch_size: int, trainer: Trainer | None) -> None:
        world, rank = (trainer.world_size, trainer.global_rank) if trainer else (1, 0)
        super().__init__(dataset, num_replicas=world, rank=rank, shuffle=False)
        self.batches, self.batch_size, self.trainer = batches, batch_size, trainer

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[int]:
        at = find_position(self.trainer)
        for batch in range(self.batches):
            first = ((at.step * at.accumulate + batch) * at.world + at.rank) * self.batch_size
            yield from range(first, first + self.batch_size)
