"""The interface of all readers, and `open_reader`, which opens any kind of clip."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from howard.errors import InputError
from howard.media.frame import ClipInfo, Frame
from howard.media.sequence_files import SequenceFiles, find_sequence, is_pattern
from howard.media.sequence_reader import SequenceReader
from howard.media.still import RAW_SUFFIXES, is_still
from howard.media.video import VideoReader


class Reader(Protocol):
    """A clip as a sequence of frames, with random access; only a few frames are in memory at a time."""

    info: ClipInfo

    @property
    def entry_points(self) -> Sequence[int]:
        """Indices of the frames that can be decoded without earlier frames, in order."""
        ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __getitem__(self, index: int) -> Frame: ...

    def __enter__(self) -> "Reader": ...

    def __exit__(self, *exception: object) -> None: ...

    def close(self) -> None: ...


def open_reader(
    path: str | Path,
    colour: str | None = None,
    frame_rate: Fraction | None = None,
    interlaced: str = "auto",
    layer: str | None = None,
) -> Reader:
    """Open a video, a still or an image sequence for reading.

    Args:
        path: a video or still; or an image sequence as its folder, as a pattern with the frame number,
            ``shot.%04d.png`` or ``shot.####.png``, or with the wildcards ``*``, ``?`` and ``[0-9]``. An existing file
            is never interpreted as a pattern.
        colour: one of COLOUR_NAMES, for files whose colour tags are wrong or missing.
        frame_rate: of an image sequence; if None, that of its EXR or DPX headers, or else 24. Ignored for videos.
        interlaced: "auto" rejects interlaced video; "progressive" is for progressive video with wrong flags.
        layer: the layer of EXR files that have several.

    Raises:
        InputError: the path does not exist, is not a readable image or video, or frames of the sequence are missing.
        SettingsError: ``colour`` or ``interlaced`` is unknown.
    """
    path = Path(path)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:
        # The name is too long for the file system, or the folder is not readable.
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be opened ({reason}); check the path") from error
    if is_folder or (not exists and is_pattern(path)):
        return SequenceReader(path, find_sequence(path), colour, frame_rate, layer)
    if not exists:
        raise InputError(f"{path} does not exist; check the path and its spelling")
    if not path.stat().st_size:
        raise InputError(f"{path} is empty; copy or render it again")
    if path.suffix.lower() in RAW_SUFFIXES:
        raise InputError(f"{path} is a camera's raw file; develop it to a 16-bit TIFF or an EXR file first")
    if is_still(path):
        return SequenceReader(path, SequenceFiles((path,), 1, path.stem), colour, frame_rate, layer)
    return VideoReader(path, colour, interlaced)
