"""Finishes and writes frames with a synthetic matte into a render folder."""

from collections.abc import Iterator
from pathlib import Path

from howard.media import Background, MovieWriter, open_reader
from howard.media.movie_formats import MOVIE_FORMATS
from howard.options import RenderOptions
from howard.pipeline import MattedFrame
from howard.pipeline import write_frames as write_matted_frames
from howard.pipeline.frame_finisher import ComposeSettings, FrameFinisher
from howard.pipeline.frame_writer import FrameWriter
from howard.pipeline.outputs import Output, choose_outputs, describe_output
from howard.pipeline.render_folder import RenderFolder
from tests.pipeline.matted_frames import with_soft_edge


def write_frames(
    name: str,
    first: int,
    last: int,
    *,
    source: Path,
    output: Path,
    background: str | Path | None = None,
    overwrite: bool = False,
    stop_after: int | None = None,
    segment_frames: int | None = None,
) -> int:
    """Write frames FIRST to LAST of a clip in a format, with a made-up matte; returns how many were written.

    Args:
        name: of the format.
        first: number of the first frame.
        last: number of the last one.
        source: the clip.
        output: the folder to write into.
        background: also lays the person over this.
        overwrite: starts over in a folder that holds another render.
        stop_after: interrupts the render after so many frames.
        segment_frames: length of the movie's pieces; the format's own if left out.
    """
    with open_reader(source) as shot:
        start = shot.info.first_number
        frames = range(first - start, last - start + 1)
        behind = None if background is None else Background(background, shot.info.width, shot.info.height)
        outputs = choose_outputs(RenderOptions(format=name, background=background), output, shot.info, frames)
        if segment_frames is not None:
            form = MOVIE_FORMATS[name]
            outputs = [Output(MovieWriter(output, "shot", form, shot.info, frames, segment_frames))]

        def mattes(missing: list[int]) -> Iterator[MattedFrame]:
            for done, number in enumerate(missing):
                if done == stop_after:
                    raise KeyboardInterrupt
                yield with_soft_edge(shot[number - start])

        folder = RenderFolder(output, overwrite)
        folder.begin({"outputs": [describe_output(each, shot.info) for each in outputs]})
        depths = tuple(dict.fromkeys(each.writer.dtype for each in outputs))
        finisher = FrameFinisher(ComposeSettings(depths=depths, edges="network"))
        writer = FrameWriter(folder, outputs)
        return write_matted_frames(range(first, last + 1), mattes, finisher, writer, background=behind)
