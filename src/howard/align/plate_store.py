"""The frames of the plate, and their descriptors and features, computed on demand and cached."""

from collections.abc import Callable
from threading import Lock

import numpy as np

from howard.align.caches import Arrays, BoundedMemory, DiskCache, content_key
from howard.align.features import Features, FrameDescriptor, describe_frame, extract_features, outside
from howard.align.pictures import Size, to_bytes
from howard.align.plate_frames import PlateFrames, find_entry_points, find_key
from howard.align.plate_index import PlateIndex, SparsePlateIndex
from howard.align.validity import ValidityFinder
from howard.images import check_shape_and_depth

# Least number of frames in memory: those that one source frame needs at quality "best".
_LEAST_FRAMES = 6
_DESCRIPTOR_BYTES = 128 * 2**20
_FEATURE_BYTES = 64 * 2**20


class PlateStore:
    """Plate frames, descriptors and features, cached in memory up to a size.

    ``index`` is the plate's index; if it is None, only the frames that a `SparsePlateIndex` requests are read.
    Up to ``frame_bytes`` of decoded frames are cached, but at least six frames; in addition 128 MiB of descriptors and
    64 MiB of features. Features outside the mask of ``validity``, if given, are removed. Safe to use from several
    threads, of which only one reads the plate at a time.
    """

    def __init__(
        self,
        plate: PlateFrames,
        *,
        feature_side: int,
        frame_bytes: int,
        disk: DiskCache | None,
        index: PlateIndex | None = None,
        validity: ValidityFinder | None = None,
    ) -> None:
        self.validity = validity
        self._plate = plate
        self.feature_side = feature_side
        self._disk = disk
        self._reading = Lock()
        self._keys = dict(enumerate(index.keys if index is not None else ()))
        self._frames = BoundedMemory[np.ndarray](frame_bytes, lambda frame: frame.nbytes, _LEAST_FRAMES)
        self._descriptors = BoundedMemory[FrameDescriptor](
            _DESCRIPTOR_BYTES, lambda each: each.small.nbytes + _size(each.quick)
        )
        self._features = BoundedMemory[Features](_FEATURE_BYTES, _size)
        self.index: PlateIndex | SparsePlateIndex = self._make_sparse_index() if index is None else index

    def frame(self, index: int) -> np.ndarray:
        """The image of plate frame ``index`` as the reader returns it."""
        return self._frames.get(index, lambda: self._read(index))

    def descriptor(self, index: int) -> FrameDescriptor:
        """The descriptor of plate frame ``index``, for ranking and comparing candidates."""
        return self._descriptors.get(index, lambda: self._load_descriptor(index))

    def features(self, index: int, side: int | None = None) -> Features:
        """SIFT features of plate frame ``index`` where it is valid, detected at ``side`` or, if None, at the store's
        side."""
        chosen = side or self.feature_side
        return self._features.get((index, chosen), lambda: self._load_features(index, chosen))

    def spread(self, count: int) -> list[int]:
        """At most ``count`` evenly spaced plate frames."""
        total = len(self._plate)
        return sorted({part * total // count for part in range(count)}) if total else []

    def keep(self, frames: tuple[int, ...], kind: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays that ``make`` computes from plate frames at the store's feature side, loaded from disk if cached
        there."""
        if self._disk is None:
            return make()
        names = "-".join(self._key(index) for index in frames)
        return self._disk.get(f"{names}-{kind}", make)

    def _make_sparse_index(self) -> SparsePlateIndex:
        count = len(self._plate)
        return SparsePlateIndex(self._read_for_index, count, find_entry_points(self._plate) or range(count))

    def _read_for_index(self, index: int) -> np.ndarray:
        """Plate frame ``index`` in 8 bits, for the sparse index; its descriptor is computed while it is in memory."""
        image = self.frame(index)
        check_shape_and_depth(image, channels=(3,))
        self.descriptor(index)
        return to_bytes(image)

    def _read(self, index: int) -> np.ndarray:
        with self._reading:
            return self._plate[index].image

    def _load_descriptor(self, index: int) -> FrameDescriptor:
        def make() -> dict[str, np.ndarray]:
            size, small, quick, _ = describe_frame(to_bytes(self.frame(index)))
            return {"size": np.array(size), "small": small, "points": quick.points, "descriptors": quick.descriptors}

        found = self.keep((index,), "look", make)
        size = Size(*found["size"].tolist())
        quick, valid = Features(found["points"], found["descriptors"]), self._load_valid(index)
        return FrameDescriptor(size, found["small"], quick if valid is None else outside(quick, ~valid, size), valid)

    def _load_valid(self, index: int) -> np.ndarray | None:
        """The validity mask of plate frame ``index``; None where all of it shows the place."""
        if self.validity is None:
            return None
        valid = self.validity.find(to_bytes(self.frame(index)))
        return None if valid.all() else valid

    def _load_features(self, index: int, side: int) -> Features:
        def make() -> dict[str, np.ndarray]:
            return extract_features(to_bytes(self.frame(index)), side)._asdict()

        features, frame = Features(**self.keep((index,), f"sift{side}", make)), self.descriptor(index)
        return features if frame.valid is None else outside(features, ~frame.valid, frame.size)

    def _key(self, index: int) -> str:
        """The name of plate frame ``index`` on disk: the plate's key for it, or else a hash of its content."""
        if index not in self._keys:
            self._keys[index] = find_key(self._plate, index) or content_key(self.frame(index))
        return self._keys[index]


def _size(features: Features) -> int:
    return features.points.nbytes + features.descriptors.nbytes
