"""What a render would read, write and cost, estimated by rendering a few frames into a temporary folder."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from howard.align import ValidityFinder
from howard.frame_ranges import count_in_words
from howard.media import ClipInfo
from howard.options import PlatePaths, RenderOptions, accept_options, choose_options
from howard.pipeline.frame_streams import choose_worker_count
from howard.pipeline.opened_render import OpenedRender, open_render
from howard.pipeline.outputs import choose_outputs
from howard.pipeline.pipeline_types import Predictor
from howard.pipeline.plate_check import check_plate_is_empty
from howard.pipeline.plate_indexing import PlateIndexer
from howard.pipeline.render_folder import RenderFolder
from howard.progress import FrameDone, Progress, ProgressCallback, in_words, open_progress

# Frames to time, after those that fill the pipeline.
_TIMED_FRAMES = 4
# Plate frames to read for timing.
_TIMED_PLATE_FRAMES = 12


@dataclass(frozen=True)
class RenderPlan:
    """What a render would do.

    ``clips`` are the clips that it reads. Of ``asked`` frames, ``frames`` are still missing in the folder ``output``;
    ``sequences`` has the files of each output. ``seconds_a_frame`` was measured over ``timed`` frames; ``seconds`` is
    the time for all missing frames, including loading the network and reading the plate. ``bytes`` is the disk space
    that they need, ``free_bytes`` the free space.
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
        """The files of all outputs."""
        return tuple(file for files in self.sequences for file in files)

    def lines(self) -> list[str]:
        """The plan as text."""
        reads = [
            f"would read {each.path}: {count_in_words(each.frame_count)} of {each.width}x{each.height}"
            for each in self.clips
        ]
        done = f", {self.asked - self.frames} exist already" if self.frames < self.asked else ""
        files = ", ".join(
            str(first) if first == last else f"{first} to {last.name}"
            for first, last in ((files[0], files[-1]) for files in self.sequences)
        )
        lines = [*reads, f"would write {count_in_words(self.frames)}{done}: {files}"]
        if self.frames:
            rate = f"{self.seconds_a_frame:.2f} s a frame, measured over {self.timed}"
            lines.append(f"would take about {in_words(self.seconds)}: {rate}")
            space = f"would need about {_in_bytes(self.bytes)} on disk, {_in_bytes(self.free_bytes)} are free"
            lines.append(space + ("; choose another disk" if self.bytes > self.free_bytes else ""))
        return lines

    def facts(self) -> dict[str, Any]:
        """The plan as values that JSON can hold."""
        clips = [{"path": str(each.path), "frames": each.frame_count} for each in self.clips]
        paths = {"output": str(self.output), "files": [str(file) for file in self.files]}
        others = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "sequences"}
        return others | {"clips": clips} | paths


class _TestRender(NamedTuple):
    """The result of rendering a few frames: how many were timed, seconds per frame, and bytes per frame on disk."""

    timed: int
    seconds_a_frame: float
    bytes_a_frame: float


@accept_options
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

    Time and disk space are extrapolated from a few frames in the middle of those that are missing.

    Raises:
        HowardError: if the render itself would be refused.
    """
    chosen = choose_options(options, changes)
    with open_progress(progress) as reporter, open_render(source, plate, output, chosen, reporter) as opened:
        request = opened.refuse_other_render()
        began = time.monotonic()
        network = predictor or opened.load(reporter)
        loading = time.monotonic() - began
        opened.folder.resume(request | opened.describe_network(network, given=predictor is not None))
        pending = opened.writer(network).missing(opened.numbers)
        test = _TestRender(0, 0.0, 0.0)
        if pending:
            reporter.step("trial", "timing a few frames")
            # Sparse as for a preview: the time to read the whole plate is estimated separately.
            with PlateIndexer(opened.inputs.plate, sparse=True) as indexer:
                validity = check_plate_is_empty(opened.inputs, indexer.plate, network, chosen.subject).validity
                test = _render_some(opened, indexer, network, pending, validity)
        reading = 0.0 if chosen.preview is not None or not pending else _seconds_to_read_plate(opened)
        return RenderPlan(
            clips=tuple(opened.inputs.clips),
            output=opened.folder.path,
            sequences=tuple(tuple(each.writer.files(opened.numbers)) for each in opened.outputs),
            asked=len(opened.numbers),
            frames=len(pending),
            timed=test.timed,
            seconds_a_frame=test.seconds_a_frame,
            seconds=loading + reading + len(pending) * test.seconds_a_frame,
            bytes=round(len(pending) * test.bytes_a_frame),
            free_bytes=shutil.disk_usage(_nearest_existing(opened.folder.path)).free,
        )


def _render_some(
    opened: OpenedRender,
    indexer: PlateIndexer,
    predictor: Predictor,
    pending: Sequence[int],
    validity: ValidityFinder | None,
) -> _TestRender:
    """Render a few consecutive frames from the middle of those that are ``pending``."""
    # The first frames of all workers are finished together and are not timed.
    filling = choose_worker_count(opened.options.threads, opened.inputs.shot.info)
    count = min(len(pending), filling + _TIMED_FRAMES)
    start = (len(pending) - count) // 2
    # Movies need consecutive frames.
    numbers = range(pending[start], pending[start] + count)
    end_times: list[float] = []

    def note_time(event: FrameDone) -> None:
        end_times.append(time.monotonic())

    shot = opened.inputs.shot.info
    with tempfile.TemporaryDirectory(prefix="howard-") as name:
        folder = Path(name)
        indices = range(numbers.start - shot.first_number, numbers.stop - shot.first_number)
        test = opened._replace(
            outputs=choose_outputs(opened.options, folder, shot, indices),
            folder=RenderFolder(folder),
        )
        began = time.monotonic()
        mattes = partial(test.mattes, indexer, predictor, validity=validity)
        test.write(mattes, predictor, numbers, note_time)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    skipped = min(filling, count - 1)
    start_of_timing = end_times[skipped - 1] if skipped else began
    timed = count - skipped
    return _TestRender(timed, (end_times[-1] - start_of_timing) / timed, size / count)


def _seconds_to_read_plate(opened: OpenedRender) -> float:
    """The time to read the whole plate, extrapolated from its first frames."""
    plate = opened.inputs.plate
    count = min(len(plate), _TIMED_PLATE_FRAMES)
    began = time.monotonic()
    for index in range(count):
        plate[index]
    return (time.monotonic() - began) * len(plate) / count


def _in_bytes(count: float) -> str:
    """A number of bytes as text, such as "310 MB"."""
    unit, factor = next((each for each in (("kB", 1e3), ("MB", 1e6)) if count < 1000 * each[1]), ("GB", 1e9))
    return f"{count / factor:.3g} {unit}" if count < 100 * factor else f"{count / factor:.0f} {unit}"


def _nearest_existing(path: Path) -> Path:
    """The path, or its nearest parent folder that exists."""
    return next((each for each in (path.absolute(), *path.absolute().parents) if each.is_dir()), Path("/"))
