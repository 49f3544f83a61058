"""What alignment needs of a frame and of a plate clip: the required interface, and three optional additions."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np


class Picture(Protocol):
    """A frame: ``image`` is RGB, (H, W, 3) uint8, uint16 or float32, sRGB-encoded."""

    @property
    def image(self) -> np.ndarray: ...


class PlateFrames(Protocol):
    """The frames of a plate: iterable in order, and readable by zero-based index.

    A plate may also implement `FingerprintedFrames`, `KeyedFrames` and `SeekableFrames`.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Picture]: ...

    def __getitem__(self, index: int, /) -> Picture: ...


@runtime_checkable
class FingerprintedFrames(Protocol):
    """A plate with a ``fingerprint`` of all its frames, under which its index is cached; None if there is none."""

    @property
    def fingerprint(self) -> str | None: ...


@runtime_checkable
class KeyedFrames(Protocol):
    """A plate with ``key_of(index)``, a name of a frame's content; None if it has no name.

    Results are cached on disk under these names instead of under hashes of the pixels.
    """

    def key_of(self, index: int, /) -> str | None: ...


@runtime_checkable
class SeekableFrames(Protocol):
    """A plate with ``entry_points``, the sorted indices of frames that can be decoded without those before them.

    None if these are not known.
    """

    @property
    def entry_points(self) -> Sequence[int] | None: ...


def find_fingerprint(plate: object) -> str | None:
    """The fingerprint of a plate; None if it is not `FingerprintedFrames` or has none."""
    return plate.fingerprint if isinstance(plate, FingerprintedFrames) else None


def find_key(plate: object, index: int) -> str | None:
    """The key of a plate's frame; None if the plate is not `KeyedFrames` or the frame has none."""
    return plate.key_of(index) if isinstance(plate, KeyedFrames) else None


def find_entry_points(plate: object) -> Sequence[int] | None:
    """The entry points of a plate; None if it is not `SeekableFrames` or they are not known."""
    return plate.entry_points if isinstance(plate, SeekableFrames) else None
