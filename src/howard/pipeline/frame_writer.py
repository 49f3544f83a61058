"""Writing finished frames: RGBA, composites, and the journal's lines."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from howard.media import Background, ExrSequenceWriter, composite
from howard.parallel import OrderedSink
from howard.pipeline.outputs import Content, Output
from howard.pipeline.pipeline_types import FinishedFrame, MattedFrame
from howard.pipeline.render_folder import RenderFolder
from howard.pipeline.samples import SampleSelector
from howard.progress import FrameDone, ProgressCallback
from howard.render_record import FrameRecord

if TYPE_CHECKING:
    # Importing torch takes seconds, and settings are checked before that.
    from howard.pipeline.frame_finisher import FrameFinisher


class FrameJob(NamedTuple):
    """A frame to be written.

    ``background``, (H, W, 3), is for its composites; ``save_sample`` saves its images for the report.
    """

    frame: FinishedFrame
    background: np.ndarray | None
    save_sample: Callable[[], None] | None = None


class PreparedFrame(NamedTuple):
    """A frame's record, what each output will store of it, and ``save_sample`` as in `FrameJob`."""

    record: FrameRecord
    stored: list[Any]
    save_sample: Callable[[], None] | None = None


class FrameWriter:
    """Writes each frame to all ``outputs`` in a folder.

    Several threads may call `prepare` at once; `commit` is called in the order of the frames. A frame's line is added
    to the journal when all its files are complete, so that a frame with a line is never partial. ``linear_light`` says
    whether composites mix in linear light or in encoded values, ``casts_shadow`` whether composites include the
    person's shadow, which is then one of the frames' layers.
    """

    def __init__(
        self,
        folder: RenderFolder,
        outputs: Sequence[Output],
        *,
        linear_light: bool = True,
        casts_shadow: bool = False,
    ) -> None:
        self._folder = folder
        self._outputs = outputs
        self._linear_light = linear_light
        self._casts_shadow = casts_shadow
        # Of frames given to the outputs: their records, and how many outputs have not completed their file.
        self._waiting: dict[int, FrameRecord] = {}
        self._incomplete: dict[int, int] = {}

    def __enter__(self) -> "FrameWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        for output in self._outputs:
            output.writer.close()

    def begin(self, numbers: Sequence[int]) -> list[int]:
        """Prepare the outputs for the frames of ``numbers`` that are :meth:`missing`, and return these."""
        pending = self.missing(numbers)
        for output in self._outputs:
            output.writer.begin(pending)
        return pending

    def missing(self, numbers: Sequence[int]) -> list[int]:
        """The frames of ``numbers`` that have no line or no complete file.

        Frames that share a file with one of these, as in a segment of a movie, are included.
        """
        unfinished = {number for number in numbers if not self._is_finished(number)}
        return [
            number
            for number in numbers
            if any(not unfinished.isdisjoint(output.writer.batch(number)) for output in self._outputs)
        ]

    def prepare(self, job: FrameJob) -> PreparedFrame:
        """Composite a frame and convert it to what each output stores."""
        stored = [self._convert(output, job) for output in self._outputs]
        return PreparedFrame(job.frame.record, stored, job.save_sample)

    def _convert(self, output: Output, job: FrameJob) -> Any:
        """What one output stores of a frame."""
        writer, layers = output.writer, job.frame.layers
        if output.content is Content.SHADOW:
            return writer.prepare(layers["shadow"])
        rgba = job.frame.rgba[writer.dtype]
        if output.content is Content.COMPOSITE and job.background is not None:
            shadow = layers["shadow"] if self._casts_shadow else None
            # Backgrounds are SDR and stay unchanged; an HDR foreground is tone-mapped first.
            composited = composite(writer.to_stored(rgba), job.background, self._linear_light, shadow)
            return writer.prepare(composited)
        if isinstance(writer, ExrSequenceWriter):
            return writer.prepare(rgba, layers)
        return writer.prepare(rgba)

    def commit(self, number: int, prepared: PreparedFrame) -> FrameRecord:
        """Write a frame to all outputs, then its sample, then the lines of all frames completed by this."""
        self._waiting[number] = prepared.record
        self._incomplete[number] = len(self._outputs)
        finished = []
        for output, stored in zip(self._outputs, prepared.stored, strict=True):
            for complete in output.writer.write(number, stored):
                self._folder.add_file(output.writer.file(complete))
                self._incomplete[complete] -= 1
                finished += [complete] if self._incomplete[complete] == 0 else []
        if prepared.save_sample is not None:
            prepared.save_sample()
        for complete in finished:
            self._folder.add(self._waiting.pop(complete))
        return prepared.record

    def finish(self, numbers: Iterable[int]) -> None:
        """Complete the files when all of ``numbers`` are written, now or by earlier runs."""
        times = self._folder.times(numbers)
        for output in self._outputs:
            for file in output.writer.finish(times):
                self._folder.add_file(file)

    def _is_finished(self, number: int) -> bool:
        return self._folder.has(number) and all(
            writer.has(number) and self._folder.has_size_of(writer.file(number)) for writer, _ in self._outputs
        )


def write_frames(
    numbers: Sequence[int],
    mattes: Callable[[list[int]], Generator[MattedFrame]],
    finisher: "FrameFinisher",
    writer: FrameWriter,
    *,
    background: Background | None = None,
    half_frame: Fraction = Fraction(0),
    on_frame_done: ProgressCallback = lambda event: None,
    samples: SampleSelector | None = None,
) -> int:
    """Write the frames of ``numbers`` that are missing; return how many that were.

    Frames are matted and finished in the calling thread; meanwhile other threads convert and write earlier ones. If the
    block is left by an interruption or an error of ``mattes``, finished frames are written first.

    Args:
        numbers: of the frames, as in output names.
        mattes: called with the numbers of the missing frames; yields them matted, in nearly that order.
        finisher: computes final pixels, at every depth that the writer needs.
        writer: writes them.
        background: for composites.
        half_frame: half a frame's duration in seconds. The background is read in the middle of a frame, so that times
            rounded by a container select the right background frame.
        on_frame_done: called after every frame, in the calling thread.
        samples: selects frames for the report; a frame's images are saved before its line in the journal.
    """
    done = 0
    with writer:
        pending = writer.begin(numbers)

        def report(records: Iterable[FrameRecord]) -> None:
            nonlocal done
            for record in records:
                done += 1
                on_frame_done(FrameDone(record.number, record.status, done, len(pending)))

        with OrderedSink(pending, writer.prepare, writer.commit) as sink, closing(mattes(pending)) as frames:
            for frame, finished in _finish_frames(frames, finisher):
                save_sample = None if samples is None else samples.select(frame, finished)
                behind = None if background is None else background.frame(frame.source.time + half_frame)
                sink.put(frame.source.number, FrameJob(finished, behind, save_sample))
                report(sink.committed())
        report(sink.committed())
        writer.finish(numbers)
    return len(pending)


def _finish_frames(
    frames: Iterable[MattedFrame], finisher: "FrameFinisher"
) -> Generator[tuple[MattedFrame, FinishedFrame]]:
    """Frames with their final pixels, in order; on a GPU the next frame is begun before the last one is collected."""
    begun: deque[tuple[MattedFrame, Callable[[], FinishedFrame]]] = deque()
    for frame in frames:
        begun.append((frame, finisher.begin(frame)))
        if len(begun) > finisher.in_flight:
            earlier, finish = begun.popleft()
            yield earlier, finish()
    for earlier, finish in begun:
        yield earlier, finish()
