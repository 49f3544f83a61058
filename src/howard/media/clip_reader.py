"""Base class of the readers of videos and image sequences."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Self

from howard.media.frame import ClipInfo, Frame


class ClipReader(ABC):
    """A clip as a sequence of `Frame`, and a context manager that closes the file."""

    info: ClipInfo

    def __len__(self) -> int:
        return self.info.frame_count

    def __iter__(self) -> Iterator[Frame]:
        for index in range(len(self)):
            yield self[index]

    @abstractmethod
    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``, counted from zero; raises IndexError for others, also negative ones."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Release the file."""

    def _check_index(self, index: int) -> None:
        """Raise IndexError for indices outside the clip, also negative ones."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.info.path} has frames 0 to {len(self) - 1}, not {index}")
