"""Frames aligned in threads and then matted: generators from frame numbers to aligned and to matted frames."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from howard.align import (
    AlignTask,
    Neighbour,
    OwnFrames,
    PlateAligner,
    ValidityFinder,
    align_many,
    default_cache_folder,
)
from howard.machine import count_cores, count_free_memory
from howard.media import ClipInfo, DamagedFrameError, Frame, Reader
from howard.parallel import prefetch
from howard.pipeline.inputs import Inputs
from howard.pipeline.masks import mask_frame
from howard.pipeline.pipeline_types import AlignedFrame, FrameSequence, MattedFrame, Predictor
from howard.pipeline.plate_indexing import PlateIndexer
from howard.pipeline.temporal_window import attach_neighbours, with_neighbours
from howard.quality import choose_window

# Frames on either side of a frame that are tried as intermediates if the frame matches no plate frame.
_NEIGHBOUR_RADIUS = 3
# Aligned frames that may wait to be matted.
_PREFETCHED = 1
# Peak bytes per source pixel of each additional frame that is aligned in parallel, apart from the stored plate frames.
# Measured as resident memory with one, two and four workers on clips of 1080p and larger: it grew by 25 to 93 bytes for
# 8-bit clips and by 105 to 123 bytes for float clips.
_BYTES_PER_PIXEL = 130
# Fraction of the free memory for frames being aligned; the rest is for the plate's frames, the network and queues.
_MEMORY_FRACTION = 0.5


def not_in_plate(index: int) -> OwnFrames | None:
    """The default of ``own_frames``: no source frame is part of the plate."""
    return None


class FrameAligner:
    """Aligns a plate to frames of a shot, in any order, and keeps what it has read of the plate between calls.

    Damaged plate frames are left out. If a frame matches no plate frame, up to three source frames on either side are
    read as intermediates.

    Args:
        source: the shot.
        indexer: of the plate.
        quality, cache, device, validity: as in :class:`howard.align.PlateAligner`.
        own_frames: maps a source frame's index to its position in a plate that is the shot itself.
    """

    def __init__(
        self,
        source: Reader,
        indexer: PlateIndexer,
        *,
        quality: str = "standard",
        cache: Path | None = None,
        device: str | None = None,
        validity: ValidityFinder | None = None,
        own_frames: Callable[[int], OwnFrames | None] = not_in_plate,
    ) -> None:
        self._source = source
        self._plate = indexer.plate
        self._own_frames = own_frames
        self._aligner = PlateAligner(
            self._plate,
            quality=quality,
            cache=cache,
            device=device,
            index=indexer.index(),
            sparse=indexer.is_sparse,
            validity=validity,
        )
        self._source_lock = threading.Lock()  # worker threads read neighbouring frames from the same reader

    def align(
        self, indices: Iterable[int], *, workers: int = 1, optional: Collection[int] = ()
    ) -> Generator[AlignedFrame]:
        """Align source frames, given by zero-based index, in order, with ``workers`` threads.

        Damaged frames among ``optional`` are left out; another one raises DamagedFrameError.
        """
        frames: deque[Frame] = deque()

        def tasks() -> Iterator[AlignTask]:
            for index in indices:
                frame = self._read(index) if index in optional else self._read_intact(index)
                if frame is None:
                    continue
                frames.append(frame)
                own = self._plate.own_positions(self._own_frames(index))
                yield AlignTask(frame, self._neighbours(index), own)

        with closing(align_many(self._aligner, tasks(), workers=workers)) as plates:
            for aligned in plates:
                frame = frames.popleft()
                indices_used = tuple(self._plate.index_of(position) for position in aligned.plate_indices)
                explain = partial(self._aligner.explain, frame, aligned)
                yield AlignedFrame(frame, aligned._replace(plate_indices=indices_used), self._plate.damaged, explain)

    def _neighbours(self, index: int) -> list[Neighbour]:
        """The frames before and after, the nearest first."""
        near = [index + step for distance in range(1, _NEIGHBOUR_RADIUS + 1) for step in (-distance, distance)]
        return [Neighbour(each, partial(self._read, each)) for each in near if 0 <= each < len(self._source)]

    def _read(self, index: int) -> Frame | None:
        """A source frame; None if it is damaged."""
        try:
            return self._read_intact(index)
        except DamagedFrameError:
            return None

    def _read_intact(self, index: int) -> Frame:
        with self._source_lock:
            return self._source[index]


def choose_worker_count(threads: int | None, clip: ClipInfo) -> int:
    """How many frames of a clip to align in parallel, at least 1.

    ``threads``, or one per core available to this process, but no more than fit into free memory (of the machine, and
    within the limits of its container).
    """
    most = threads or count_cores()
    free = count_free_memory()
    if free is None:
        return most
    return max(1, min(most, int(_MEMORY_FRACTION * free / (_BYTES_PER_PIXEL * clip.width * clip.height))))


def open_aligner(
    inputs: Inputs,
    indexer: PlateIndexer,
    predictor: Predictor,
    *,
    quality: str = "standard",
    validity: ValidityFinder | None = None,
) -> FrameAligner:
    """The aligner of a render; arguments as for :func:`matte_clip`. Waits until the plate has been indexed."""
    return FrameAligner(
        inputs.shot,
        indexer,
        quality=quality,
        cache=default_cache_folder(),
        device=None if str(predictor.device) == "cpu" else str(predictor.device),
        validity=validity,
        own_frames=inputs.plate.own_frames,
    )


def align_frames(
    source: Reader,
    plate: FrameSequence,
    indices: Iterable[int],
    *,
    indexer: PlateIndexer | None = None,
    quality: str = "standard",
    cache: Path | None = None,
    device: str | None = None,
    workers: int = 1,
    validity: ValidityFinder | None = None,
    own_frames: Callable[[int], OwnFrames | None] = not_in_plate,
) -> Generator[AlignedFrame]:
    """Align the plate to source frames, given by zero-based index, with ``workers`` threads.

    ``indexer`` is that of the plate, if it is already being indexed; otherwise the plate is indexed here, and the
    folder ``cache`` keeps the index. Other arguments are those of :class:`FrameAligner`.
    """
    indices = list(indices)
    if not indices:
        return  # without frames to align the plate need not be read
    aligner = FrameAligner(
        source,
        indexer or PlateIndexer(plate, cache=cache),
        quality=quality,
        cache=cache,
        device=device,
        validity=validity,
        own_frames=own_frames,
    )
    yield from aligner.align(indices, workers=workers)


def matte_frames(
    aligned: Iterable[AlignedFrame], predictor: Predictor, subject: str = "person"
) -> Iterator[MattedFrame]:
    """Matte aligned frames one by one; ``subject`` is one of :data:`howard.choices.SUBJECTS`."""
    # Importing torch takes seconds: only when there is something to matte.
    from howard.pipeline.frame_tensors import matte_frame

    for each in aligned:
        yield matte_frame(each, predictor, subject)


def matte_clip(
    inputs: Inputs,
    indexer: PlateIndexer,
    predictor: Predictor,
    numbers: Sequence[int],
    *,
    quality: str = "standard",
    subject: str = "person",
    workers: int | None = None,
    validity: ValidityFinder | None = None,
    edges: str = "solved",
    window: int | None = None,
) -> Generator[MattedFrame]:
    """Align and matte frames, in order; the next frames are aligned in other threads while one is matted.

    A frame depends on those within its window as well, which are aligned and matted even if they are not in
    ``numbers``.

    Args:
        inputs: shot, plate and masks.
        indexer: of the inputs' plate.
        predictor: mattes a frame.
        numbers: of the frames, as in output names.
        quality: of the alignment; see :class:`howard.align.PlateAligner`.
        subject: one of :data:`howard.choices.SUBJECTS`.
        workers: frames to align in parallel, fewer if memory is short; None means one per core.
        validity: finds pixels of plate frames that must not be used; see
            :func:`howard.pipeline.plate_check.check_plate_is_empty`.
        edges: how soft edges are solved, one of `howard.choices.EDGES`.
        window: frames on either side with which soft edges are filtered; None means that of the quality.
    """
    radius = choose_window(quality, window)
    wanted = [number - inputs.shot.info.first_number for number in numbers]
    indices = with_neighbours(wanted, radius, len(inputs.shot))

    def align() -> Generator[AlignedFrame]:
        if numbers:  # without frames to align the plate need not be read
            aligner = open_aligner(inputs, indexer, predictor, quality=quality, validity=validity)
            worker_count = choose_worker_count(workers, inputs.shot.info)
            yield from aligner.align(indices, workers=worker_count, optional=set(indices) - set(wanted))

    with closing(prefetch(align, _PREFETCHED)) as aligned:
        matted = matte_frames(aligned, predictor, subject)
        is_linear = predictor.metadata.mixing == "linear"
        for frame in attach_neighbours(matted, set(wanted), radius, edges=edges, linear_light=is_linear):
            yield mask_frame(frame, inputs.garbage, inputs.holdout)
