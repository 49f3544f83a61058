"""The film road from end to end: shot and plate in, RGBA frames, a sidecar and a report out."""

import time
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.align import AlignedPlate, AlignmentStatus
from howard.errors import SettingsError
from howard.media import Frame, choose_frames
from howard.pipeline.cutout import cut_out
from howard.pipeline.deliver import deliver
from howard.pipeline.folder import RenderFolder
from howard.pipeline.foreground import FOREGROUNDS, choose_colours
from howard.pipeline.inputs import open_inputs
from howard.pipeline.outputs import choose_outputs, describe_output, refuse_inputs
from howard.pipeline.predictor import Predictor
from howard.pipeline.progress import ProgressCallback, progress_bar
from howard.pipeline.quality import check_quality, is_augmented
from howard.pipeline.samples import wants_sample
from howard.pipeline.sidecar import describe_render
from howard.pipeline.stages import matte_clip
from howard.pipeline.writer import FrameWriter
from howard.report import write_report


@dataclass(frozen=True)
class RenderSummary:
    """A finished render: frames ``rendered`` now and ``skipped`` because they were there already.

    ``weak`` and ``failed`` are the numbers of all frames asked for whose plate deserves a look, or was of no use;
    ``report`` is the page that shows them, if one was wanted.
    """

    output: Path
    rendered: int
    skipped: int
    weak: tuple[int, ...]
    failed: tuple[int, ...]
    seconds: float
    report: Path | None


def remove_background(
    source: str | Path,
    plate: str | Path,
    output: str | Path,
    *,
    predictor: Predictor | None = None,
    weights: str | Path = "default",
    device: str = "auto",
    precision: str = "auto",
    frames: str | None = None,
    format: str = "png",
    background: str | Path | None = None,
    garbage: str | Path | None = None,
    holdout: str | Path | None = None,
    alpha: str = "unmixed",
    foreground: str = "estimated",
    exr_compression: str = "zip",
    input_colour: str | None = None,
    plate_colour: str | None = None,
    frame_rate: str | Fraction | None = None,
    quality: str = "standard",
    workers: int | None = None,
    report: bool = True,
    overwrite: bool = False,
    restart: bool = False,
    progress: ProgressCallback | bool = True,
) -> RenderSummary:
    """Cut the person out of a shot and write RGBA frames, or a movie.

    Args:
        source: the shot, a video, an image sequence or a still of a person in a place.
        plate: the same place, empty; a video filmed with a similar move, or a still.
        output: a folder; made if missing. An interrupted render of the same is gone on with.
        predictor: what mattes each frame; None loads ``weights`` onto ``device``.
        weights: the name of weights that ship with Howard, or a weights file.
        device: auto, cpu, cuda or mps.
        precision: of the network: auto, fp32, bf16 or fp16; see :func:`howard.matting.load_matting`.
        frames: "100-200", both included, or "40", counted as in output names; all where None.
        format: one of `howard.media.FORMATS`.
        background: also lay the person over this, in ``NAME_comp.0001.png``, or in ``NAME_comp.mp4`` and alone with
            ``format="composite"``: a still, a video, #rrggbb or a colour's name.
        garbage: a mask of what is surely not the person, white on black: a still, or as many frames as the shot has.
        holdout: the same of what surely is.
        alpha: "unmixed" (the network's, mended in soft pixels by what plate and source show) or "network"; of a
            ``predictor`` that is given its own counts.
        foreground: where soft pixels have their colour from: "estimated" (from the solid colours around and the plate)
            or "network".
        exr_compression: zip, piz or dwaa.
        input_colour: how the shot's values are meant, where its tags are wrong or missing; see `open_reader`.
        plate_colour: the same for the plate.
        frame_rate: of a shot that is an image sequence, as 24 or "24000/1001"; 24 where None.
        quality: how much work goes into a frame: fast, standard or best. It is that of the alignment, see
            :class:`howard.align.PlateAligner`; ``best`` also takes the mean of three mattes.
        workers: frames that are aligned at a time; None means one for each of the machine's cores, up to
            eight.
        report: also write ``report.html``, a page that shows how the render came out.
        overwrite: write into a folder that holds other files or another render, which starts over.
        restart: the same, but only where the folder holds nothing besides a render.
        progress: called after every frame; True shows a bar, False nothing.

    Raises:
        HowardError: one of its kinds, in one line; whatever can be checked is checked before the network is loaded.
    """
    started = time.monotonic()
    check_quality(quality)
    _check_choice("foreground", foreground, FOREGROUNDS)
    _check_workers(workers)
    folder = RenderFolder(output, overwrite, restart)
    colours = {"input_colour": input_colour, "plate_colour": plate_colour}
    masks = {"garbage": garbage, "holdout": holdout}
    with (
        open_inputs(source, plate, background=background, frame_rate=frame_rate, **masks, **colours) as inputs,
        _reporting(progress) as tell,
    ):
        shot = inputs.shot.info
        indices = choose_frames(frames, shot)
        numbers = [shot.first_number + index for index in indices]
        outputs = choose_outputs(
            format, folder.path, shot, indices, has_background=background is not None, exr_compression=exr_compression
        )
        refuse_inputs(outputs, numbers, inputs.clips)
        # Of a predictor that was given only its weights are known.
        settings = {"quality": quality, "alpha": None if predictor else alpha, "foreground": foreground, **colours}
        predictor = predictor or _load_predictor(weights, device, precision, alpha, quality)
        entries = [describe_output(each, shot) for each in outputs]
        folder.begin(describe_render(inputs, settings, predictor, weights, entries))
        sampled = partial(wants_sample, folder.path, numbers) if report else _never
        mattes = partial(matte_clip, inputs, predictor, quality=quality, workers=workers, explains=sampled)
        is_linear = predictor.metadata.mixing == "linear"
        writer = FrameWriter(folder, outputs, linear_light=is_linear, foreground=foreground)
        rendered = deliver(numbers, mattes, writer, inputs.background, report=tell)
    return RenderSummary(
        output=folder.path,
        rendered=rendered,
        skipped=len(numbers) - rendered,
        weak=folder.numbers_with_status(AlignmentStatus.WEAK, numbers),
        failed=folder.numbers_with_status(AlignmentStatus.FAILED, numbers),
        seconds=time.monotonic() - started,
        report=write_report(folder.path) if report else None,
    )


