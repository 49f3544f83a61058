"""The inference pipeline from end to end: shot and plate in, RGBA frames, a sidecar and a report out."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from howard.align import AlignedPlate, default_cache_folder
from howard.media import Frame, choose_frames
from howard.options import PlatePaths, RenderOptions, choose_options, takes_options
from howard.pipeline.finishing import FrameFinisher, finish_settings
from howard.pipeline.inputs import open_inputs
from howard.pipeline.opened_render import OpenedRender, load_predictor, open_render
from howard.pipeline.plate_check import check_plate
from howard.pipeline.plate_clips import PlateClips
from howard.pipeline.plate_survey import PlateSurvey
from howard.pipeline.predictor import Predictor
from howard.pipeline.samples import Sampler
from howard.pipeline.stages import matte_clip
from howard.pipeline.summary import RenderSummary, name_frames
from howard.progress import Progress, ProgressCallback, SilentProgress, open_progress
from howard.report import write_report


@takes_options
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
    """Cut the person out of a shot and write RGBA frames, or a movie.

    Args:
        source: the shot, a video, an image sequence or a still of a person in a place.
        plate: the same place, empty; a video filmed with a similar move, or a still. Several clips and stills together
            are one plate. "self" makes it of what the shot's other frames show beside the person.
        output: a folder; made if missing. An interrupted render of the same is continued. Previews go beside it, into
            a folder whose name ends in "_preview". None means renders/NAME, after the shot's name without numbers, or
            where that holds a render in another format renders/NAME_FORMAT.
        options: how to render; the defaults if left out. Single options can be given by name instead, or as well.
        predictor: what mattes each frame; None loads the options' ``weights`` onto their ``device``.
        progress: called after every frame with a `FrameDone`; or a :class:`howard.progress.Progress`, which hears of
            every step; or one of `howard.choices.PROGRESS`, True for "auto" and False for "none".

    Raises:
        HowardError: one of its kinds, in one line; whatever can be checked is checked before the network is loaded.
    """
    started = time.monotonic()
    chosen = choose_options(options, changes)
    with (
        open_progress(progress) as told,
        open_render(source, plate, output, chosen, told) as opened,
        opened.survey_plate(told) as survey,
    ):
        network = opened.begin(predictor, told)
        folder, numbers = opened.folder, opened.numbers
        check = check_plate(opened.inputs, survey.clip, network, chosen.subject)
        for remark in check.remarks:
            told.step("note", remark)
        sampler = Sampler(folder.path, numbers) if chosen.report else None
        mattes = partial(opened.mattes, survey, network, validity=check.validity)
        rendered = opened.deliver(mattes, network, numbers, told.frame, sampler)
    seconds = time.monotonic() - started
    report = write_report(folder.path) if chosen.report else None
    return _summarise(opened, rendered, seconds, check.remarks, report)


def _summarise(
    opened: OpenedRender, rendered: int, seconds: float, remarks: tuple[str, ...], report: Path | None
) -> RenderSummary:
    """The summary of a render that has ended, from the records in its folder."""
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


def remark_on_plate(plate: PlateClips, hidden: Sequence[int]) -> tuple[str, ...]:
    """What to say of a plate, which is not the shot itself, that shows somebody in front of what ``hidden`` need."""
    if plate.is_self or not hidden:
        return ()
    return (f"somebody stands in the plate, before what {name_frames(hidden)} need: other plate frames are used there",)


class CutOut(NamedTuple):
    """A frame of the shot, its person as straight RGBA, (H, W, 4), of the frame's own depth, and the plate used.

    ``layers`` are those that ``layers=`` and ``shadow=`` ask for, by name, as `FinishedFrame` has them.
    """

    source: Frame
    rgba: np.ndarray
    plate: AlignedPlate
    layers: Mapping[str, np.ndarray]


@takes_options
def cut_out_frames(
    source: str | Path,
    plate: PlatePaths,
    *,
    options: RenderOptions | None = None,
    predictor: Predictor | None = None,
    **changes: Any,
) -> Generator[CutOut]:
    """What :func:`remove_background` would write, frame by frame, for those who go on with the pixels themselves.

    Arguments and errors are the same; options that concern files have no effect. Nothing is read before the first
    frame is asked for. Frames come in order, and the next ones are made meanwhile.
    """
    return _cut_out_frames(source, plate, choose_options(options, changes), predictor)


def _cut_out_frames(
    source: str | Path, plate: PlatePaths, options: RenderOptions, predictor: Predictor | None
) -> Generator[CutOut]:
    told = SilentProgress()
    frames = options.frames if options.preview is None else options.preview
    with (
        open_inputs(source, plate, replace(options, background=None), told) as inputs,
        PlateSurvey(inputs.plate, cache=default_cache_folder()) as survey,
    ):
        shot = inputs.shot.info
        numbers = [shot.first_number + index for index in choose_frames(frames, shot)]
        predictor = predictor or load_predictor(options, told)
        finisher = FrameFinisher(finish_settings(options, predictor, (np.dtype(shot.dtype),)), str(predictor.device))
        made = matte_clip(
            inputs,
            survey,
            predictor,
            numbers,
            quality=options.quality,
            subject=options.subject,
            workers=options.threads,
            validity=check_plate(inputs, survey.clip, predictor, options.subject).validity,
        )
        with closing(made) as mattes:
            for frame in mattes:
                finished = finisher.finish(frame)
                yield CutOut(frame.source, finished.main_rgba, frame.plate, finished.layers)
