"""Finding the plate frames that resemble a source frame without reading the whole plate."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from howard.align.retrieval import is_upright, similarity, thumbnail

# Plates of up to so many frames are compared as a whole.
_FEW_FRAMES = 64
# Of longer ones frames at this distance are compared first: half a second, in which a plate hardly moves. Farther apart
# than readers decode forward instead of jumping.
_COARSE_STEP = 12
# At least and at most so many: for half a minute of plate in steps of half a second.
_FEWEST_COARSE = 32
_MOST_COARSE = 64
# So many frames may be decoded for that; some seconds of work in HD.
_DECODED_FRAMES = 600
# Around this many of the best of those, ...
_REFINED_PLACES = 2
# ... so many more frames are compared on either side, unless the next that was compared is within a step.
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
        # Of the first frame that is compared.
        self._upright = False
        self._coarse = _choose_coarse(count, entries)

    def __len__(self) -> int:
        return self._count

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of plate frames, those most like an (H, W, 3) uint8 RGB picture first.

        Of a short plate the best ``count`` of all its frames, as from a full index; of a longer one all frames of the
        first comparison: thumbnails of places half a second apart may have nothing in common, keypoints do.
        """
        for index in self._coarse:
            if index not in self._thumbnails:
                picture = self._read(index)
                self._upright = is_upright(picture) if index == self._coarse[0] else self._upright
                self._thumbnails[index] = thumbnail(picture, self._upright)
        thumbnails = np.stack([self._thumbnails[index] for index in self._coarse])
        scores = similarity(thumbnails, image, self._upright)
        ranked = [self._coarse[position] for position in np.argsort(-scores, kind="stable")]
        return ranked[:count] if len(ranked) == self._count else ranked

    def between(self, ranked: Sequence[int]) -> list[int]:
        """More frames around the best of some that were compared, given best first."""
        bounds = [-1, *self._coarse, self._count]
        chosen: set[int] = set()
        for place in ranked[:_REFINED_PLACES]:
            at = bounds.index(place)
            for start, end in itertools.pairwise(bounds[at - 1 : at + 2]):
                if end - start > _COARSE_STEP:
                    chosen.update(_spread(range(start + 1, end), _REFINED_FRAMES))
        return sorted(chosen)


def _choose_coarse(count: int, entries: Sequence[int]) -> list[int]:
    """Frames to be compared first: evenly chosen, unless reaching them means decoding too many."""
    if count <= _FEW_FRAMES:
        return list(range(count))
    wanted = min(max(_FEWEST_COARSE, count // _COARSE_STEP), _MOST_COARSE)
    if count <= _DECODED_FRAMES:
        return _spread(range(count), wanted)
    # From every entry on as far as can be decoded.
    chosen = _spread(entries, wanted)
    each = wanted // len(chosen)
    reach = max(each, _DECODED_FRAMES // len(chosen))
    bounds = zip(chosen, [*chosen[1:], count], strict=True)
    return [index for start, end in bounds for index in _spread(range(start, min(end, start + reach)), each)]


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of some indices, evenly chosen: the first of equal parts."""
    count = min(most, len(indices))
    return [indices[part * len(indices) // count] for part in range(count)]
