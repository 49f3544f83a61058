"""Which samples come when: the numbers that each process takes, and an epoch that goes over every frame once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch.utils.data import Dataset, DistributedSampler

from howard.data.people_collections import PersonSource
from howard.machine import count_cores

if TYPE_CHECKING:
    from lightning import Trainer

_FRAME_ORDER_STREAM = 31  # separates the shuffle's random stream from those of samples


class TrainerPosition(NamedTuple):
    """Optimiser steps done so far, batches per step of each process, and the process's place among all."""

    step: int = 0
    accumulate: int = 1
    world: int = 1
    rank: int = 0


def trainer_position(trainer: Trainer | None) -> TrainerPosition:
    """The position of a trainer; without one, the start of a single process."""
    if trainer is None:
        return TrainerPosition()
    return TrainerPosition(
        trainer.global_step, trainer.accumulate_grad_batches, trainer.world_size, trainer.global_rank
    )


# A DistributedSampler, so that Lightning does not wrap it in another one.
class StatelessSampler(DistributedSampler[int]):
    """Sample numbers of one epoch, computed from the trainer's global step alone.

    The number is step x samples per step + position within the step. A step takes ``accumulate`` batches of each
    process, one process after the other. Lightning makes a new iterator at the start of an epoch and after resuming,
    and stops at the end of the epoch by itself.

    Args:
        dataset: what the numbers index.
        batches: per epoch and process.
        batch_size: samples per batch of a process.
        trainer: gives the global step; None for a single pass outside of training.
    """

    def __init__(self, dataset: Dataset, batches: int, batch_size: int, trainer: Trainer | None) -> None:
        world, rank = (trainer.world_size, trainer.global_rank) if trainer else (1, 0)
        super().__init__(dataset, num_replicas=world, rank=rank, shuffle=False)
        self.batches, self.batch_size, self.trainer = batches, batch_size, trainer

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[int]:
        at = trainer_position(self.trainer)
        for batch in range(self.batches):
            first = ((at.step * at.accumulate + batch) * at.world + at.rank) * self.batch_size
            yield from range(first, first + self.batch_size)


class ClipFrame(NamedTuple):
    """Frame ``index`` of a clip; 0 for a still image."""

    clip: PersonSource
    index: int


class FrameOrder:
    """Every frame of every clip once per epoch, shuffled anew each time, as in the reference implementation.

    Sample ``number`` belongs to epoch ``number // len(order)``. The shuffle depends on the seed and the epoch alone,
    so any sample can be found without those before it.

    Args:
        people: sets of clips. All frames are equally likely, whichever set they belong to.
        seed: of the shuffle.
    """

    def __init__(self, people: Sequence[Sequence[PersonSource]], seed: int) -> None:
        self._clips = [clip for group in people for clip in group]
        # Counting the frames of a video opens it, and there may be hundreds.
        with ThreadPoolExecutor(count_cores()) as pool:
            self._ends = np.cumsum(list(pool.map(lambda clip: clip.frame_count, self._clips)))
        self._seed = seed

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def at(self, number: int) -> ClipFrame:
        """The frame of sample ``number``, counted from 0 over all epochs."""
        epoch, position = divmod(number, len(self))
        frame = int(_permutation(len(self), self._seed, epoch)[position])
        clip = int(np.searchsorted(self._ends, frame, side="right"))
        return ClipFrame(self._clips[clip], frame - (int(self._ends[clip - 1]) if clip else 0))


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch, _FRAME_ORDER_STREAM]).permutation(count)
