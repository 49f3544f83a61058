"""The two halves of the pipeline as streams: frames with their plates, and frames with their mattes."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from howard.align import OwnFrames, PersonFinder, ValidityFinder, default_cache_folder
from howard.media import Reader
from howard.parallel import prefetch
from howard.pipeline.frame_aligner import FrameAligner, find_none
from howard.pipeline.frames import AlignedFrame, Frames, MattedFrame
from howard.pipeline.inputs import Inputs
from howard.pipeline.masks import mask_frame
from howard.pipeline.plate_survey import PlateSurvey
from howard.pipeline.predictor import Predictor, choose_finder
from howard.pipeline.workers import choose_workers

# Frames that may wait between the halves.
_WAITING = 1


def matte_clip(
    inputs: Inputs,
    survey: PlateSurvey,
    predictor: Predictor,
    numbers: Sequence[int],
    *,
    quality: str = "standard",
    subject: str = "person",
    workers: int | None = None,
    validity: ValidityFinder | None = None,
) -> Generator[MattedFrame]:
    """The mattes of the frames ``numbers``, in order; frames are aligned in other threads while others are matted.

    Args:
        inputs: shot, plate and masks.
        survey: of the inputs' plate.
        predictor: what mattes a frame.
        numbers: frames of the shot, counted as in output names.
        quality: of the alignment; see :class:`howard.align.PlateAligner`.
        subject: what is cut out, one of :data:`howard.choices.SUBJECTS`.
        workers: frames aligned at a time, fewer where memory is short; None means one for each of the machine's cores.
        validity: finds what must not be used of plate frames, see :func:`howard.pipeline.plate_check.check_plate`.
    """
    first = inputs.shot.info.first_number

    def make() -> Generator[AlignedFrame]:
        if numbers:  # else reading the plate through is not worth it
            aligner = open_aligner(inputs, survey, predictor, quality=quality, validity=validity)
            workers_at_once = choose_workers(workers, inputs.shot.info)
            yield from aligner.align([number - first for number in numbers], workers=workers_at_once)

    with closing(prefetch(make, _WAITING)) as aligned:
        for frame in matte_frames(aligned, predictor, subject):
            yield mask_frame(frame, inputs.garbage, inputs.holdout)


def open_aligner(
    inputs: Inputs,
    survey: PlateSurvey,
    predictor: Predictor,
    *,
    quality: str = "standard",
    validity: ValidityFinder | None = None,
) -> FrameAligner:
    """What aligns frames of a render; arguments as :func:`matte_clip`. Waits until the plate has been read."""
    return FrameAligner(
        inputs.shot,
        survey,
        quality=quality,
        find_person=choose_finder(quality, predictor),
        cache=default_cache_folder(),
        device=None if str(predictor.device) == "cpu" else str(predictor.device),
        validity=validity,
        own_frames=inputs.plate.own_frames,
    )


def align_frames(
    source: Reader,
    plate: Frames,
    indices: Iterable[int],
    *,
    survey: PlateSurvey | None = None,
    quality: str = "standard",
    find_person: PersonFinder | None = None,
    cache: Path | None = None,
    device: str | None = None,
    workers: int = 1,
    validity: ValidityFinder | None = None,
    own_frames: Callable[[int], OwnFrames | None] = find_none,
) -> Generator[AlignedFrame]:
    """Align the plate to source frames, by zero-based index, ``workers`` of them at a time.

    ``survey`` is that of the plate, if it is being indexed already; ``cache`` keeps the index otherwise. The other
    arguments are as in :class:`FrameAligner`.
    """
    indices = list(indices)
    if not indices:
        return  # reading the plate through is not worth it
    aligner = FrameAligner(
        source,
        survey or PlateSurvey(plate, cache=cache),
        quality=quality,
        find_person=find_person,
        cache=cache,
        device=device,
        validity=validity,
        own_frames=own_frames,
    )
    yield from aligner.align(indices, workers=workers)


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
