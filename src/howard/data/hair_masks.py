"""Hair masks of people, found once for each and kept."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import cv2
import numpy as np

from howard.synthesis import Person

# A person's hair, (h, w) uint8 in [0, 255] over the whole picture at any resolution, or None where it cannot be told.
HairFinder = Callable[[Person], np.ndarray | None]
# Long side in pixels at which masks are kept: precise to a few pixels of a photo, a few kilobytes each.
_LONGEST = 384
_MOST_KEPT = 2048
# People whose masks are found at once: 25 MB of views, and enough to keep a GPU busy.
BATCH = 32


class HairMasks:
    """Finds hair masks on demand; the most recently used ones are kept, one bit a pixel.

    Args:
        find: finds the mask of one person.
    """

    def __init__(self, find: HairFinder) -> None:
        self._find = find
        self._kept: OrderedDict[str, tuple[tuple[int, int], np.ndarray] | None] = OrderedDict()

    def of(self, name: str, person: Person) -> np.ndarray | None:
        """The hair mask of a person of this name, (h, w) uint8, 0 or 255, smaller than the picture; None if unknown."""
        if name not in self._kept:
            self._keep(name, self._find(person))
        self._kept.move_to_end(name)
        packed = self._kept[name]
        if packed is None:
            return None
        shape, bits = packed
        return 255 * np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape)

    def fill(
        self, people: Iterable[tuple[str, Person]], find_many: Callable[[Sequence[Person]], Sequence[np.ndarray | None]]
    ) -> None:
        """Find the masks of many people beforehand, so that no worker has to: names, and the people.

        ``find_many`` finds those of :data:`BATCH` people at once.
        """
        remaining = iter(people)
        while batch := list(islice(remaining, BATCH)):
            for (name, _), mask in zip(batch, find_many([person for _, person in batch]), strict=True):
                self._keep(name, mask)

    def _keep(self, name: str, mask: np.ndarray | None) -> None:
        self._kept[name] = _pack(mask)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _pack(mask: np.ndarray | None) -> tuple[tuple[int, int], np.ndarray] | None:
    if mask is None:
        return None
    scale = min(1.0, _LONGEST / max(mask.shape))
    width, height = (max(1, round(scale * side)) for side in mask.shape[::-1])
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return (height, width), np.packbits(small > 127)
