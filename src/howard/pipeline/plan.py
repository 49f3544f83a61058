"""What a render would read, write and cost, found out by rendering a few frames into a temporary folder."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from howard.align import ValidityFinder
from howard.media import ClipInfo
from howard.options import PlatePaths, RenderOptions, choose_options, takes_options
from howard.pipeline.folder import RenderFolder
from howard.pipeline.opened_render import OpenedRender, open_render
from howard.pipeline.outputs import choose_outputs
from howard.pipeline.plate_check import check_plate
from howard.pipeline.plate_survey import PlateSurvey
from howard.pipeline.predictor import Predictor
from howard.pipeline.workers import choose_workers
from howard.progress import FrameDone, Progress, ProgressCallback, in_words, open_progress

# Frames that are timed after those with which the pipeline fills.
_TIMED_FRAMES = 4
# Plate frames whose reading is timed.
_TIMED_PLATE_FRAMES = 12


@dataclass(frozen=True)
class RenderPlan:
    """What a render would do.

    ``clips`` are all that it reads; ``frames`` of ``asked`` are still to be made, into the files of the folder
    ``output``, of which ``sequences`` has the files of each of the outputs.
    ``seconds_a_frame`` was measured over ``timed`` frames; ``seconds`` is the time for all, with loading the network
    and reading the plate. ``bytes`` is the disk space for the frames still to be made, ``free_bytes`` what there is.
    """

    clips: tuple[ClipInfo, ...]
    output: Path
    sequences: tuple[tuple[Path, ...], ...]
    asked: int
    frames: int
    timed: int
    seconds_a_frame: float
    seconds: float
    bytes: int
    free_bytes: int

    @property
    def files(self) -> tuple[Path, ...]:
        """All files to be written."""
        return tuple(file for files in self.sequences for file in files)

    def lines(self) -> list[str]:
        """The plan for people."""
        reads = [
            f"would read {each.path}: {each.frame_count} frames of {each.width}x{each.height}" for each in self.clips
        ]
        done = f", {self.asked - self.frames} are there already" if self.frames < self.asked else ""
        files = ", ".join(
            str(first) if first == last else f"{first} to {last.name}"
            for first, last in ((files[0], files[-1]) for files in self.sequences)
        )
        lines = [*reads, f"would write {self.frames} frames{done}: {files}"]
        if self.frames:
            rate = f"{self.seconds_a_frame:.2f} s a frame, measured over {self.timed}"
            lines.append(f"would take about {in_words(self.seconds)}: {rate}")
            space = f"would need about {_in_bytes(self.bytes)} on disk, {_in_bytes(self.free_bytes)} are free"
            lines.append(space + ("; choose another disk" if self.bytes > self.free_bytes else ""))
        return lines

    def facts(self) -> dict[str, Any]:
        """The plan for programs, of what JSON can hold."""
        clips = [{"path": str(each.path), "frames": each.frame_count} for each in self.clips]
        paths = {"output": str(self.output), "files": [str(file) for file in self.files]}
        others = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "sequences"}
        return others | {"clips": clips} | paths


class _Trial(NamedTuple):
    """A few frames: how many were timed, the seconds of each, and the bytes of one on disk."""

    timed: int
    seconds_a_frame: float
    bytes_a_frame: float


@takes_options
def plan_render(
    source: str | Path,
    plate: PlatePaths,
    output: str | Path | None = None,
    *,
    options: RenderOptions | None = None,
    predictor: Predictor | None = None,
    progress: Progress | ProgressCallback | bool | str = True,
    **changes: Any,
) -> RenderPlan:
    """What :func:`howard.remove_background` would do with the same arguments; nothing is written into ``output``.

    Time and disk space are extrapolated from a few frames in the middle of those still to be made.

    Raises:
        HowardError: where the render itself would be refused.
    """
    chosen = choose_options(options, changes)
    with open_progress(progress) as told, open_render(source, plate, output, chosen, told) as opened:
        request = opened.refuse_other()
        began = time.monotonic()
        network = predictor or opened.load(told)
        loading = time.monotonic() - began
        opened.folder.resume(request | opened.describe_network(network, given=predictor is not None))
        pending = opened.writer(network).missing(opened.numbers)
        trial = _Trial(0, 0.0, 0.0)
        if pending:
            told.step("trial", "timing a few frames")
            # As for a preview: comparing with all plate frames is counted apart.
            with PlateSurvey(opened.inputs.plate, sparse=True) as survey:
                validity = check_plate(opened.inputs, survey.clip, network, chosen.subject).validity
                trial = _try_frames(opened, survey, network, pending, validity)
        reading = 0.0 if chosen.preview is not None or not pending else _seconds_to_read(opened)
        return RenderPlan(
            clips=tuple(opened.inputs.clips),
            output=opened.folder.path,
            sequences=tuple(tuple(each.writer.files(opened.numbers)) for each in opened.outputs),
            asked=len(opened.numbers),
            frames=len(pending),
            timed=trial.timed,
            seconds_a_frame=trial.seconds_a_frame,
            seconds=loading + reading + len(pending) * trial.seconds_a_frame,
            bytes=round(len(pending) * trial.bytes_a_frame),
            free_bytes=shutil.disk_usage(_existing(opened.folder.path)).free,
        )


def _try_frames(
    opened: OpenedRender,
    survey: PlateSurvey,
    predictor: Predictor,
    pending: Sequence[int],
    validity: ValidityFinder | None,
) -> _Trial:
    """Render some neighbouring frames, from the middle of those that are ``pending``."""
    # The first frames of all workers come at once, after the pipeline has filled.
    filling = choose_workers(opened.options.threads, opened.inputs.shot.info)
    count = min(len(pending), filling + _TIMED_FRAMES)
    start = (len(pending) - count) // 2
    # Movies are made of frames without gaps.
    numbers = range(pending[start], pending[start] + count)
    ends: list[float] = []

    def note(event: FrameDone) -> None:
        ends.append(time.monotonic())

    shot = opened.inputs.shot.info
    with tempfile.TemporaryDirectory(prefix="howard-") as name:
        folder = Path(name)
        indices = range(numbers.start - shot.first_number, numbers.stop - shot.first_number)
        trial = opened._replace(
            outputs=choose_outputs(opened.options, folder, shot, indices),
            folder=RenderFolder(folder),
        )
        began = time.monotonic()
        mattes = partial(trial.mattes, survey, predictor, validity=validity)
        trial.deliver(mattes, predictor, numbers, note)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    skipped = min(filling, count - 1)
    start_of_timing = ends[skipped - 1] if skipped else began
    timed = count - skipped
    return _Trial(timed, (ends[-1] - start_of_timing) / timed, size / count)


def _seconds_to_read(opened: OpenedRender) -> float:
    """How long comparing with the whole plate takes, from reading its first frames."""
    plate = opened.inputs.plate
    count = min(len(plate), _TIMED_PLATE_FRAMES)
    began = time.monotonic()
    for index in range(count):
        plate[index]
    return (time.monotonic() - began) * len(plate) / count


def _in_bytes(count: float) -> str:
    """A size on disk, as "310 MB"."""
    unit, factor = next((each for each in (("kB", 1e3), ("MB", 1e6)) if count < 1000 * each[1]), ("GB", 1e9))
    return f"{count / factor:.3g} {unit}" if count < 100 * factor else f"{count / factor:.0f} {unit}"


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next((each for each in (path.absolute(), *path.absolute().parents) if each.is_dir()), Path("/"))
