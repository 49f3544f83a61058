"""What alignment needs of a frame and of a plate clip: the required interface, and two optional additions."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np


class Picture(Protocol):
    """A frame: ``image`` is RGB, (H, W, 3) uint8, uint16 or float32, sRGB-encoded."""

    @property
    def image(self) -> np.ndarray: ...


class PlateFrames(Protocol):
    """The frames of a plate: iterable in order, and readable by zero-based index.

    A plate may also implement `KeyedFrames` and `SeekableFrames`.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Picture]: ...

    def __getitem__(self, index: int, /) -> Picture: ...


@runtime_checkable
class KeyedFrames(Protocol):
    """A plate with names for its content, under which results are cached on disk instead of under hashes of pixels.

    ``fingerprint`` identifies all of the plate's frames, ``key_of(index)`` one of them; None if there is no such name.
    """

    @property
    def fingerprint(self) -> str | None: ...

    def key_of(self, index: int, /) -> str | None: ...


@runtime_checkable
class SeekableFrames(Protocol):
    """A plate with ``entry_points``, the sorted indices of frames that can be decoded without those before them.

    None if these are not known.
    """

    @property
    def entry_points(self) -> Sequence[int] | None: ...


def find_fingerprint(plate: object) -> str | None:
    """The fingerprint of a plate; None if it is not `KeyedFrames` or has none."""
    return plate.fingerprint if isinstance(plate, KeyedFrames) else None


def find_key(plate: object, index: int) -> str | None:
    """The key of a plate's frame; None if the plate is not `KeyedFrames` or the frame has none."""
    return plate.key_of(index) if isinstance(plate, KeyedFrames) else None


def find_entry_points(plate: object) -> Sequence[int] | None:
    """The entry points of a plate; None if it is not `SeekableFrames` or they are not known."""
    return plate.entry_points if isinstance(plate, SeekableFrames) else None
