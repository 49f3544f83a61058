"""Pictures in files of their own, one a frame: which files make up a sequence, and reading them in order.

A sequence is the pictures of a folder, of a pattern such as ``shot.%04d.png``, or of a wildcard; a still is one of one.
"""

import fnmatch
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from howard.errors import InputError
from howard.frame_rates import snap_to_ntsc
from howard.media.colour_names import apply_colour_name
from howard.media.frame import ClipInfo, Frame
from howard.media.still import STILL_SUFFIXES, read_picture
from howard.media.stills.picture import StillPicture
from howard.media.working_space import WorkingSpace

_FRAME_RATE = Fraction(24)
_DIGITS = re.compile(r"[0-9]+")
# printf's %d and %04d, and one # for each digit.
_NUMBER_SIGN = re.compile(r"%(?:0([0-9]+))?d|(#+)")
_WILDCARDS = "*?["
_MOST_NAMED = 5


class SequenceFiles(NamedTuple):
    """The files of a sequence in order; the first has ``first_number`` and none is missing.

    ``name`` is what comes before the numbers, else the folder's name. Numbers have at least ``padding``
    digits.
    """

    files: tuple[Path, ...]
    first_number: int
    name: str
    padding: int = 4


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


def is_pattern(path: Path) -> bool:
    """Whether the last part of ``path`` stands for many files; the folders before it never do."""
    return bool(_NUMBER_SIGN.search(path.name)) or any(sign in path.name for sign in _WILDCARDS)


def find_sequence(path: Path) -> SequenceFiles:
    """Find the sequence that a folder or a pattern stands for; a pattern's wildcards are in its last part only.

    A frame's number is the one group of digits that differs from file to file. Raises InputError where there is no
    picture, where there are several sequences, or where frames are missing, naming them.
    """
    folder = path if path.is_dir() else path.parent
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder} cannot be read as a folder ({error.strerror}); check the path") from error
    pictures = [name for name in names if Path(name).suffix.lower() in STILL_SUFFIXES]
    if path.is_dir():
        if not pictures:
            raise InputError(f"{path} is a folder without pictures; give one video file, or a folder of frames")
        return _number(path, folder, pictures)
    matches = list(_matching(path.name, pictures))
    if not matches:
        raise InputError(f"{path} matches no picture; check the pattern, for instance with ls")
    return _number(path, folder, matches)


def _matching(pattern: str, names: Iterable[str]) -> Iterable[str]:
    if not _NUMBER_SIGN.search(pattern):
        return (name for name in names if fnmatch.fnmatchcase(name, pattern))
    expression, end = "", 0
    for sign in _NUMBER_SIGN.finditer(pattern):
        width = int(sign[1] or 1) if sign[2] is None else len(sign[2])
        # As printf counts: at least so many digits, and more only where the number needs them.
        expression += re.escape(pattern[end : sign.start()]) + f"(?:[0-9]{{{width}}}|[1-9][0-9]{{{width},}})"
        end = sign.end()
    expression += re.escape(pattern[end:])
    return (name for name in names if re.fullmatch(expression, name))


def _number(path: Path, folder: Path, names: list[str]) -> SequenceFiles:
    skeletons = sorted({_DIGITS.sub("#", name) for name in names})
    groups = [[int(digits) for digits in _DIGITS.findall(Path(name).stem)] for name in names]
    varying = [place for place, values in enumerate(zip(*groups, strict=False)) if len(set(values)) > 1]
    if len(skeletons) > 1 or len(varying) > 1:
        examples = " and ".join(sorted(names)[:: max(1, len(names) - 1)][:2])
        raise InputError(f"{path} holds more than one sequence, such as {examples}; give one as NAME.%04d.png")
    if not groups[0]:
        raise InputError(f"{path}: {names[0]} has no frame number in its name; name the files NAME.0001.png and so on")
    place = varying[0] if varying else -1
    by_number = {group[place]: name for group, name in zip(groups, names, strict=True)}
    if len(by_number) < len(names):
        raise InputError(f"{path} has two files of the same number, as 1 and 01; remove one of them")
    numbers = sorted(by_number)
    _refuse_gaps(path, numbers)
    first = by_number[numbers[0]]
    digits = list(_DIGITS.finditer(Path(first).stem))[place]
    return SequenceFiles(
        files=tuple(folder / by_number[number] for number in numbers),
        first_number=numbers[0],
        name=first[: digits.start()].rstrip("._- ") or folder.resolve().name,
        padding=len(digits[0]),
    )


def _refuse_gaps(path: Path, numbers: list[int]) -> None:
    gaps = [
        f"{before + 1}" if after - before == 2 else f"{before + 1}-{after - 1}"
        for before, after in itertools.pairwise(numbers)
        if after - before > 1
    ]
    if gaps:
        more = f" and {len(gaps) - _MOST_NAMED} more gaps" if len(gaps) > _MOST_NAMED else ""
        raise InputError(
            f"{path} lacks frames {', '.join(gaps[:_MOST_NAMED])}{more} between {numbers[0]} and {numbers[-1]}; "
            "render or copy them again"
        )
