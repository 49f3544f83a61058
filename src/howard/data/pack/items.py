"""What is read from a pack: pictures, and the people and pairs that they make up."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from howard.data.pack.encoding import decode
from howard.data.pack.layout import ALPHA, COVERAGE
from howard.data.pairs import PairPictures
from howard.errors import InputError
from howard.synthesis import Person

_GREY = (ALPHA, COVERAGE)


class PackedPicture:
    """One picture of a pack, decoded whenever it is read, or once and for all.

    Args:
        path: of the shard.
        name: of the member, ``KEY.KIND.FORMAT``.
        offset: of its bytes in the shard.
        size: number of its bytes.
    """

    def __init__(self, path: Path, name: str, offset: int, size: int) -> None:
        self._path, self._name, self._offset, self._size = path, name, offset, size
        self._kept: np.ndarray | None = None

    @property
    def stem(self) -> str:
        """``KEY.KIND``."""
        return self._name.rpartition(".")[0]

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB, or (H, W) uint8 of alpha and coverage; not to be written to.

        Raises:
            InputError: it cannot be read.
        """
        return self._decode() if self._kept is None else self._kept

    def keep(self) -> None:
        """Decode it now and keep it; raises InputError where it cannot be read."""
        if self._kept is None:
            kept = self._decode()
            kept.flags.writeable = False
            self._kept = kept

    def _decode(self) -> np.ndarray:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(self._size)
        except OSError as error:
            raise InputError(f"cannot read {self._path} ({error.strerror})") from error
        return decode(data, self.stem.rpartition(".")[2] in _GREY, f"{self._name} of {self._path}")


class PackedPerson:
    """A person of a pack, with the interface of :class:`howard.data.people.PersonClip`.

    Args:
        name: as in the manifest.
        frames: colour and alpha of every frame.
    """

    def __init__(self, name: str, frames: Sequence[tuple[PackedPicture, PackedPicture]]) -> None:
        self.name, self._frames = name, frames

    @property
    def frame_count(self) -> int:
        """How many frames; 1 of a still."""
        return len(self._frames)

    def read(self, index: int) -> Person:
        """Frame ``index``; raises InputError where it cannot be read."""
        foreground, alpha = self._frames[index]
        return Person(foreground.read(), alpha.read())


class PackedPair:
    """A prepared pair of a pack, with the interface of :class:`howard.data.pairs.PreparedPair`.

    Args:
        name: as in the manifest.
        pictures: in the order of :class:`PairPictures`.
    """

    def __init__(self, name: str, pictures: Sequence[PackedPicture]) -> None:
        self.name, self._pictures = name, pictures

    def read(self) -> PairPictures:
        """Its pictures; raises InputError where one cannot be read."""
        return PairPictures(*(picture.read() for picture in self._pictures))
