"""What every reader can do, and the one function that opens them all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from howard.errors import InputError
from howard.media.frame import ClipInfo, Frame
from howard.media.still import STILL_SUFFIXES, StillReader
from howard.media.video import VideoReader


class Reader(Protocol):
    """A clip as a sequence of frames, read in order or at random; at no time is more than a few frames in memory."""

    info: ClipInfo

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __getitem__(self, index: int) -> Frame: ...

    def __enter__(self) -> "Reader": ...

    def __exit__(self, *exception: object) -> None: ...

    def close(self) -> None: ...


def open_reader(path: str | Path) -> Reader:
    """Open a video or a still for reading.

    Raises InputError, in one line, where the path is missing, is a folder, or holds no picture that can be read.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one video file or one still")
    if not path.exists():
        raise InputError(f"{path} does not exist; check the path and its spelling")
    if path.suffix.lower() in STILL_SUFFIXES:
        return StillReader(path)
    return VideoReader(path)
