"""Pictures in files of their own, one a frame: which files make up a sequence, and reading them in order.

A sequence is the pictures of a folder, of a pattern such as ``shot.%04d.png``, or of a wildcard; a still is one of one.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from howard.errors import InputError
from howard.frame_rates import snap_to_ntsc
from howard.media.colour_names import apply_colour_name
from howard.media.frame import ClipInfo, Frame
from howard.media.sequence_files import SequenceFiles
from howard.media.still import read_picture
from howard.media.stills.picture import StillPicture
from howard.media.working_space import WorkingSpace

_FRAME_RATE = Fraction(24)


class SequenceReader:
    """A sequence of pictures as a sequence of `Frame`, all read as the first one is.

    ``path`` is what the sequence was opened as. ``frame_rate`` is the sequence's; where it is None, EXR and DPX files
    may say theirs, and 24 is taken otherwise. ``colour``, one of COLOUR_NAMES, names the files' colours where they are
    not what they seem; ``layer`` is one of several in EXR files. The picture read last is kept, so that reading a still
    again costs nothing.
    """

    def __init__(
        self,
        path: Path,
        sequence: SequenceFiles,
        colour: str | None = None,
        frame_rate: Fraction | None = None,
        layer: str | None = None,
    ) -> None:
        self._layer = layer
        first = read_picture(sequence.files[0], layer)
        tags = apply_colour_name(first.tags, colour, sequence.files[0])
        self._convert = WorkingSpace(tags)
        self._kind = _kind(first)
        height, width = first.image.shape[:2]
        rate = frame_rate or (first.frame_rate and snap_to_ntsc(first.frame_rate)) or _FRAME_RATE
        self.info = ClipInfo(
            path=path,
            files=sequence.files,
            name=sequence.name,
            width=width,
            height=height,
            frame_count=len(sequence.files),
            frame_rate=rate,
            duration=len(sequence.files) / rate,
            pixel_format=first.pixel_format,
            dtype=self._convert.dtype_of(str(first.image.dtype)),
            primaries=tags.primaries.name,
            transfer=tags.transfer,
            pixel_aspect=first.pixel_aspect,
            first_number=sequence.first_number,
            padding=sequence.padding,
            timecode=first.timecode,
            notes=tuple(f"{sequence.files[0].name}: {note}" for note in first.notes),
            window_origin=first.window_origin,
        )
        self._last = self._frame(0, first)

    @property
    def entry_points(self) -> Sequence[int]:
        """All frames: each has a file of its own."""
        return range(len(self))

    def __len__(self) -> int:
        return self.info.frame_count

    def __iter__(self) -> Iterator[Frame]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``, counted from zero.

        Raises IndexError outside the sequence, negative numbers included; DamagedFrameError where its file is damaged;
        InputError where it cannot be read or is unlike the first.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"{self.info.path} has frames 0 to {len(self) - 1}, not {index}")
        last = self._last
        if last.index != index:
            last = self._last = self._frame(index, self._read_like_the_first(self.info.files[index]))
        return last

    def __enter__(self) -> "SequenceReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open; here so that every reader can be closed."""

    def _frame(self, index: int, picture: StillPicture) -> Frame:
        number = self.info.first_number + index
        return Frame(self._convert(picture.image), index, number, index / self.info.frame_rate)

    def _read_like_the_first(self, path: Path) -> StillPicture:
        picture = read_picture(path, self._layer)
        kind = _kind(picture)
        if kind != self._kind:
            raise InputError(f"{path} is {kind}, but the sequence began as {self._kind}; make all files alike")
        return picture


def _kind(picture: StillPicture) -> str:
    height, width = picture.image.shape[:2]
    return f"{width}x{height} {picture.pixel_format} {picture.tags.primaries.name}"
