"""QuickTime and MP4 files (ISO/IEC 14496-12): reading their boxes and tables without the media data."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

# FFmpeg's name of the demuxer.
ISO_FORMAT = "mov,mp4,m4a,3gp,3g2,mj2"

_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16
_ZEROS = bytes(2**16)


class Box(NamedTuple):
    """A box: its four-character type ``kind``, and the file offsets where its content begins and ends."""

    kind: bytes
    begin: int
    end: int


def read_boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Box]:
    """The top-level boxes between two file offsets; stops at a box with an invalid size."""
    while begin + _HEADER_BYTES <= end:
        file.seek(begin)
        header = file.read(_LONG_HEADER_BYTES)
        size, content = int.from_bytes(header[:4], "big"), begin + _HEADER_BYTES
        if size == 1:
            size, content = int.from_bytes(header[8:16], "big"), begin + _LONG_HEADER_BYTES
        elif size == 0:
            size = end - begin
        if begin + size < content:
            return
        yield Box(header[4:8], content, min(begin + size, end))
        begin += size


def is_fragmented(path: Path) -> bool:
    """Whether the file is fragmented (has "moof" boxes), as recorders and browsers write it."""
    with path.open("rb") as file:
        return any(box.kind == b"moof" for box in read_boxes(file, 0, _size(file)))


def read_sample_formats(path: Path) -> list[str | None]:
    """The four-character code of each track's first sample description, such as "avc1"; None if it has none."""
    with path.open("rb") as file:
        movie = [box for box in read_boxes(file, 0, _size(file)) if box.kind == b"moov"]
        tracks = [box for each in movie for box in read_boxes(file, each.begin, each.end) if box.kind == b"trak"]
        return [_sample_format(file, track) for track in tracks]


def _sample_format(file: BinaryIO, track: Box) -> str | None:
    box = track
    for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
        inner = next((each for each in read_boxes(file, box.begin, box.end) if each.kind == kind), None)
        if inner is None:
            return None
        box = inner
    # After version, flags, entry count and the first entry's size.
    file.seek(box.begin + 12)
    code = file.read(4)
    return code.decode("latin-1").strip() if box.begin + 16 <= box.end else None


class ZeroedMediaFile:
    """A QuickTime or MP4 file, open for reading, whose media data are replaced by zeros instead of read from disk.

    A demuxer returns the same packet times, sizes and flags, since these are in the file's tables.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._length = _size(self._file)
        self._media = [box for box in read_boxes(self._file, 0, self._length) if box.kind == b"mdat"]
        self._position = 0

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes from the current position; none at the end of the file."""
        end = min(self._position + size, self._length)
        for box in self._media:
            if box.begin <= self._position < box.end:
                return self._advance(_ZEROS[: min(end, box.end) - self._position])
            if self._position < box.begin:
                end = min(end, box.begin)
        self._file.seek(self._position)
        return self._advance(self._file.read(max(0, end - self._position)))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Change the position, like ``io.IOBase.seek``; returns the new position."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """The current position."""
        return self._position

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _advance(self, data: bytes) -> bytes:
        self._position += len(data)
        return data


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
