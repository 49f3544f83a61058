"""Aligning single frames of a shot, in any order, with what was read of the plate kept from one to the next."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from howard.align import (
    AlignTask,
    Neighbour,
    OwnFrames,
    PersonFinder,
    PlateAligner,
    ValidityFinder,
    align_many,
)
from howard.media import DamagedFrameError, Frame, Reader
from howard.pipeline.frames import AlignedFrame
from howard.pipeline.plate_survey import PlateSurvey

# Frames on either side that may help one that matches nothing.
_REACH = 3


def find_none(index: int) -> OwnFrames | None:
    """No source frame is in the plate."""
    return None


class FrameAligner:
    """Aligns a plate to any frames of a shot, and keeps what it has read of the plate from one call to the next.

    The plate's damaged frames are left out. Where a frame matches nothing, up to three on either side are read as well.

    Args:
        source: the shot.
        survey: of the plate.
        quality, find_person, cache, device, validity: as in :class:`howard.align.PlateAligner`.
        own_frames: says where a source frame is in a plate that is the shot itself, all by index.
    """

    def __init__(
        self,
        source: Reader,
        survey: PlateSurvey,
        *,
        quality: str = "standard",
        find_person: PersonFinder | None = None,
        cache: Path | None = None,
        device: str | None = None,
        validity: ValidityFinder | None = None,
        own_frames: Callable[[int], OwnFrames | None] = find_none,
    ) -> None:
        self._source = source
        self._clip = survey.clip
        self._own_frames = own_frames
        self._aligner = PlateAligner(
            self._clip,
            quality=quality,
            find_person=find_person,
            cache=cache,
            device=device,
            index=survey.index(),
            sparse=survey.is_sparse,
            validity=validity,
        )
        self._reading = threading.Lock()  # neighbours are read by whichever worker needs them

    def align(self, indices: Iterable[int], *, workers: int = 1) -> Generator[AlignedFrame]:
        """The frames of the source by zero-based index with their plates, in order, ``workers`` of them at a time."""
        frames: deque[Frame] = deque()

        def tasks() -> Iterator[AlignTask]:
            for index in indices:
                with self._reading:
                    frames.append(self._source[index])
                own = self._clip.own_positions(self._own_frames(index))
                yield AlignTask(frames[-1], _neighbours(self._source, index, self._reading), own)

        with closing(align_many(self._aligner, tasks(), workers=workers)) as plates:
            for aligned in plates:
                frame = frames.popleft()
                indices_used = tuple(self._clip.index_of(position) for position in aligned.plate_indices)
                explain = partial(self._aligner.explain, frame, aligned)
                yield AlignedFrame(frame, aligned._replace(plate_indices=indices_used), self._clip.damaged, explain)


def _neighbours(source: Reader, index: int, reading: threading.Lock) -> list[Neighbour]:
    """Frames before and after, the nearest first."""
    near = [index + step for distance in range(1, _REACH + 1) for step in (-distance, distance)]
    return [Neighbour(each, partial(_read, source, each, reading)) for each in near if 0 <= each < len(source)]


def _read(source: Reader, index: int, reading: threading.Lock) -> Frame | None:
    """A frame; None where it is damaged."""
    try:
        with reading:
            return source[index]
    except DamagedFrameError:
        return None
