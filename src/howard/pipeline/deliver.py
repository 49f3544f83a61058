"""The writing half of the inference pipeline: mattes in, files and their sidecar's lines out."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from fractions import Fraction

from howard.media import Background, OrderedWork
from howard.pipeline.frames import MattedFrame
from howard.pipeline.writer import FrameJob, FrameWriter
from howard.progress import FrameDone, ProgressCallback
from howard.render_record import FrameRecord


def deliver(
    numbers: Sequence[int],
    mattes: Callable[[list[int]], Generator[MattedFrame]],
    writer: FrameWriter,
    background: Background | None = None,
    half_frame: Fraction = Fraction(0),
    report: ProgressCallback = lambda event: None,
) -> int:
    """Write what is missing of the frames ``numbers``; return how many frames that were.

    ``mattes`` is called with the numbers of the missing frames and makes them, in any order that is not far from
    theirs. The ``background`` is that of the middle of each frame, ``half_frame`` seconds after its time, so that times
    which a container has rounded do not matter. While the next frame is made, those before are cut out, converted and
    written in other threads; ``report`` is called in this one. An interruption, or an error of ``mattes``, lets what
    has been made be written first.
    """
    done = 0
    with writer:
        pending = writer.begin(numbers)

        def tell(records: Iterable[FrameRecord]) -> None:
            nonlocal done
            for record in records:
                done += 1
                report(FrameDone(record.number, record.status, done, len(pending)))

        with OrderedWork(pending, writer.prepare, writer.land) as work, closing(mattes(pending)) as frames:
            for frame in frames:
                behind = None if background is None else background.frame(frame.source.time + half_frame)
                work.put(frame.source.number, FrameJob(frame, behind))
                tell(work.landed())
        tell(work.landed())
        writer.finish(numbers)
    return len(pending)
