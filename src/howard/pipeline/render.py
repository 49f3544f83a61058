"""The film road from end to end: shot and plate in, RGBA frames and a sidecar out."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from howard.align import QUALITIES, AlignmentStatus, default_cache_folder
from howard.errors import SettingsError
from howard.media import Background, ClipInfo, Reader, open_reader
from howard.pipeline.deliver import deliver
from howard.pipeline.folder import RenderFolder
from howard.pipeline.frames import choose_frames, read_frame_rate, refuse_tiny
from howard.pipeline.outputs import choose_outputs, describe_output, refuse_inputs
from howard.pipeline.predictor import Predictor
from howard.pipeline.progress import ProgressCallback, progress_bar
from howard.pipeline.sidecar import describe_background, describe_render
from howard.pipeline.stages import MattedFrame, align_frames, matte_frames


@dataclass(frozen=True)
class RenderSummary:
    """A finished render: frames ``rendered`` now and ``skipped`` because they were there already.

    ``weak`` and ``failed`` are the numbers of all frames asked for whose plate deserves a look, or was of no use.
    """

    output: Path
    rendered: int
    skipped: int
    weak: tuple[int, ...]
    failed: tuple[int, ...]
    seconds: float


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
    exr_compression: str = "zip",
    input_colour: str | None = None,
    plate_colour: str | None = None,
    frame_rate: str | Fraction | None = None,
    quality: str = "standard",
    overwrite: bool = False,
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
        exr_compression: zip, piz or dwaa.
        input_colour: how the shot's values are meant, where its tags are wrong or missing; see `open_reader`.
        plate_colour: the same for the plate.
        frame_rate: of a shot that is an image sequence, as 24 or "24000/1001"; 24 where None.
        quality: of the alignment: fast, standard or best; see :class:`howard.align.PlateAligner`.
        overwrite: write into a folder that holds other files or another render, which starts over.
        progress: called after every frame; True shows a bar, False nothing.

    Raises:
        HowardError: one of its kinds, in one line; whatever can be checked is checked before the network is loaded.
    """
    started = time.monotonic()
    if quality not in QUALITIES:
        raise SettingsError(f"quality={quality} is not known; choose {', '.join(QUALITIES)}")
    folder = RenderFolder(output, overwrite)
    with (
        open_reader(source, input_colour, read_frame_rate(frame_rate)) as shot,
        open_reader(plate, plate_colour) as empty,
        _open_background(background, shot.info) as behind,
        _reporting(progress) as report,
    ):
        refuse_tiny(shot.info)
        indices = choose_frames(frames, shot.info)
        outputs = choose_outputs(
            format, folder.path, shot.info, indices, has_background=behind is not None, exr_compression=exr_compression
        )
        numbers = [shot.info.first_number + index for index in indices]
        refuse_inputs(outputs, numbers, (shot.info, empty.info))
        predictor = predictor or _load_predictor(weights, device, precision)
        settings = {"quality": quality, "input_colour": input_colour, "plate_colour": plate_colour}
        laid_over = None if behind is None else describe_background(str(background), behind.clip)
        entries = [describe_output(each, shot.info) for each in outputs]
        folder.begin(describe_render(shot.info, empty.info, laid_over, settings, predictor, weights, entries))
        mattes = partial(_matte_frames, shot, empty, predictor, quality)
        rendered = deliver(
            numbers, mattes, outputs, folder, behind, linear_light=predictor.metadata.mixing == "linear", report=report
        )
    return _summarise(folder, numbers, rendered, time.monotonic() - started)


def _matte_frames(
    shot: Reader, plate: Reader, predictor: Predictor, quality: str, numbers: list[int]
) -> Iterator[MattedFrame]:
    """The mattes of the shot's frames ``numbers``, one by one."""
    indices = [number - shot.info.first_number for number in numbers]
    # A second opinion on where the person is costs as much again as a fast alignment.
    find_person = predictor.find_person if quality == "best" else None
    aligned = align_frames(shot, plate, indices, quality=quality, find_person=find_person, cache=default_cache_folder())
    return matte_frames(aligned, predictor)


def _open_background(value: str | Path | None, shot: ClipInfo) -> AbstractContextManager[Background | None]:
    return nullcontext() if value is None else Background(value, shot.width, shot.height)


def _summarise(folder: RenderFolder, numbers: list[int], rendered: int, seconds: float) -> RenderSummary:
    return RenderSummary(
        output=folder.path,
        rendered=rendered,
        skipped=len(numbers) - rendered,
        weak=folder.numbers_with_status(AlignmentStatus.WEAK, numbers),
        failed=folder.numbers_with_status(AlignmentStatus.FAILED, numbers),
        seconds=seconds,
    )


def _load_predictor(weights: str | Path, device: str, precision: str) -> Predictor:
    # Torch takes seconds to load: only after everything else has been checked.
    from howard.matting import load_matting

    return load_matting(weights, device, precision)


def _reporting(progress: ProgressCallback | bool) -> AbstractContextManager[ProgressCallback]:
    if progress is True:
        return progress_bar()
    return nullcontext(progress or (lambda event: None))
