"""Finding the plate frames that resemble a source frame without reading the whole plate."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from howard.align.retrieval import similarity, thumbnail

# Plates of up to so many frames are compared as a whole; of longer ones so many frames are compared first. Enough for
# two a second of a plate of half a minute.
_COARSE_FRAMES = 64
# So many frames may be decoded for that; some seconds of work in HD.
_DECODED_FRAMES = 600
# Around this many of the best of those, ...
_REFINED_PLACES = 2
# ... so many more frames are compared on either side, ...
_REFINED_FRAMES = 4
# ... unless the next that was compared is at most so many frames away: half a second, in which a plate hardly moves.
_NEAR_FRAMES = 12


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
        self._coarse = _choose_coarse(count, entries)

    def __len__(self) -> int:
        return self._count

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of at most ``count`` plate frames most like an (H, W, 3) uint8 RGB picture, the likeliest first."""
        ranked = self._rank(image, self._coarse)
        finer = {index for place in ranked[:_REFINED_PLACES] for index in self._around(place)}
        return self._rank(image, sorted(finer.union(self._coarse)))[:count] if finer else ranked[:count]

    def _around(self, place: int) -> list[int]:
        """Frames between one of the coarse frames and the next on either side."""
        bounds = [-1, *self._coarse, self._count]
        at = bounds.index(place)
        sides = [pair for pair in itertools.pairwise(bounds[at - 1 : at + 2]) if pair[1] - pair[0] > _NEAR_FRAMES]
        return [index for start, end in sides for index in _spread(range(start + 1, end), _REFINED_FRAMES)]

    def _rank(self, image: np.ndarray, indices: list[int]) -> list[int]:
        for index in indices:
            if index not in self._thumbnails:
                self._thumbnails[index] = thumbnail(self._read(index))
        scores = similarity(np.stack([self._thumbnails[index] for index in indices]), image)
        return [indices[position] for position in np.argsort(-scores, kind="stable")]


def _choose_coarse(count: int, entries: Sequence[int]) -> list[int]:
    """Frames to be compared first: evenly chosen, unless reaching them means decoding too many."""
    if count <= _DECODED_FRAMES:
        return _spread(range(count), _COARSE_FRAMES)
    # From every entry on as far as can be decoded.
    chosen = _spread(entries, _COARSE_FRAMES)
    each = _COARSE_FRAMES // len(chosen)
    reach = max(each, _DECODED_FRAMES // len(chosen))
    bounds = zip(chosen, [*chosen[1:], count], strict=True)
    return [index for start, end in bounds for index in _spread(range(start, min(end, start + reach)), each)]


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of some indices, evenly chosen: the first of equal parts."""
    count = min(most, len(indices))
    return [indices[part * len(indices) // count] for part in range(count)]
