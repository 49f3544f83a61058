"""The outputs of a render: chosen from the settings, and described in the sidecar."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from howard.errors import OutputError, SettingsError, quoted
from howard.fields import join_list, one_of, split_list
from howard.media import ClipInfo, FactorSequenceWriter, Writer, open_writer
from howard.media.files import shorten_name
from howard.options import RenderOptions

_WITH_COMPOSITE = ("png", "png16")
_WITH_ALPHA_MODE = ("png", "png16", "exr")
_SAME_NAMES = ("png", "png16")
# Formats whose files include the shadow.
_WITH_SHADOW = {"exr", "composite"}


class Content(StrEnum):
    """What an output shows: the person as RGBA, composited over a background, or the person's shadow as a factor."""

    CUT_OUT = "cut-out"
    COMPOSITE = "composite"
    SHADOW = "shadow"


class Output(NamedTuple):
    """A writer, and what it writes."""

    writer: Writer
    content: Content = Content.CUT_OUT


def choose_outputs(options: RenderOptions, folder: Path, clip: ClipInfo, frames: range) -> list[Output]:
    """The outputs of a render of ``frames`` (zero-based indices), in the order of `howard.choices.FORMATS`.

    A background adds composites to PNG; the shadow gets files of its own beside formats whose files do not include it.
    Writes nothing yet. Raises SettingsError if settings contradict one another.
    """
    _refuse_mismatches(options)

    def output(name: str, ending: str = "", content: Content = Content.CUT_OUT) -> Output:
        writer = open_writer(
            name,
            folder,
            clip,
            frames,
            ending=ending,
            compression=options.exr_compression,
            output_colour=options.output_colour,
            alpha_mode=options.alpha_mode,
            layers=options.layer_names,
        )
        return Output(writer, content)

    outputs = []
    for name in options.formats:
        if name == "composite":
            outputs.append(output(name, "_comp", Content.COMPOSITE))
            continue
        outputs.append(output(name, "_matte" if name == "matte" else ""))
        if options.background is not None and name in _WITH_COMPOSITE:
            outputs.append(output(name, "_comp", Content.COMPOSITE))
    if options.shadow and not set(options.formats) <= _WITH_SHADOW:
        name = f"{shorten_name(clip.name)}_shadow"
        writer = FactorSequenceWriter(folder, name, clip.pixel_aspect, clip.padding)
        outputs.append(Output(writer, Content.SHADOW))
    return outputs


def _refuse_mismatches(options: RenderOptions) -> None:
    """Raise SettingsError if an option applies to none of the formats, or if two formats' files have the same names."""
    formats = options.formats
    if options.output_colour is not None and "exr" not in formats:
        raise SettingsError(f"output_colour={quoted(options.output_colour)} needs format=exr")
    if options.layers is not None and "exr" not in formats:
        raise SettingsError(f"layers={join_list(split_list(options.layers))} needs format=exr")
    if options.alpha_mode != "auto" and not set(formats).intersection(_WITH_ALPHA_MODE):
        raise SettingsError(f"alpha_mode={options.alpha_mode} needs format={one_of(_WITH_ALPHA_MODE)}")
    if "composite" in formats and options.background is None:
        raise SettingsError("format=composite needs background=, a colour, still or video behind the person")
    if options.background is not None and not set(formats).intersection((*_WITH_COMPOSITE, "composite")):
        raise SettingsError(f"background= needs format={', '.join(_WITH_COMPOSITE)} or composite")
    if set(formats) >= set(_SAME_NAMES):
        raise SettingsError(f"the files of format={one_of(_SAME_NAMES)} have the same names; choose one of these")


def refuse_overwriting_inputs(outputs: Iterable[Output], numbers: Sequence[int], inputs: Iterable[ClipInfo]) -> None:
    """Raise OutputError if a file to be written is also read; ``overwrite`` does not permit that either."""
    read = {file.resolve() for clip in inputs for file in clip.files}
    for output in outputs:
        for file in output.writer.files(numbers):
            if file.resolve() in read:
                raise OutputError(f"{file} is read and would be overwritten; choose another folder with output=")


def describe_output(output: Output, clip: ClipInfo) -> dict[str, Any]:
    """An output's entry in the sidecar, with the parts of the clip that its files cannot hold (audio, timecode)."""
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
