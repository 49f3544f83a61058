"""Inference end to end: a shot and a plate in; RGBA frames, a sidecar and a report out, or the frames as arrays."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from howard.align import AlignedPlate, default_cache_folder
from howard.frame_ranges import count_in_words, format_frames
from howard.media import Frame, choose_frames
from howard.options import PlatePaths, RenderOptions, accept_options, choose_options
from howard.pipeline.combined_plate import CombinedPlate
from howard.pipeline.frame_streams import matte_clip
from howard.pipeline.inputs import Inputs, open_inputs
from howard.pipeline.opened_render import OpenedRender, load_predictor, open_render
from howard.pipeline.pipeline_types import Predictor
from howard.pipeline.plate_check import check_plate_is_empty
from howard.pipeline.plate_indexing import PlateIndexer
from howard.pipeline.samples import SampleSelector
from howard.progress import Progress, ProgressCallback, SilentProgress, in_words, open_progress
from howard.render_record import FAILING_REASONS, REASONS
from howard.report import write_report


@dataclass(frozen=True)
class RenderSummary:
    """The result of a render: how many frames were ``rendered`` now, and ``skipped`` because they existed already.

    ``weak`` and ``failed`` are the numbers of frames that need checking or are unusable, of all frames asked for;
    ``reasons`` groups them by `render_record.REASONS`. ``plate_damaged`` names the plate frames that were left out
    because they are damaged. ``report`` is the path of the HTML page, if there is one. ``remarks`` concern the whole
    render. ``not_carried`` lists what of the shot the files cannot hold (audio, timecode). ``colour_notes`` say how HDR
    or wide gamut was converted for formats other than EXR. ``is_whole_shot``: all frames of the shot were asked for.
    """

    output: Path
    rendered: int
    skipped: int
    weak: tuple[int, ...]
    failed: tuple[int, ...]
    seconds: float
    report: Path | None
    reasons: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    plate_damaged: str | None = None
    remarks: tuple[str, ...] = ()
    not_carried: tuple[str, ...] = ()
    colour_notes: tuple[str, ...] = ()
    is_whole_shot: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether any frame is usable; for a whole shot, whether a person was found in a usable frame."""
        unusable = set(self.failed)
        if self.is_whole_shot:
            unusable.update(self.reasons.get("empty", ()))
        return self.rendered + self.skipped > len(unusable)

    def lines(self) -> list[str]:
        """The summary as text."""
        time_taken = f" in {in_words(self.seconds)}" if self.rendered else ""
        lines = [f"{count_in_words(self.rendered)} rendered{time_taken}, {self.skipped} existed already: {self.output}"]
        for reason, numbers in self.reasons.items():
            effect = "unusable" if reason in FAILING_REASONS else "needs checking"
            lines.append(f"{effect}, {REASONS[reason]}: {format_frames(numbers)}")
        if self.plate_damaged is not None:
            lines.append(f"not used, damaged in the plate: {self.plate_damaged}")
        lines += [f"note: {remark}" for remark in self.remarks]
        if self.not_carried:
            lines.append(f"not carried over from the shot: {', '.join(self.not_carried)}")
        lines += self.colour_notes
        if self.report is not None:
            lines.append(f"report: {self.report}")
        return lines

    def facts(self) -> dict[str, Any]:
        """The summary as values that JSON can hold."""
        report = None if self.report is None else str(self.report)
        return asdict(self) | {"output": str(self.output), "report": report}


@accept_options
def remove_background(
    source: str | Path,
    plate: PlatePaths,
    output: str | Path | None = None,
    *,
    options: RenderOptions | None = None,
    predictor: Predictor | None = None,
    progress: Progress | ProgressCallback | bool | str = True,
    **changes: Any,
) -> RenderSummary:
    """Cut the person out of a shot, and write RGBA frames or a movie.

    Args:
        source: the shot: a video, an image sequence or a still of a person in a place.
        plate: the same place without people: a video filmed with a similar camera move, or a still. Several clips and
            stills together are one plate. "self" takes the background from the shot's other frames.
        output: a folder; created if missing. An interrupted render of the same shot is continued. Previews go to a
            folder with this name and "_preview". None means renders/NAME, after the shot's name without frame numbers,
            or, if that holds a render in another format, renders/NAME_FORMAT.
        options: how to render; None means the defaults. Single options can be given by name instead or in addition.
        predictor: mattes each frame; None loads the options' ``weights`` onto their ``device``.
        progress: a function called after every frame with a `FrameDone`; or a :class:`howard.progress.Progress`, which
            also gets the other steps; or one of `howard.choices.PROGRESS`. True means "auto", False "none".

    Raises:
        HowardError: one of its subclasses, with a one-line message. Everything that can be checked is checked before
            the network is loaded.
    """
    started = time.monotonic()
    chosen = choose_options(options, changes)
    with (
        open_progress(progress) as reporter,
        open_render(source, plate, output, chosen, reporter) as opened,
        opened.index_plate(reporter) as indexer,
    ):
        network = opened.begin(predictor, reporter)
        folder, numbers = opened.folder, opened.numbers
        sampled_plate = indexer.plate  # waits until the plate has been indexed
        reporter.step("render", f"rendering {format_frames(numbers)}", frames=len(numbers))
        check = check_plate_is_empty(opened.inputs, sampled_plate, network, chosen.subject)
        for remark in check.remarks:
            reporter.step("note", remark)
        samples = SampleSelector(folder.path, numbers) if chosen.report else None
        mattes = partial(opened.mattes, indexer, network, validity=check.validity)
        rendered = opened.write(mattes, network, numbers, reporter.frame, samples)
    seconds = time.monotonic() - started
    report = write_report(folder.path) if chosen.report else None
    return _summarise(opened, rendered, seconds, check.remarks, report)