class CutOut(NamedTuple):
    """A frame of the shot, its person as straight RGBA, (H, W, 4), of the frame's own depth, and the plate used."""

    source: Frame
    rgba: np.ndarray
    plate: AlignedPlate


def cut_out_frames(
    source: str | Path,
    plate: str | Path,
    *,
    predictor: Predictor | None = None,
    weights: str | Path = "default",
    device: str = "auto",
    precision: str = "auto",
    frames: str | None = None,
    garbage: str | Path | None = None,
    holdout: str | Path | None = None,
    alpha: str = "unmixed",
    foreground: str = "estimated",
    input_colour: str | None = None,
    plate_colour: str | None = None,
    quality: str = "standard",
    workers: int | None = None,
) -> Generator[CutOut]:
    """What :func:`remove_background` would write, frame by frame, for those who go on with the pixels themselves.

    Arguments and errors are the same; nothing is read or checked before the first frame is asked for. Frames come in
    order, and the next ones are made meanwhile.
    """
    check_quality(quality)
    _check_choice("foreground", foreground, FOREGROUNDS)
    _check_workers(workers)
    colours = {"input_colour": input_colour, "plate_colour": plate_colour}
    with open_inputs(source, plate, garbage=garbage, holdout=holdout, **colours) as inputs:
        shot = inputs.shot.info
        numbers = [shot.first_number + index for index in choose_frames(frames, shot)]
        predictor = predictor or _load_predictor(weights, device, precision, alpha, quality)
        with closing(matte_clip(inputs, predictor, numbers, quality=quality, workers=workers)) as mattes:
            is_linear = predictor.metadata.mixing == "linear"
            for frame in mattes:
                image = frame.source.image
                chosen = choose_colours(frame, foreground, linear_light=is_linear)
                rgba = cut_out(image, frame.alpha, chosen, image.dtype)
                yield CutOut(frame.source, rgba, frame.plate)


def _check_choice(name: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise SettingsError(f"{name}={value} is not known; choose {', '.join(known)}")


def _check_workers(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise SettingsError(f"threads={workers} keeps no core busy; give 1 or more, or leave it out for all")


def _never(number: int, is_weak: bool) -> bool:
    return False


def _load_predictor(weights: str | Path, device: str, precision: str, alpha: str, quality: str) -> Predictor:
    # Torch takes seconds to load: only after everything else has been checked.
    from howard.matting import load_matting

    return load_matting(weights, device, precision, alpha, augmented=is_augmented(quality))


def _reporting(progress: ProgressCallback | bool) -> AbstractContextManager[ProgressCallback]:
    if progress is True:
        return progress_bar()
    return nullcontext(progress or (lambda event: None))
