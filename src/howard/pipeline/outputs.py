"""What a render writes, chosen from the settings, and said in the sidecar."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from howard.errors import OutputError, SettingsError
from howard.media import FORMATS, ClipInfo, open_writer
from howard.pipeline.writer import Output

_WITH_COMPOSITE = ("png", "png16")


def choose_outputs(
    output_format: str, folder: Path, clip: ClipInfo, frames: range, *, has_background: bool, exr_compression: str
) -> list[Output]:
    """The outputs of a render of ``frames``, by index; a background adds composites to PNG. Nothing is written yet.

    Raises SettingsError where the settings do not go together.
    """
    if output_format not in FORMATS:
        raise SettingsError(f"format={output_format} is not known; choose {', '.join(FORMATS)}")
    if output_format == "composite":
        if not has_background:
            raise SettingsError("format=composite needs background=, a colour, still or video to lay the person over")
        return [Output(open_writer(output_format, folder, clip, frames, ending="_comp"), is_composite=True)]
    if has_background and output_format not in _WITH_COMPOSITE:
        raise SettingsError(f"background= goes with format={', '.join(_WITH_COMPOSITE)} or composite")
    ending = "_matte" if output_format == "matte" else ""
    outputs = [Output(open_writer(output_format, folder, clip, frames, ending=ending, compression=exr_compression))]
    if has_background:
        outputs.append(Output(open_writer(output_format, folder, clip, frames, ending="_comp"), is_composite=True))
    return outputs


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
