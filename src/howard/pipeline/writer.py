"""Writing one finished frame: the cut-out, its composite if wanted, and its line in the sidecar."""

from pathlib import Path

import numpy as np

from howard.media import PngSequenceWriter, composite
from howard.pipeline.cutout import cut_out
from howard.pipeline.folder import RenderFolder
from howard.pipeline.record import FrameRecord, measure_frame
from howard.pipeline.stages import MattedFrame


class FrameWriter:
    """Writes ``NAME.0001.png`` and, over ``background`` (H, W, 3) uint8 where there is one, ``NAME_comp.0001.png``.

    ``linear_light`` says in which light the mattes mix.
    """

    def __init__(self, folder: RenderFolder, name: str, background: np.ndarray | None, linear_light: bool) -> None:
        self._folder = folder
        self._cutouts = PngSequenceWriter(folder.path, name)
        self._composites = PngSequenceWriter(folder.path, f"{name}_comp")
        self._background = background
        self._linear_light = linear_light

    def is_finished(self, number: int) -> bool:
        """Whether an earlier run wrote everything of frame ``number``."""
        return self._folder.is_finished(number, self._files(number))

    def write(self, frame: MattedFrame) -> FrameRecord:
        """Write all of a frame; its line comes last, so that a frame with a line is whole."""
        number = frame.source.number
        rgba = cut_out(frame.source.image, frame.alpha, frame.foreground)
        self._cutouts.write(number, rgba)
        if self._background is not None:
            self._composites.write(number, composite(rgba, self._background, self._linear_light))
        record = measure_frame(frame, self._linear_light)
        self._folder.add(record)
        return record

    def _files(self, number: int) -> list[Path]:
        writers = [self._cutouts] if self._background is None else [self._cutouts, self._composites]
        return [writer.path(number) for writer in writers]
