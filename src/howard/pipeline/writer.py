"""Writing finished frames: RGBA, composites, and their lines in the journal."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from howard.media import ExrSequenceWriter, Writer, composite
from howard.pipeline.folder import RenderFolder
from howard.pipeline.frames import FinishedFrame
from howard.render_record import FrameRecord


class Content(StrEnum):
    """What an output shows: the person's RGBA, the person over a background, or the person's shadow as a factor."""

    CUT_OUT = "cut-out"
    COMPOSITE = "composite"
    SHADOW = "shadow"


class Output(NamedTuple):
    """One of the things that a render writes."""

    writer: Writer
    content: Content = Content.CUT_OUT


class FrameJob(NamedTuple):
    """What it takes to write a frame.

    ``background`` (H, W, 3) lies behind its composites; ``save_sample`` saves its pictures for the report.
    """

    frame: FinishedFrame
    background: np.ndarray | None
    save_sample: Callable[[], None] | None = None


class PreparedFrame(NamedTuple):
    """A frame's line, what each of the outputs will store of it, and what saves its sample; see `FrameJob`."""

    record: FrameRecord
    stored: list[Any]
    save_sample: Callable[[], None] | None = None


class FrameWriter:
    """Writes all ``outputs`` of each frame into a folder.

    `prepare` may be called by several threads at once, `land` in the order of the frames. A frame's line is added to
    the journal when all its files are complete, so that a frame with a line is whole. ``linear_light`` says whether
    composites are mixed in linear light or in encoded values, ``casts_shadow`` whether the person's shadow, a layer of
    the frames then, lies on the backgrounds of composites.
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
        # Frames that were handed to the outputs: their lines, and how many outputs still hold them back.
        self._waiting: dict[int, FrameRecord] = {}
        self._unsafe: dict[int, int] = {}

    def __enter__(self) -> "FrameWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        for output in self._outputs:
            output.writer.close()

    def begin(self, numbers: Sequence[int]) -> list[int]:
        """Get ready to write what is :meth:`missing` of ``numbers``, and return it."""
        pending = self.missing(numbers)
        for output in self._outputs:
            output.writer.begin(pending)
        return pending

    def missing(self, numbers: Sequence[int]) -> list[int]:
        """Those of ``numbers`` that are to be written: frames without a line or a whole file.

        Frames that share a file with one of these, as those of a movie's segment do, are written again.
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
            # Backgrounds are SDR and stay unchanged; an HDR person is tone-mapped first.
            laid_over = composite(writer.to_stored(rgba), job.background, self._linear_light, shadow)
            return writer.prepare(laid_over)
        if isinstance(writer, ExrSequenceWriter):
            return writer.prepare(rgba, layers)
        return writer.prepare(rgba)

    def land(self, number: int, prepared: PreparedFrame) -> FrameRecord:
        """Write a frame to all outputs, then its sample."""
        self._waiting[number] = prepared.record
        self._unsafe[number] = len(self._outputs)
        finished = []
        for output, stored in zip(self._outputs, prepared.stored, strict=True):
            for safe in output.writer.write(number, stored):
                self._folder.add_file(output.writer.file(safe))
                self._unsafe[safe] -= 1
                finished += [safe] if self._unsafe[safe] == 0 else []
        if prepared.save_sample is not None:
            prepared.save_sample()
        for safe in finished:
            self._folder.add(self._waiting.pop(safe))
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
