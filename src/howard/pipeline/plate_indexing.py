"""The plate as the aligner reads it (long plates subsampled, damaged frames left out), and its index, made in a thread.

The plate is indexed while the network is loaded.
"""

import bisect
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from howard.align import OwnFrames, PlateIndex, index_plate
from howard.align.plate_frames import find_entry_points, find_fingerprint, find_key
from howard.errors import InputError
from howard.frame_ranges import count_in_words
from howard.media import DamagedFrameError, Frame
from howard.pipeline.combined_plate import CombinedPlate
from howard.pipeline.pipeline_types import FrameSequence
from howard.progress import Progress, SilentProgress

# Plates of up to this many frames are used completely.
_MAX_UNSAMPLED = 128
# Longer ones with a stride of up to this: a sixth of a second, in which a hand-held camera hardly moves.
_MAX_STRIDE = 4
# Plate frames, from first to last, that are checked for people before anything is aligned.
_SAMPLE_COUNT = 6


class PlateClosedError(Exception):
    """The plate was closed while another thread read it."""


def choose_stride(count: int) -> int:
    """The stride with which the frames of a plate of ``count`` frames are used."""
    return min(_MAX_STRIDE, -(-count // _MAX_UNSAMPLED))


def sample_indices(count: int) -> list[int]:
    """Indices of a few evenly spaced frames of a clip of ``count`` frames, the first and the last among them."""
    return sorted({part * (count - 1) // max(1, _SAMPLE_COUNT - 1) for part in range(_SAMPLE_COUNT)})


class SampledPlate:
    """Every ``stride``-th frame of a plate, without damaged frames.

    Positions count the frames that are used. Iterating finds the damaged ones among them and leaves them out. If that
    is never done, as for a preview, the nearest undamaged frame replaces a damaged one.
    """

    def __init__(self, plate: FrameSequence, progress: Progress, stride: int = 1) -> None:
        self._plate = plate
        self._progress = progress
        self._stride = stride
        self._used: Sequence[int] = range(0, len(plate), stride)
        self._damaged: set[int] = set()
        # The frames of `samples`, kept from iterating until it is called.
        self._samples: list[Frame] | None = None
        self._is_closed = False

    @property
    def damaged(self) -> tuple[int, ...]:
        """Sorted indices of the frames that were found damaged and left out."""
        return tuple(sorted(self._damaged))

    @property
    def entry_points(self) -> Sequence[int] | None:
        """Positions that can be read while decoding few or no frames before them; None if that is not known."""
        entries = find_entry_points(self._plate)
        if entries is None:
            return None
        positions = {bisect.bisect_left(self._used, entry) for entry in entries}
        return sorted(position for position in positions if position < len(self))

    @property
    def fingerprint(self) -> str | None:
        """Identifies the frames used, damaged ones included; None if the plate has no fingerprint."""
        name = find_fingerprint(self._plate)
        return name if name is None or self._stride == 1 else f"{name}-{self._stride}"

    def key_of(self, position: int) -> str | None:
        """Identifies the frame at a position; None if the plate's frames have no keys."""
        return find_key(self._plate, self.index_of(position))

    def index_of(self, position: int) -> int:
        """The plate's index of the frame at a position."""
        return self._used[position]

    def own_positions(self, own: OwnFrames | None) -> OwnFrames | None:
        """``own`` with indices of plate frames converted to positions."""
        if own is None:
            return None
        index, start, stop = (bisect.bisect_left(self._used, at) for at in (own.index, own.near.start, own.near.stop))
        return OwnFrames(index, range(start, stop))

    def samples(self) -> Iterator[Frame]:
        """The undamaged frames among `sample_indices`; kept in memory if the plate has just been iterated over."""
        kept, self._samples = self._samples, None
        if kept is not None:
            yield from kept
            return
        for position in sample_indices(len(self)):
            frame = self._read(self.index_of(position))
            if frame is not None:
                yield frame

    def report_cached(self) -> None:
        """Report that the plate was indexed by an earlier run and is undamaged, so that it need not be read."""
        count = len(self)
        self._progress.step("plate_index", f"the plate was indexed before: {count_in_words(count)}", frames=count)
        self._progress.advance(count, count)

    def close(self) -> None:
        """End an iteration that runs in another thread: it raises PlateClosedError."""
        self._is_closed = True

    def __len__(self) -> int:
        return len(self._used)

    def __iter__(self) -> Iterator[Frame]:
        """The undamaged frames in order. Raises InputError if there is none."""
        used = self._used
        self._progress.step("plate_index", f"indexing the plate: {count_in_words(len(used))}", frames=len(used))
        wanted = {used[position] for position in sample_indices(len(used))}
        undamaged, samples = [], []
        for done, index in enumerate(used, start=1):
            if self._is_closed:
                raise PlateClosedError
            frame = self._read(index)
            if frame is not None:
                undamaged.append(index)
                samples += [frame] if index in wanted else []
                yield frame
            self._progress.advance(done, len(used))
        self._used, self._samples = undamaged, samples
        if not undamaged:
            raise self._all_damaged()

    def __getitem__(self, index: int) -> Frame:
        """The frame at position ``index``, or the nearest undamaged one. Raises InputError if there is none."""
        wanted, count = self.index_of(index), len(self._plate)
        for distance in range(count):
            for near in sorted({wanted - distance, wanted + distance}):
                frame = self._read(near) if 0 <= near < count else None
                if frame is not None:
                    return frame
        raise self._all_damaged()

    def _read(self, index: int) -> Frame | None:
        """Frame ``index`` of the plate; None if it is damaged."""
        try:
            frame = self._plate[index]
        except DamagedFrameError:
            self._damaged.add(index)
            return None
        if frame.damaged:
            self._damaged.add(index)
            return None
        return frame

    def _all_damaged(self) -> InputError:
        return InputError("every frame of the plate is damaged; copy the file again, or repair it")


class PlateIndexer:
    """Indexes a plate in a thread; nothing else may read the plate until :attr:`plate` or :meth:`index` has returned.

    Used as a context manager: leaving it ends the reading.
    """

    def __init__(
        self,
        plate: FrameSequence,
        progress: Progress | None = None,
        *,
        sparse: bool = False,
        cache: Path | None = None,
    ) -> None:
        """Start the thread.

        Args:
            plate: all its frames; a long one is subsampled, see `choose_stride`, unless it is the shot itself.
            progress: reports how much of the plate has been read.
            sparse: make no index; see :class:`howard.align.PlateAligner`.
            cache: folder that keeps the index for later runs; None keeps nothing.
        """
        progress = progress or SilentProgress()
        # Each frame of the shot must be found in the plate.
        is_self = isinstance(plate, CombinedPlate) and plate.is_self
        stride = 1 if is_self else choose_stride(len(plate))
        self._plate = SampledPlate(plate, progress, stride)
        self.is_sparse = sparse
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="plate")
        if sparse:
            progress.step("plate_index", f"searching the plate: some of {len(plate)} frames", frames=len(plate))
            self._index = self._pool.submit(lambda: None)
        else:
            self._index = self._pool.submit(index_plate, self._plate, cache, self._plate.report_cached)

    @property
    def plate(self) -> SampledPlate:
        """The frames used. Raises the error that reading ended with, InputError if all frames are damaged."""
        self._index.result()
        return self._plate

    def index(self) -> PlateIndex | None:
        """The index; None if ``sparse``. Raises the error that reading ended with."""
        return self._index.result()

    def __enter__(self) -> "PlateIndexer":
        return self

    def __exit__(self, *exception: object) -> None:
        self._plate.close()
        self._pool.shutdown(cancel_futures=True)
