"""QuickTime and MP4 files (ISO/IEC 14496-12): reading a file's tables without reading its media data."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

# FFmpeg's name of the demuxer for all of these files.
ISO_FORMAT = "mov,mp4,m4a,3gp,3g2,mj2"

_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16
_ZEROS = bytes(2**16)


class Box(NamedTuple):
    """A box: its four-character ``kind``, and where in the file its content begins and ends, in bytes."""

    kind: bytes
    begin: int
    end: int


def read_boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Box]:
    """The boxes between two places of a file, not those inside them; ends early where one makes no sense."""
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
    """Whether the file keeps its tables in fragments along the way, as recorders and browsers write them."""
    with path.open("rb") as file:
        return any(box.kind == b"moof" for box in read_boxes(file, 0, _size(file)))


def read_sample_formats(path: Path) -> list[str | None]:
    """The four-character code of each track's first sample description, "avc1" for instance; None without one."""
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
    # Version, flags and the number of entries, then the first entry's size and code.
    file.seek(box.begin + 12)
    code = file.read(4)
    return code.decode("latin-1").strip() if box.begin + 16 <= box.end else None


class ZeroedMediaFile:
    """A QuickTime or MP4 file, open for reading, whose media data read as zeros and are never fetched from disk.

    A demuxer finds every packet's times, size and flags in the file's tables, so it gives the same ones.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._length = _size(self._file)
        self._holes = [box for box in read_boxes(self._file, 0, self._length) if box.kind == b"mdat"]
        self._position = 0

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes from where the file is; none at its end."""
        end = min(self._position + size, self._length)
        for hole in self._holes:
            if hole.begin <= self._position < hole.end:
                return self._advance(_ZEROS[: min(end, hole.end) - self._position])
            if self._position < hole.begin:
                end = min(end, hole.begin)
        self._file.seek(self._position)
        return self._advance(self._file.read(max(0, end - self._position)))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as files do; return it."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """The place in the file."""
        return self._position

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _advance(self, data: bytes) -> bytes:
        self._position += len(data)
        return data


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
