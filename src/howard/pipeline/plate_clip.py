"""The plate as alignment reads it: without damaged frames, long plates thinned out, with progress."""

import bisect
from collections.abc import Callable, Iterator, Sequence

from howard.align import OwnFrames
from howard.errors import InputError
from howard.media import DamagedFrameError, Frame
from howard.pipeline.frames import Frames
from howard.progress import Progress

# Plates of up to so many frames are used whole, ...
_WHOLE_FRAMES = 128
# ... longer ones by every second to fourth frame: a sixth of a second, in which a hand-held camera hardly moves.
_MOST_STRIDE = 4
# So many of a plate's frames, from first to last, are examined before anything is aligned.
_SAMPLES = 6


class PlateClosedError(Exception):
    """The plate is no longer wanted."""


def choose_stride(count: int) -> int:
    """Every how many-th frame of a plate of ``count`` frames is used."""
    return min(_MOST_STRIDE, -(-count // _WHOLE_FRAMES))


def sample_indices(count: int) -> list[int]:
    """A few frames of a clip of ``count`` frames, from the first to the last."""
    return sorted({part * (count - 1) // max(1, _SAMPLES - 1) for part in range(_SAMPLES)})


class PlateClip:
    """Every ``stride``-th frame of a plate, without damaged ones: others show the same place.

    Positions count the frames used. Iterating over it finds which of them are damaged and leaves these out; where that
    is never done, as for a preview, the nearest whole frame takes a damaged one's place.
    """

    def __init__(self, plate: Frames, progress: Progress, stride: int = 1) -> None:
        self._plate = plate
        self._progress = progress
        self._stride = stride
        self._used: Sequence[int] = range(0, len(plate), stride)
        self._damaged: set[int] = set()
        # Those that `samples` gives, from iterating until it is called.
        self._samples: list[Frame] | None = None
        self._is_closed = False

    @property
    def damaged(self) -> tuple[int, ...]:
        """Indices of the frames that were found damaged and left out, in order."""
        return tuple(sorted(self._damaged))

    @property
    def entry_points(self) -> Sequence[int] | None:
        """Positions that can be read while decoding few or no frames before them; None where that is not known."""
        entries = getattr(self._plate, "entry_points", None)
        if entries is None:
            return None
        positions = {bisect.bisect_left(self._used, entry) for entry in entries}
        return sorted(position for position in positions if position < len(self))

    @property
    def fingerprint(self) -> str | None:
        """A name of the frames used, damaged ones included; None where the plate has none."""
        name = getattr(self._plate, "fingerprint", None)
        return name if name is None or self._stride == 1 else f"{name}-{self._stride}"

    def key_of(self, position: int) -> str | None:
        """A name of the frame at a position; None where it has none."""
        name: Callable[[int], str | None] | None = getattr(self._plate, "key_of", None)
        return None if name is None else name(self.index_of(position))

    def index_of(self, position: int) -> int:
        """Which frame of the plate stands at a position."""
        return self._used[position]

    def own_positions(self, own: OwnFrames | None) -> OwnFrames | None:
        """A source frame's place among the plate's frames, by index, as positions."""
        if own is None:
            return None
        index, start, stop = (bisect.bisect_left(self._used, at) for at in (own.index, own.near.start, own.near.stop))
        return OwnFrames(index, range(start, stop))

    def samples(self) -> Iterator[Frame]:
        """A few whole frames from the first to the last; not read again where the clip has just been iterated over."""
        kept, self._samples = self._samples, None
        if kept is not None:
            yield from kept
            return
        for position in sample_indices(len(self)):
            frame = self._read(self.index_of(position))
            if frame is not None:
                yield frame

    def skip_reading(self) -> None:
        """Say that all of the plate is known from an earlier run, and undamaged."""
        count = len(self)
        self._progress.step("plate_index", f"the plate was indexed before: {count} frames", frames=count)
        self._progress.advance(count, count)

    def close(self) -> None:
        """End an iteration that goes on in another thread: it raises PlateClosedError."""
        self._is_closed = True

    def __len__(self) -> int:
        return len(self._used)

    def __iter__(self) -> Iterator[Frame]:
        """The undamaged frames in order. Raises InputError where there is none."""
        asked = self._used
        self._progress.step("plate_index", f"indexing the plate: {len(asked)} frames", frames=len(asked))
        wanted = {asked[position] for position in sample_indices(len(asked))}
        whole, samples = [], []
        for done, index in enumerate(asked, start=1):
            if self._is_closed:
                raise PlateClosedError
            frame = self._read(index)
            if frame is not None:
                whole.append(index)
                samples += [frame] if index in wanted else []
                yield frame
            self._progress.advance(done, len(asked))
        self._used, self._samples = whole, samples
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
