"""Finding the plate frames that resemble a source frame without reading the whole plate."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from howard.align.retrieval import similarity, thumbnail

# Plates of up to so many frames are compared as a whole; of longer ones so many frames are compared first. Enough for
# one each half second of a plate of half a minute.
_COARSE_FRAMES = 64
# Around this many of the best of those, ...
_REFINED_PLACES = 2
# ... so many more frames are compared on either side.
_REFINED_FRAMES = 4


class SparsePlateIndex:
    """Thumbnails of some plate frames, made when first needed.

    For one frame of a long shot, as in a preview: reading through every plate frame would take most of the time. The
    frames that come out may be neighbours of those that :class:`howard.align.retrieval.PlateIndex` finds; they follow
    from the plate and the picture alone. Safe to use from several threads.
    """

    def __init__(self, read: Callable[[int], np.ndarray], count: int, entries: Sequence[int]) -> None:
        """A plate of ``count`` frames.

        ``read`` gives one as (H, W, 3) uint8 RGB, any size; ``entries`` are the indices, in order, of frames that can
        be read without decoding those before.
        """
        self._read = read
        self._count = count
        self._thumbnails: dict[int, np.ndarray] = {}
        self._coarse = list(range(count)) if count <= _COARSE_FRAMES else _spread(entries, _COARSE_FRAMES)

    def __len__(self) -> int:
        return self._count

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of at most ``count`` plate frames most like an (H, W, 3) uint8 RGB picture, the likeliest first."""
        ranked = self._rank(image, self._coarse)
        if len(self._coarse) == self._count:
            return ranked[:count]
        finer = {index for place in ranked[:_REFINED_PLACES] for index in self._around(place)}
        return self._rank(image, sorted(finer.union(self._coarse)))[:count]

    def _around(self, place: int) -> list[int]:
        """Frames between one of the coarse frames and the next on either side."""
        bounds = [-1, *self._coarse, self._count]
        at = bounds.index(place)
        sides = itertools.pairwise(bounds[at - 1 : at + 2])
        return [index for start, end in sides for index in _spread(range(start + 1, end), _REFINED_FRAMES)]

    def _rank(self, image: np.ndarray, indices: list[int]) -> list[int]:
        for index in indices:
            if index not in self._thumbnails:
                self._thumbnails[index] = thumbnail(self._read(index))
        scores = similarity(np.stack([self._thumbnails[index] for index in indices]), image)
        return [indices[position] for position in np.argsort(-scores, kind="stable")]


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of some indices, evenly chosen, from the middle of equal parts."""
    count = min(most, len(indices))
    return [indices[(2 * part + 1) * len(indices) // (2 * count)] for part in range(count)]
