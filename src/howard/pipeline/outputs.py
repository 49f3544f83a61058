"""What a render writes, chosen from the settings, and said in the sidecar."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from howard.errors import OutputError, SettingsError, quoted
from howard.fields import one_of
from howard.media import ClipInfo, open_writer
from howard.options import RenderOptions
from howard.pipeline.writer import Output

_WITH_COMPOSITE = ("png", "png16")
_WITH_ALPHA_MODE = ("png", "png16", "exr")


def choose_outputs(options: RenderOptions, folder: Path, clip: ClipInfo, frames: range) -> list[Output]:
    """The outputs of a render of ``frames``, by index; a background adds composites to PNG. Nothing is written yet.

    Raises SettingsError where the settings do not go together.
    """

    def output(ending: str = "", is_composite: bool = False) -> Output:
        writer = open_writer(
            options.format,
            folder,
            clip,
            frames,
            ending=ending,
            compression=options.exr_compression,
            output_colour=options.output_colour,
            alpha_mode=options.alpha_mode,
        )
        return Output(writer, is_composite)

    if options.output_colour is not None and options.format != "exr":
        raise SettingsError(f"output_colour={quoted(options.output_colour)} goes with format=exr")
    if options.alpha_mode != "auto" and options.format not in _WITH_ALPHA_MODE:
        raise SettingsError(f"alpha_mode={options.alpha_mode} goes with format={one_of(_WITH_ALPHA_MODE)}")
    if options.format == "composite":
        if options.background is None:
            raise SettingsError("format=composite needs background=, a colour, still or video to lay the person over")
        return [output("_comp", is_composite=True)]
    cut_out = output("_matte" if options.format == "matte" else "")
    if options.background is None:
        return [cut_out]
    if options.format not in _WITH_COMPOSITE:
        raise SettingsError(f"background= goes with format={', '.join(_WITH_COMPOSITE)} or composite")
    return [cut_out, output("_comp", is_composite=True)]


def refuse_inputs(outputs: Iterable[Output], numbers: Sequence[int], inputs: Iterable[ClipInfo]) -> None:
    """Raise OutputError where a file to be written is one that is read: not even ``overwrite`` means that."""
    read = {file.resolve() for clip in inputs for file in clip.files}
    for output in outputs:
        for file in output.writer.files(numbers):
            if file.resolve() in read:
                raise OutputError(f"{file} is read and would be overwritten; choose another folder with output=")


def describe_output(output: Output, clip: ClipInfo) -> dict[str, Any]:
    """An output's entry in the sidecar, with what of the clip its files could not take."""
    facts = output.writer.facts
    carried = [track["stream_index"] for track in facts.get("audio", [])]
    lost = [
        f"audio stream {track.stream_index} ({track.codec})"
        for track in clip.audio
        if track.stream_index not in carried
    ]
    if clip.timecode is not None and facts.get("timecode") is None:
        lost.append("timecode")
    return {
        **facts,
        "frame_rate": str(clip.frame_rate),
        "pixel_aspect": str(clip.pixel_aspect),
        "not_carried": lost,
    }
