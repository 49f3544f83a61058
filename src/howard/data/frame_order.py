"""Epochs that count frames: every frame of every clip once, in another order each time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from howard.data.people import PersonSource
from howard.machine import count_cores

_STREAM = 31  # tells the order's random numbers from those of samples


class ClipFrame(NamedTuple):
    """Frame ``index`` of a clip; 0 of a still."""

    clip: PersonSource
    index: int


class FrameOrder:
    """The frames of all clips as an index-based dataset shuffled every epoch, as the reference implementation has it.

    Sample ``number`` belongs to pass ``number // len(order)`` over the frames; the order of a pass follows from the
    seed and its number alone, so that any sample is known without those before it.

    Args:
        people: sets of clips; their frames are equally likely, whichever set they are in.
        seed: of the order.
    """

    def __init__(self, people: Sequence[Sequence[PersonSource]], seed: int) -> None:
        self._clips = [clip for group in people for clip in group]
        # A video is opened to be counted; there may be hundreds.
        with ThreadPoolExecutor(count_cores()) as pool:
            self._ends = np.cumsum(list(pool.map(lambda clip: clip.frame_count, self._clips)))
        self._seed = seed

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def at(self, number: int) -> ClipFrame:
        """The frame of sample ``number``, counted from 0 over all epochs."""
        lap, position = divmod(number, len(self))
        frame = int(_permutation(len(self), self._seed, lap)[position])
        clip = int(np.searchsorted(self._ends, frame, side="right"))
        return ClipFrame(self._clips[clip], frame - (int(self._ends[clip - 1]) if clip else 0))


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, lap: int) -> np.ndarray:
    return np.random.default_rng([seed, lap, _STREAM]).permutation(count)
