"""The film road from end to end: shot and plate in, RGBA frames and a sidecar out."""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from howard.align import AlignmentStatus
from howard.media import load_background, open_reader
from howard.pipeline.folder import RenderFolder
from howard.pipeline.frames import choose_frames
from howard.pipeline.predictor import Predictor
from howard.pipeline.progress import FrameDone, ProgressCallback, progress_bar
from howard.pipeline.sidecar import describe_render
from howard.pipeline.stages import align_frames, matte_frames
from howard.pipeline.writer import FrameWriter


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
    frames: str | None = None,
    background: str | Path | None = None,
    candidates: int = 4,
    overwrite: bool = False,
    progress: ProgressCallback | bool = True,
) -> RenderSummary:
    """Cut the person out of a shot and write ``NAME.0001.png``, ... as straight RGBA, sRGB, 8 bit.

    Args:
        source: the shot, a video or a still of a person in a place.
        plate: the same place, empty; a video filmed with a similar move, or a still.
        output: a folder; made if missing. An interrupted render of the same is gone on with.
        predictor: what mattes each frame; None loads ``weights`` onto ``device``.
        weights: the name of weights that ship with Howard, or a weights file.
        device: auto, cpu, cuda or mps.
        frames: "100-200", both included, or "40", counted as in output names; all where None.
        background: also lay the person over this, in ``NAME_comp.0001.png``: a still, #rrggbb or a colour's name.
        candidates: plate frames tried on each source frame.
        overwrite: write into a folder that holds other files or another render, which starts over.
        progress: called after every frame; True shows a bar, False nothing.

    Raises:
        HowardError: one of its kinds, in one line; whatever can be checked is checked before the network is loaded.
    """
    started = time.monotonic()
    folder = RenderFolder(output, overwrite)
    with open_reader(source) as shot, open_reader(plate) as empty, _reporting(progress) as report:
        indices = choose_frames(frames, shot.info)
        behind = None if background is None else load_background(background, shot.info.width, shot.info.height)
        predictor = predictor or _load_predictor(weights, device)
        settings = {"candidates": candidates}
        folder.begin(describe_render(shot.info, empty.info, background, settings, predictor, weights))
        writer = FrameWriter(folder, shot.info.path.stem, behind, predictor.metadata.mixing == "linear")
        first = shot.info.first_number
        pending = [index for index in indices if not writer.is_finished(first + index)]
        aligned = align_frames(shot, empty, pending, candidates=candidates)
        for done, frame in enumerate(matte_frames(aligned, predictor), start=1):
            record = writer.write(frame)
            report(FrameDone(record.number, record.status, done, len(pending)))
    return _summarise(folder, [first + index for index in indices], len(pending), time.monotonic() - started)


def _summarise(folder: RenderFolder, numbers: list[int], rendered: int, seconds: float) -> RenderSummary:
    return RenderSummary(
        output=folder.path,
        rendered=rendered,
        skipped=len(numbers) - rendered,
        weak=folder.numbers_with_status(AlignmentStatus.WEAK, numbers),
        failed=folder.numbers_with_status(AlignmentStatus.FAILED, numbers),
        seconds=seconds,
    )


def _load_predictor(weights: str | Path, device: str) -> Predictor:
    # Torch takes seconds to load: only after everything else has been checked.
    from howard.matting import load_matting

    return load_matting(weights, device)


def _reporting(progress: ProgressCallback | bool) -> AbstractContextManager[ProgressCallback]:
    if progress is True:
        return progress_bar()
    return nullcontext(progress or (lambda event: None))
