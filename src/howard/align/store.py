"""The plate clip: thumbnails of its frames, and frames, looks and features when they are first asked for."""

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Protocol

import numpy as np

from howard.align.disk import Arrays, DiskCache, content_key
from howard.align.features import Features, extract_features, outside
from howard.align.geometry import Size
from howard.align.levels import check_picture, to_bytes
from howard.align.memory import BoundedMemory
from howard.align.retrieval import PlateIndex
from howard.align.sparse_index import SparsePlateIndex
from howard.align.validity import ValidityFinder
from howard.align.view import Look, look_at

_LOOK_BYTES = 128 * 2**20
_FEATURE_BYTES = 64 * 2**20


class Picture(Protocol):
    """What alignment asks of a frame: ``image`` RGB, (H, W, 3) uint8, uint16 or float32, sRGB-encoded."""

    @property
    def image(self) -> np.ndarray: ...


class PlateFrames(Protocol):
    """What alignment asks of a plate: frames in order, and again by index."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Picture]: ...

    def __getitem__(self, index: int, /) -> Picture: ...


class PlateStore:
    """Reads the plate once from end to end for ``index``; what it hands out later is kept within bounds.

    Where it is ``sparse``, only those frames are read that the index asks for, see `SparsePlateIndex`. ``frame_bytes``
    of decoded frames stay in memory, beside 128 MiB of looks and 64 MiB of features. Features lie where ``validity``,
    if there is one, finds the place. Safe to use from several threads, of which one at a time reads the plate.
    """

    def __init__(
        self,
        plate: PlateFrames,
        *,
        feature_side: int,
        frame_bytes: int,
        disk: DiskCache | None,
        sparse: bool = False,
        validity: ValidityFinder | None = None,
    ) -> None:
        self.validity = validity
        self._plate = plate
        self._feature_side = feature_side
        self._disk = disk
        self._reading = Lock()
        self._keys: dict[int, str] = {}
        self._frames = BoundedMemory[np.ndarray](frame_bytes, lambda frame: frame.nbytes)
        self._looks = BoundedMemory[Look](_LOOK_BYTES, lambda look: look.small.nbytes + _size(look.quick))
        self._features = BoundedMemory[Features](_FEATURE_BYTES, _size)
        if sparse:
            entries = getattr(plate, "entry_points", None) or range(len(plate))
            self.index: PlateIndex | SparsePlateIndex = SparsePlateIndex(self._glance, len(plate), entries)
        else:
            self.index = PlateIndex(self._survey())

    def frame(self, index: int) -> np.ndarray:
        """Plate frame ``index`` as the reader gives it."""
        return self._frames.get(index, lambda: self._read(index))

    def look(self, index: int) -> Look:
        """What choosing needs of plate frame ``index``."""
        return self._looks.get(index, lambda: self._load_look(index))

    def features(self, index: int) -> Features:
        """SIFT of plate frame ``index``, where it shows the place."""
        return self._features.get(index, lambda: self._load_features(index))

    def spread(self, count: int) -> list[int]:
        """At most ``count`` plate frames, from first to last in even steps."""
        total = len(self._plate)
        return sorted({part * total // count for part in range(count)}) if total else []

    def _survey(self) -> Iterator[np.ndarray]:
        for index, picture in enumerate(self._plate):
            check_picture(picture.image)
            if self._disk:
                self._keys[index] = content_key(picture.image)
            yield to_bytes(picture.image)

    def _glance(self, index: int) -> np.ndarray:
        """Plate frame ``index`` in 8 bits, for the sparse index; its look is made while it is in memory."""
        image = self.frame(index)
        check_picture(image)
        self.look(index)
        return to_bytes(image)

    def _read(self, index: int) -> np.ndarray:
        with self._reading:
            return self._plate[index].image

    def _load_look(self, index: int) -> Look:
        def make() -> dict[str, np.ndarray]:
            size, small, quick, _ = look_at(to_bytes(self.frame(index)))
            return {"size": np.array(size), "small": small, "points": quick.points, "descriptors": quick.descriptors}

        found = self._from_disk(index, "look", make)
        size = Size(*found["size"].tolist())
        quick, valid = Features(found["points"], found["descriptors"]), self._load_valid(index)
        return Look(size, found["small"], quick if valid is None else outside(quick, ~valid, size), valid)

    def _load_valid(self, index: int) -> np.ndarray | None:
        """The validity mask of plate frame ``index``; None where all of it shows the place."""
        if self.validity is None:
            return None
        valid = self.validity.find(to_bytes(self.frame(index)))
        return None if valid.all() else valid

    def _load_features(self, index: int) -> Features:
        def make() -> dict[str, np.ndarray]:
            return extract_features(to_bytes(self.frame(index)), self._feature_side)._asdict()

        features, look = Features(**self._from_disk(index, f"sift{self._feature_side}", make)), self.look(index)
        return features if look.valid is None else outside(features, ~look.valid, look.size)

    def _from_disk(self, index: int, kind: str, make: Callable[[], Arrays]) -> Arrays:
        return self._disk.get(f"{self._key(index)}-{kind}", make) if self._disk else make()

    def _key(self, index: int) -> str:
        """What plate frame ``index`` is called on disk; frames beside those of a sparse index are read for it."""
        if index not in self._keys:
            self._keys[index] = content_key(self.frame(index))
        return self._keys[index]


def _size(features: Features) -> int:
    return features.points.nbytes + features.descriptors.nbytes
