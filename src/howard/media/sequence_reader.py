"""Reading image sequences, one file per frame; a still is a sequence of one frame."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from howard.errors import InputError
from howard.frame_rates import snap_to_ntsc
from howard.media.clip_reader import ClipReader
from howard.media.colour_names import apply_colour_name
from howard.media.frame import ClipInfo, Frame
from howard.media.sequence_files import SequenceFiles
from howard.media.still import read_picture
from howard.media.stills.picture import StillPicture
from howard.media.working_space import WorkingSpace

_DEFAULT_FRAME_RATE = Fraction(24)


class SequenceReader(ClipReader):
    """An image sequence as a sequence of `Frame`; all files must have the first file's size, format and primaries.

    The last frame is cached, so reading a still repeatedly costs nothing.

    Args:
        path: what was opened, for messages.
        sequence: the files.
        colour: one of COLOUR_NAMES, overriding the files' colour tags.
        frame_rate: frames per second; if None, that of EXR or DPX headers, or else 24.
        layer: the layer of EXR files that have several.
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
        rate = frame_rate or (first.frame_rate and snap_to_ntsc(first.frame_rate)) or _DEFAULT_FRAME_RATE
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
        """All frames, since each has its own file."""
        return range(len(self))

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index``, counted from zero.

        Raises IndexError for indices outside the sequence, also negative ones; DamagedFrameError if the file is
        damaged; InputError if it cannot be read or differs in kind from the first.
        """
        self._check_index(index)
        last = self._last
        if last.index != index:
            last = self._last = self._frame(index, self._read_checked(self.info.files[index]))
        return last

    def close(self) -> None:
        """Does nothing: no file is open."""

    def _frame(self, index: int, picture: StillPicture) -> Frame:
        number = self.info.first_number + index
        return Frame(self._convert(picture.image), index, number, index / self.info.frame_rate)

    def _read_checked(self, path: Path) -> StillPicture:
        picture = read_picture(path, self._layer)
        kind = _kind(picture)
        if kind != self._kind:
            raise InputError(f"{path} is {kind}, but the first file is {self._kind}; convert all files to one format")
        return picture


def _kind(picture: StillPicture) -> str:
    """Size, pixel format and primaries, as text for comparison and messages."""
    height, width = picture.image.shape[:2]
    return f"{width}x{height} {picture.pixel_format} {picture.tags.primaries.name}"
