"""The plate as it was given: one clip or several, all of each or a range of frames, or the shot itself."""

import bisect
import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from howard.align import OwnFrames
from howard.media import ClipInfo, Frame, Reader, fingerprint_all
from howard.pipeline.summary import name_frames

# Seconds: in plate=self, frames nearer to one another than this show a person who has hardly moved.
_SELF_DISTANCE = 0.5
# Of a short shot this share of its frames instead, so that most are left.
_SELF_SHARE = 1 / 6


class PlatePart(NamedTuple):
    """An open clip, and the indices of those of its frames that are used."""

    reader: Reader
    indices: range


# What a clip's decoded pictures depend on besides its files.
_DECODING = (
    *("width", "height", "rotation", "mirrored", "frame_rate", "frame_count"),
    *("pixel_format", "dtype", "matrix", "full_range", "primaries", "transfer"),
)


class PlateClips:
    """The frames of several clips in a row, as one plate.

    Frames are counted from 0 through all parts; `locate` says where one is. ``is_self`` says that the plate is the shot
    itself, frame by frame.
    """

    def __init__(self, parts: Sequence[PlatePart], is_self: bool = False) -> None:
        self._parts = parts
        self._ends = list(accumulate(len(part.indices) for part in parts))
        self.is_self = is_self

    @property
    def clips(self) -> list[ClipInfo]:
        """What is known of each clip."""
        return [part.reader.info for part in self._parts]

    @property
    def parts(self) -> Sequence[PlatePart]:
        """The clips, and what is used of each."""
        return self._parts

    @property
    def entry_points(self) -> Sequence[int]:
        """Frames that can be read without decoding those before them, in order; the first of each part is one."""
        found = []
        for part, end in zip(self._parts, self._ends, strict=True):
            first = end - len(part.indices)
            entries = {index - part.indices.start + first for index in part.reader.entry_points}
            found += sorted({first, *(entry for entry in entries if first <= entry < end)})
        return found

    @cached_property
    def fingerprint(self) -> str | None:
        """A name of these frames of these files; None where a clip has no files."""
        if None in self._fingerprints:
            return None
        used = [(name, part.indices) for name, part in zip(self._fingerprints, self._parts, strict=True)]
        return hashlib.sha256(repr(used).encode()).hexdigest()[:40]

    def key_of(self, index: int) -> str | None:
        """A name of frame ``index``, whichever frames of its file are used; None where its clip has no files."""
        part, offset = self._part_of(index)
        name = self._fingerprints[self._parts.index(part)]
        return None if name is None else f"{name}-{part.indices[offset]}"

    @cached_property
    def _fingerprints(self) -> list[str | None]:
        return [_identify(part.reader.info) for part in self._parts]

    def locate(self, index: int) -> tuple[ClipInfo, int]:
        """The clip that holds frame ``index``, and the frame's number there."""
        part, offset = self._part_of(index)
        info = part.reader.info
        return info, info.first_number + part.indices[offset]

    def describe(self, indices: Sequence[int]) -> str:
        """Frames, in order, in words: "frames 3-5", with the names of the clips if there are several."""
        numbers: dict[str, list[int]] = {}
        for index in indices:
            clip, number = self.locate(index)
            numbers.setdefault(clip.path.name, []).append(number)
        if len(self._parts) == 1:
            return "".join(name_frames(found) for found in numbers.values())
        return ", ".join(f"{name_frames(found)} of {name}" for name, found in numbers.items())

    def own_frames(self, source_index: int) -> OwnFrames | None:
        """Where a frame of the shot is in the plate; None where the plate is not the shot itself."""
        if not self.is_self:
            return None
        [part] = self._parts
        distance = round(_SELF_DISTANCE * part.reader.info.frame_rate)
        distance = max(1, min(distance, int(_SELF_SHARE * len(self))))
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
        """The part that holds a frame, and the frame's place in it."""
        if not 0 <= index < len(self):
            raise IndexError(f"the plate has no frame {index}")
        place = bisect.bisect_right(self._ends, index)
        return self._parts[place], index - (self._ends[place] - len(self._parts[place].indices))


def _identify(clip: ClipInfo) -> str | None:
    """A name of a clip's decoded pictures; None where it has no files."""
    if not clip.files:
        return None
    known = fingerprint_all(clip.files), [str(getattr(clip, name)) for name in _DECODING]
    return hashlib.sha256(repr(known).encode()).hexdigest()[:40]
