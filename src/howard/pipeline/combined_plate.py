"""The plate as the user gave it: one clip or several, all of each or a range of frames, or the shot itself."""

import bisect
import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from howard.align import OwnFrames
from howard.frame_ranges import format_frames
from howard.media import ClipInfo, Frame, Reader, fingerprint_all

# With plate=self, frames nearer than this to a source frame, in seconds, are not used for it: the person has hardly
# moved between them.
_SELF_DISTANCE = 0.5
# Upper limit of that distance as a fraction of the shot's frames, so that a short shot keeps enough frames.
_SELF_FRACTION = 1 / 6
# Properties of a clip, besides its files, that its decoded frames depend on.
_DECODING = (
    *("width", "height", "rotation", "mirrored", "frame_rate", "frame_count"),
    *("pixel_format", "dtype", "matrix", "full_range", "primaries", "transfer"),
)


class PlatePart(NamedTuple):
    """An open clip, and the indices of those of its frames that are used."""

    reader: Reader
    indices: range


class CombinedPlate:
    """The frames of several clips in a row, as one plate.

    Frames are counted from 0 through all parts; `locate` maps an index back to its clip. ``is_self`` says that the
    plate is the shot itself, frame by frame.
    """

    def __init__(self, parts: Sequence[PlatePart], is_self: bool = False) -> None:
        self._parts = parts
        self._ends = list(accumulate(len(part.indices) for part in parts))
        self.is_self = is_self

    @property
    def clips(self) -> list[ClipInfo]:
        """The description of each clip."""
        return [part.reader.info for part in self._parts]

    @property
    def parts(self) -> Sequence[PlatePart]:
        """The clips and the frames used of each."""
        return self._parts

    @property
    def entry_points(self) -> Sequence[int]:
        """Sorted indices of frames that can be decoded without those before them; the first of each part is one."""
        found = []
        for part, end in zip(self._parts, self._ends, strict=True):
            first = end - len(part.indices)
            entries = {index - part.indices.start + first for index in part.reader.entry_points}
            found += sorted({first, *(entry for entry in entries if first <= entry < end)})
        return found

    @cached_property
    def fingerprint(self) -> str | None:
        """Identifies these frames of these files; None if a clip has no files."""
        if None in self._fingerprints:
            return None
        used = [(name, part.indices) for name, part in zip(self._fingerprints, self._parts, strict=True)]
        return hashlib.sha256(repr(used).encode()).hexdigest()[:40]

    def key_of(self, index: int) -> str | None:
        """Identifies frame ``index``, whichever frames of its file are used; None if its clip has no files."""
        part, offset = self._part_of(index)
        name = self._fingerprints[self._parts.index(part)]
        return None if name is None else f"{name}-{part.indices[offset]}"

    @cached_property
    def _fingerprints(self) -> list[str | None]:
        return [_fingerprint_decoded(part.reader.info) for part in self._parts]

    def locate(self, index: int) -> tuple[ClipInfo, int]:
        """The clip of frame ``index``, and the frame's number in it."""
        part, offset = self._part_of(index)
        info = part.reader.info
        return info, info.first_number + part.indices[offset]

    def describe(self, indices: Sequence[int]) -> str:
        """Sorted frames as text: "frames 3-5", with the clips' names if there are several clips."""
        numbers: dict[str, list[int]] = {}
        for index in indices:
            clip, number = self.locate(index)
            numbers.setdefault(clip.path.name, []).append(number)
        if len(self._parts) == 1:
            return "".join(format_frames(found) for found in numbers.values())
        return ", ".join(f"{format_frames(found)} of {name}" for name, found in numbers.items())

    def own_frames(self, source_index: int) -> OwnFrames | None:
        """The position of a source frame in the plate; None if the plate is not the shot itself."""
        if not self.is_self:
            return None
        [part] = self._parts
        distance = round(_SELF_DISTANCE * part.reader.info.frame_rate)
        distance = max(1, min(distance, int(_SELF_FRACTION * len(self))))
        near = range(max(0, source_index - distance + 1), min(len(self), source_index + distance))
        return OwnFrames(source_index, near)

    def __len__(self) -> int:
        return self._ends[-1]

    def __iter__(self) -> Iterator[Frame]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Frame:
        part, offset = self._part_of(index)
        return part.reader[part.indices[offset]]

    def _part_of(self, index: int) -> tuple[PlatePart, int]:
        """The part that holds a frame, and the frame's offset in it."""
        if not 0 <= index < len(self):
            raise IndexError(f"the plate has no frame {index}")
        place = bisect.bisect_right(self._ends, index)
        return self._parts[place], index - (self._ends[place] - len(self._parts[place].indices))


def _fingerprint_decoded(clip: ClipInfo) -> str | None:
    """Identifies a clip's decoded frames; None if it has no files."""
    if not clip.files:
        return None
    known = fingerprint_all(clip.files), [str(getattr(clip, name)) for name in _DECODING]
    return hashlib.sha256(repr(known).encode()).hexdigest()[:40]
