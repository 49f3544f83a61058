"""The two halves of the pipeline as streams: frames with their plates, and frames with their mattes."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from howard.align import (
    AlignTask,
    OwnFrames,
    PersonFinder,
    PlateAligner,
    ValidityFinder,
    align_many,
    default_cache_folder,
)
from howard.media import DamagedFrameError, Frame, Reader
from howard.pipeline.ahead import work_ahead
from howard.pipeline.frames import AlignedFrame, Frames, MattedFrame
from howard.pipeline.inputs import Inputs
from howard.pipeline.masks import mask_frame
from howard.pipeline.plate_clip import PlateClip
from howard.pipeline.predictor import Predictor, choose_finder
from howard.pipeline.workers import choose_workers
from howard.progress import Progress, SilentProgress

# Frames on either side that may help one that matches nothing.
_REACH = 3
# Frames that may wait between the halves.
_WAITING = 2


def find_none(index: int) -> OwnFrames | None:
    """No source frame is in the plate."""
    return None


def matte_clip(
    inputs: Inputs,
    predictor: Predictor,
    numbers: Sequence[int],
    *,
    quality: str = "standard",
    subject: str = "person",
    workers: int | None = None,
    progress: Progress | None = None,
    sparse: bool = False,
    validity: ValidityFinder | None = None,
) -> Generator[MattedFrame]:
    """The mattes of the frames ``numbers``, in order; frames are aligned in other threads while others are matted.

    Args:
        inputs: shot, plate and masks.
        predictor: what mattes a frame.
        numbers: frames of the shot, counted as in output names.
        quality: of the alignment; see :class:`howard.align.PlateAligner`.
        subject: what is cut out, one of :data:`howard.choices.SUBJECTS`.
        workers: frames aligned at a time, fewer where memory is short; None means one for each of the machine's cores.
        progress: is told of reading the plate through.
        sparse: whether only some plate frames are read, see :class:`howard.align.PlateAligner`; for few frames.
        validity: finds what must not be used of plate frames, see :func:`howard.pipeline.plate_check.check_plate`.
    """
    first = inputs.shot.info.first_number
    make = partial(
        align_frames,
        inputs.shot,
        inputs.plate,
        [number - first for number in numbers],
        quality=quality,
        find_person=choose_finder(quality, predictor),
        cache=default_cache_folder(),
        device=None if str(predictor.device) == "cpu" else str(predictor.device),
        workers=choose_workers(workers, inputs.shot.info),
        progress=progress,
        sparse=sparse,
        validity=validity,
        own_frames=inputs.plate.own_frames,
    )
    with closing(work_ahead(make, _WAITING)) as aligned:
        for frame in matte_frames(aligned, predictor, subject):
            yield mask_frame(frame, inputs.garbage, inputs.holdout)


def align_frames(
    source: Reader,
    plate: Frames,
    indices: Iterable[int],
    *,
    quality: str = "standard",
    find_person: PersonFinder | None = None,
    cache: Path | None = None,
    device: str | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    sparse: bool = False,
    validity: ValidityFinder | None = None,
    own_frames: Callable[[int], OwnFrames | None] = find_none,
) -> Generator[AlignedFrame]:
    """Align the plate to source frames, by zero-based index, ``workers`` of them at a time.

    The plate is read through once before the first frame, unless ``sparse``, which like ``quality``, ``find_person``,
    ``cache``, ``device`` and ``validity`` is as in :class:`howard.align.PlateAligner`; its damaged frames are left out.
    Where a frame matches nothing, up to three on either side are read as well. ``progress`` is told of reading the
    plate. ``own_frames`` says where a source frame is in a plate that is the shot itself, all by index.
    """
    indices = list(indices)
    if not indices:
        return  # reading the plate through is not worth it
    progress = progress or SilentProgress()
    if sparse:
        progress.step("plate_index", f"searching the plate: some of {len(plate)} frames", frames=len(plate))
    clip = PlateClip(plate, progress)
    aligner = PlateAligner(
        clip,
        quality=quality,
        find_person=find_person,
        cache=cache,
        device=device,
        sparse=sparse,
        validity=validity,
    )
    reading = threading.Lock()  # neighbours are read by whichever worker needs them
    frames: list[Frame] = []

    def tasks() -> Iterator[AlignTask]:
        for index in indices:
            with reading:
                frames.append(source[index])
            own = clip.own_positions(own_frames(index))
            yield AlignTask(frames[-1], _neighbours(source, index, reading), own)

    with closing(align_many(aligner, tasks(), workers=workers)) as plates:
        for aligned in plates:
            frame = frames.pop(0)
            indices_used = tuple(clip.index_of(position) for position in aligned.plate_indices)
            explain = partial(aligner.explain, frame, aligned)
            yield AlignedFrame(frame, aligned._replace(plate_indices=indices_used), clip.damaged, explain)


def _neighbours(source: Reader, index: int, reading: threading.Lock) -> Iterator[Frame]:
    """Frames before and after, the nearest first; each is read when it is asked for."""
    for distance in range(1, _REACH + 1):
        for neighbour in (index - distance, index + distance):
            if 0 <= neighbour < len(source):
                try:
                    with reading:
                        frame = source[neighbour]
                except DamagedFrameError:
                    continue
                yield frame


def matte_frames(
    aligned: Iterable[AlignedFrame], predictor: Predictor, subject: str = "person"
) -> Iterator[MattedFrame]:
    """Matte aligned frames one by one. Where the plate saw nothing it stays 0 and the coverage says so.

    ``subject`` is one of :data:`howard.choices.SUBJECTS`.
    """
    # Torch takes seconds to load: only when there is something to matte.
    from howard.pipeline.frame_tensors import matte_frame

    for each in aligned:
        yield matte_frame(each, predictor, subject)
