"""A clip whose frames are rendered on first access and kept, with the interface of a reader."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.scenes.camera import Size
from howard.media import ClipInfo, Frame


class MemoryClip:
    """Frames by number, like those of ``howard.media.open_reader``."""

    def __init__(self, name: str, size: Size, count: int, rate: Fraction, render: Callable[[int], np.ndarray]) -> None:
        """``render`` gives frame i of ``count`` as (H, W, 3) uint8 RGB."""
        self.info = ClipInfo(
            path=Path(name),
            files=(),
            name=name,
            width=size.width,
            height=size.height,
            frame_count=count,
            frame_rate=rate,
            duration=count / rate,
            pixel_format="rgb24",
        )
        self._render = render
        self._kept: dict[int, Frame] = {}

    @classmethod
    def of(cls, name: str, images: Sequence[np.ndarray], rate: Fraction = Fraction(24)) -> "MemoryClip":
        """A clip of existing pictures, all of one size."""
        height, width = images[0].shape[:2]
        return cls(name, Size(width, height), len(images), rate, images.__getitem__)

    def __len__(self) -> int:
        return self.info.frame_count

    def __iter__(self) -> Iterator[Frame]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``; raises IndexError outside the clip."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.info.path} has frames 0 to {len(self) - 1}, not {index}")
        if index not in self._kept:
            self._kept[index] = Frame(self._render(index), index, index + 1, index / self.info.frame_rate)
        return self._kept[index]

    def __enter__(self) -> "MemoryClip":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Does nothing: part of the reader interface."""
