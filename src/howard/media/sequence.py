"""Pictures in files of their own, one a frame: an image sequence, or a still as a video of one frame."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from howard.errors import InputError
from howard.media.colour_names import apply_colour_name
from howard.media.frame import ClipInfo, Frame
from howard.media.picture import StillPicture
from howard.media.sequence_files import SequenceFiles
from howard.media.still import read_picture
from howard.media.working_space import WorkingSpace

_FRAME_RATE = Fraction(24)


class SequenceReader:
    """A sequence of pictures as a sequence of `Frame`, all read as the first one is.

    ``path`` is what the sequence was opened as. ``frame_rate`` is the sequence's; where it is None, EXR files may say
    theirs, and 24 is taken otherwise. ``colour`` names the files' colours where they are not what they seem, one of
    COLOUR_NAMES. The picture read last is held, so that reading a still again costs nothing.
    """

    def __init__(
        self, path: Path, sequence: SequenceFiles, colour: str | None = None, frame_rate: Fraction | None = None
    ) -> None:
        self._first = read_picture(sequence.files[0])
        tags = apply_colour_name(self._first.tags, colour)
        self._convert = WorkingSpace(tags)
        height, width = self._first.image.shape[:2]
        rate = frame_rate or self._first.frame_rate or _FRAME_RATE
        self.info = ClipInfo(
            path=path,
            files=sequence.files,
            name=sequence.name,
            width=width,
            height=height,
            frame_count=len(sequence.files),
            frame_rate=rate,
            duration=len(sequence.files) / rate,
            pixel_format=self._first.pixel_format,
            dtype=self._convert.dtype_of(str(self._first.image.dtype)),
            primaries=tags.primaries.name,
            transfer=tags.transfer,
            pixel_aspect=self._first.pixel_aspect,
            first_number=sequence.first_number,
            timecode=self._first.timecode,
        )
        self._last = self._frame(0, self._first)

    def __len__(self) -> int:
        return self.info.frame_count

    def __iter__(self) -> Iterator[Frame]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``, counted from zero; raises IndexError outside the sequence, negative numbers included."""
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
        picture = read_picture(path)
        if _kind(picture) != _kind(self._first):
            raise InputError(
                f"{path} is {_kind(picture)}, but the sequence began as {_kind(self._first)}; make all files alike"
            )
        return picture


def _kind(picture: StillPicture) -> str:
    height, width = picture.image.shape[:2]
    return f"{width}x{height} {picture.pixel_format} {picture.tags.primaries.name}"
