"""Finishing and writing: mattes in, files and their journal's lines out."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from fractions import Fraction

from howard.media import Background
from howard.parallel import OrderedSink
from howard.pipeline.finishing import FrameFinisher
from howard.pipeline.frames import FinishedFrame, MattedFrame
from howard.pipeline.samples import Sampler
from howard.pipeline.writer import FrameJob, FrameWriter
from howard.progress import FrameDone, ProgressCallback
from howard.render_record import FrameRecord


def deliver(
    numbers: Sequence[int],
    mattes: Callable[[list[int]], Generator[MattedFrame]],
    finisher: FrameFinisher,
    writer: FrameWriter,
    *,
    background: Background | None = None,
    half_frame: Fraction = Fraction(0),
    report: ProgressCallback = lambda event: None,
    sampler: Sampler | None = None,
) -> int:
    """Write the missing ones of the frames ``numbers``; return how many that were.

    Frames are finished in the calling thread, which also runs the network; they are sampled, converted and written in
    other threads meanwhile. An interruption, or an error of ``mattes``, lets finished frames be written first.

    Args:
        numbers: frames of the shot, counted as in output names.
        mattes: called with the numbers of the missing frames; makes them, in nearly that order.
        finisher: makes the final pixels, at every depth that the writer needs.
        writer: writes them.
        background: what composites show behind the person.
        half_frame: seconds from a frame's time to its middle, where the background is read: times that a container
            has rounded then choose the right frame.
        report: called after every frame, in the calling thread.
        sampler: chooses frames for the report; a frame's pictures are saved before its line in the journal.
    """
    done = 0
    with writer:
        pending = writer.begin(numbers)

        def tell(records: Iterable[FrameRecord]) -> None:
            nonlocal done
            for record in records:
                done += 1
                report(FrameDone(record.number, record.status, done, len(pending)))

        with OrderedSink(pending, writer.prepare, writer.land) as work, closing(mattes(pending)) as frames:
            for frame, finished in finish_frames(frames, finisher):
                save_sample = None if sampler is None else sampler.choose(frame, finished)
                behind = None if background is None else background.frame(frame.source.time + half_frame)
                work.put(frame.source.number, FrameJob(finished, behind, save_sample))
                tell(work.committed())
        tell(work.committed())
        writer.finish(numbers)
    return len(pending)


def finish_frames(
    frames: Iterable[MattedFrame], finisher: FrameFinisher
) -> Generator[tuple[MattedFrame, FinishedFrame]]:
    """Frames and their final pixels, in order; the next one is begun before a device has finished the one before."""
    begun: deque[tuple[MattedFrame, Callable[[], FinishedFrame]]] = deque()
    for frame in frames:
        begun.append((frame, finisher.begin(frame)))
        if len(begun) > finisher.in_flight:
            earlier, finish = begun.popleft()
            yield earlier, finish()
    for earlier, finish in begun:
        yield earlier, finish()