def _summarise(
    opened: OpenedRender, rendered: int, seconds: float, remarks: tuple[str, ...], report: Path | None
) -> RenderSummary:
    """The summary of a finished render, from the records in its folder."""
    folder, numbers, plate = opened.folder, opened.numbers, opened.inputs.plate
    plate_damaged = folder.damaged_plate_indices(numbers)
    return RenderSummary(
        output=folder.path,
        rendered=rendered,
        skipped=len(numbers) - rendered,
        weak=folder.numbers_with_status("weak", numbers),
        failed=folder.numbers_with_status("failed", numbers),
        seconds=seconds,
        report=report,
        reasons=folder.numbers_by_reason(numbers),
        plate_damaged=plate.describe(plate_damaged) if plate_damaged else None,
        remarks=remarks + remark_on_plate(plate, folder.numbers_hidden_by_plate(numbers)),
        is_whole_shot=len(numbers) == opened.inputs.shot.info.frame_count,
        not_carried=opened.not_carried,
        colour_notes=opened.colour_notes,
    )


def remark_on_plate(plate: CombinedPlate, hidden: Sequence[int]) -> tuple[str, ...]:
    """A remark on a plate in which people hide the background of the frames ``hidden``; none with plate=self."""
    if plate.is_self or not hidden:
        return ()
    frames = format_frames(hidden)
    return (f"people in the plate hide the background of {frames}: other plate frames are used there",)


class CutOut(NamedTuple):
    """A frame of the shot, its person as straight RGBA, (H, W, 4), in the frame's dtype, and the aligned plate.

    ``layers`` maps names to the layers that ``layers=`` and ``shadow=`` ask for, as in `FinishedFrame`.
    """

    source: Frame
    rgba: np.ndarray
    plate: AlignedPlate
    layers: Mapping[str, np.ndarray]


@accept_options
def cut_out_frames(
    source: str | Path,
    plate: PlatePaths,
    *,
    options: RenderOptions | None = None,
    predictor: Predictor | None = None,
    **changes: Any,
) -> Generator[CutOut]:
    """The frames that :func:`remove_background` would write, as arrays, one by one.

    Arguments and errors are those of :func:`remove_background`; options that concern files have no effect. Options and
    files are checked at the call; the network is loaded and frames are read when the first frame is asked for. Frames
    come in order, and the next ones are computed in the meantime. The files are open until the last frame, or until the
    generator is closed or garbage-collected.
    """
    frames = _open_and_cut_out(source, plate, choose_options(options, changes), predictor)
    # Up to its first yield, which is not a frame, the generator opens the files and checks the settings.
    next(frames)
    return cast(Generator[CutOut], frames)


def _open_and_cut_out(
    source: str | Path, plate: PlatePaths, options: RenderOptions, predictor: Predictor | None
) -> Generator[CutOut | None]:
    """Yield None when files are open and settings checked, and then the frames."""
    frames = options.frames if options.preview is None else options.preview
    with open_inputs(source, plate, replace(options, background=None), SilentProgress()) as inputs:
        shot = inputs.shot.info
        numbers = [shot.first_number + index for index in choose_frames(frames, shot)]
        yield None
        yield from _cut_out(inputs, numbers, options, predictor)


def _cut_out(
    inputs: Inputs, numbers: Sequence[int], options: RenderOptions, predictor: Predictor | None
) -> Generator[CutOut]:
    # Importing torch takes seconds: only after the settings have been checked.
    from howard.pipeline.frame_finisher import FrameFinisher, compose_settings

    with PlateIndexer(inputs.plate, cache=default_cache_folder()) as indexer:
        predictor = predictor or load_predictor(options, SilentProgress())
        depths = (np.dtype(inputs.shot.info.dtype),)
        finisher = FrameFinisher(compose_settings(options, predictor, depths), str(predictor.device))
        matted = matte_clip(
            inputs,
            indexer,
            predictor,
            numbers,
            quality=options.quality,
            subject=options.subject,
            workers=options.threads,
            validity=check_plate_is_empty(inputs, indexer.plate, predictor, options.subject).validity,
            edges=options.edges,
            window=options.window,
        )
        with closing(matted) as mattes:
            for frame in mattes:
                finished = finisher.finish(frame)
                yield CutOut(frame.source, finished.main_rgba, frame.plate, finished.layers)
