"""The plate as it is read for alignment: without its damaged frames, and telling how far it has been read."""

import bisect
from collections.abc import Iterator, Sequence

from howard.align import OwnFrames
from howard.errors import InputError
from howard.media import DamagedFrameError, Frame
from howard.pipeline.frames import Frames
from howard.progress import Progress


class PlateClip:
    """A plate without its damaged frames, which it can do without: others show the same place.

    Reading it through once tells which frames are whole; positions then count these. Where it is never read through,
    as for a preview, positions count all frames, and the nearest whole one takes a damaged frame's place.
    """

    def __init__(self, plate: Frames, progress: Progress) -> None:
        self._plate = plate
        self._progress = progress
        self._whole: list[int] | None = None
        self._damaged: set[int] = set()

    @property
    def damaged(self) -> tuple[int, ...]:
        """Indices of the frames that were found damaged and left out, in order."""
        return tuple(sorted(self._damaged))

    @property
    def entry_points(self) -> Sequence[int] | None:
        """Positions that can be read without decoding those before; None where that is not known."""
        return getattr(self._plate, "entry_points", None)

    def index_of(self, position: int) -> int:
        """Which frame of the plate stands at a position."""
        return position if self._whole is None else self._whole[position]

    def own_positions(self, own: OwnFrames | None) -> OwnFrames | None:
        """A source frame's place among the plate's frames, by index, as positions."""
        if own is None or self._whole is None:
            return own
        index, start, stop = (bisect.bisect_left(self._whole, at) for at in (own.index, own.near.start, own.near.stop))
        return OwnFrames(index, range(start, stop))

    def __len__(self) -> int:
        return len(self._plate) if self._whole is None else len(self._whole)

    def __iter__(self) -> Iterator[Frame]:
        """The whole frames in order. Raises InputError where there is none."""
        count = len(self._plate)
        self._progress.step("plate_index", f"indexing the plate: {count} frames", frames=count)
        whole = []
        for index in range(count):
            frame = self._read(index)
            if frame is not None:
                whole.append(index)
                yield frame
            self._progress.advance(index + 1, count)
        self._whole = whole
        if not whole:
            raise self._unusable()

    def __getitem__(self, index: int) -> Frame:
        """The frame at position ``index``, or the nearest whole one. Raises InputError where there is none."""
        wanted, count = self.index_of(index), len(self._plate)
        for distance in range(count):
            for near in sorted({wanted - distance, wanted + distance}):
                frame = self._read(near) if 0 <= near < count else None
                if frame is not None:
                    return frame
        raise self._unusable()

    def _read(self, index: int) -> Frame | None:
        """Frame ``index`` of the plate; None where it is damaged."""
        try:
            frame = self._plate[index]
        except DamagedFrameError:
            self._damaged.add(index)
            return None
        if frame.damaged:
            self._damaged.add(index)
            return None
        return frame

    def _unusable(self) -> InputError:
        return InputError("no frame of the plate is whole; copy the file again, or repair it")
