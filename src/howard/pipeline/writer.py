"""Writing finished frames: RGBA, composites, and their lines in the journal."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from howard.media import ExrSequenceWriter, Writer, composite
from howard.pipeline.folder import RenderFolder
from howard.pipeline.frames import FinishedFrame
from howard.render_record import FrameRecord


class Output(NamedTuple):
    """One of the things that a render writes; ``is_composite`` says that it shows the person over a background."""

    writer: Writer
    is_composite: bool = False


class FrameJob(NamedTuple):
    """What it takes to write a frame; ``background`` (H, W, 3) lies behind its composites."""

    frame: FinishedFrame
    background: np.ndarray | None


class PreparedFrame(NamedTuple):
    """A frame's line, and what each of the outputs will store of it."""

    record: FrameRecord
    stored: list[Any]


class FrameWriter:
    """Writes all ``outputs`` of each frame into a folder.

    `prepare` may be called by several threads at once, `land` in the order of the frames. A frame's line is added to
    the journal when all its files are complete, so that a frame with a line is whole. ``linear_light`` says whether
    composites are mixed in linear light or in encoded values.
    """

    def __init__(self, folder: RenderFolder, outputs: Sequence[Output], *, linear_light: bool = True) -> None:
        self._folder = folder
        self._outputs = outputs
        self._linear_light = linear_light
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
        stored = []
        for writer, is_composite in self._outputs:
            rgba = job.frame.rgba[writer.dtype]
            if is_composite and job.background is not None:
                # Backgrounds are SDR and stay unchanged; an HDR person is tone-mapped first.
                stored.append(writer.prepare(composite(writer.to_stored(rgba), job.background, self._linear_light)))
            elif isinstance(writer, ExrSequenceWriter):
                stored.append(writer.prepare(rgba, job.frame.layers))
            else:
                stored.append(writer.prepare(rgba))
        return PreparedFrame(job.frame.record, stored)

    def land(self, number: int, prepared: PreparedFrame) -> FrameRecord:
        """Write a frame to all outputs."""
        self._waiting[number] = prepared.record
        self._unsafe[number] = len(self._outputs)
        for output, stored in zip(self._outputs, prepared.stored, strict=True):
            for safe in output.writer.write(number, stored):
                self._folder.add_file(output.writer.file(safe))
                self._unsafe[safe] -= 1
                if self._unsafe[safe] == 0:
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
