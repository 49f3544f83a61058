"""Errors of aligned plates on rendered scenes with exact ground truth, for several alignment methods."""

import argparse
import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from rich.console import Console

from benchmarks.aligning.figures import Figures, average, print_figures, print_groups
from benchmarks.aligning.methods import (
    QUALITIES,
    Attempt,
    align_bgmv2,
    align_homography,
    align_howard,
    exact_attempt,
    warp_attempt,
)
from benchmarks.aligning.scoring import Row, Truth, homography_errors, remaining_errors, score
from benchmarks.measuring import time_once, use_one_thread
from benchmarks.scenes import KINDS, Kind, MemoryClip, Scene, Size, Stock
from howard.align import Neighbour, PlateAligner

EXACT, BGMV2, HOMOGRAPHY = "exact map", "bgmv2", "homography"
METHODS = (*QUALITIES, HOMOGRAPHY, BGMV2, EXACT)
TEST_SEED, TUNING_SEED = 9000, 1
PARALLAX = tuple(kind.name for kind in KINDS if kind.parallax)
_STEP = 8
_NEIGHBOURS = 6
_SCENES_OF_A_KIND = 2


class Task(NamedTuple):
    """A scene to score."""

    kind: Kind
    seed: int
    data: Path
    for_tuning: bool
    methods: tuple[str, ...]
    frames: int
    size: Size


def run(arguments: argparse.Namespace, console: Console) -> Figures:
    """Score the scenes of the command line, print the tables and return the figures."""
    tasks = list(_tasks(arguments))
    rows: list[Row] = []
    with ProcessPoolExecutor(arguments.jobs) as workers:
        for number, (task, found) in enumerate(zip(tasks, workers.map(_score_scene, tasks), strict=True), 1):
            rows += found
            console.print(f"[dim]scene {number} of {len(tasks)}: {task.kind.name}, seed {task.seed}[/dim]")
    figures = average(rows, {"parallax": PARALLAX})
    purpose = "for tuning" if arguments.tuning else "held out from tuning"
    has_parallax = any(task.kind.parallax for task in tasks)
    for group in ("all", "parallax") if has_parallax else ("all",):
        print_figures(figures, group, f"{len(tasks)} rendered scenes {purpose}: {group}", console)
    print_groups(figures, "wrong", "Wrong %, by kind of scene", console)
    return figures


def existing(folder: Path) -> Path | None:
    """The folder, or None where there is none."""
    return folder if folder.is_dir() else None


@contextmanager
def plate_aligners(plate: MemoryClip, qualities: Sequence[str]) -> Iterator[dict[str, PlateAligner]]:
    """Howard's aligners by quality, with a common cache of plate features."""
    with TemporaryDirectory() as folder:
        yield {quality: PlateAligner(plate, quality=quality, cache=Path(folder)) for quality in qualities}


def _tasks(arguments: argparse.Namespace) -> Iterator[Task]:
    """The scenes of the command line, kinds in turn."""
    kinds = [kind for kind in KINDS if not arguments.kind or kind.name in arguments.kind]
    first = arguments.seed if arguments.seed is not None else TUNING_SEED if arguments.tuning else TEST_SEED
    methods = tuple(arguments.method) if arguments.method else METHODS
    size = Size(arguments.width, round(arguments.width * 9 / 16))
    for number in range(arguments.scenes or _SCENES_OF_A_KIND * len(kinds)):
        kind, seed = kinds[number % len(kinds)], first + number // len(kinds)
        yield Task(kind, seed, arguments.data, arguments.tuning, methods, arguments.frames, size)


def _score_scene(task: Task) -> list[Row]:
    use_one_thread()
    # Scenes and their clips refer to each other: without this the previous scene's pictures would stay in memory.
    gc.collect()
    scene = Scene(task.kind, task.seed, Stock(existing(task.data), not task.for_tuning), task.size)
    for _ in scene.plate:
        # Renders the plate, so that this is in no method's time.
        pass
    chosen = np.linspace(0, len(scene.scored) - 1, min(task.frames, len(scene.scored))).round().astype(int)
    with plate_aligners(scene.plate, [name for name in QUALITIES if name in task.methods]) as aligners:
        return [row for number in chosen for row in _score_frame(scene, scene.scored[number], aligners, task.methods)]


def _score_frame(scene: Scene, index: int, aligners: dict[str, PlateAligner], methods: Sequence[str]) -> Iterator[Row]:
    """Score ``methods`` on a shot frame.

    The single homography gets the plate frame that it fits best, the others that of our best quality.
    """
    source, truth = scene.shot[index], Truth(scene.clean(index), scene.alpha(index))
    closest = scene.closest_plate(index)
    chosen, neighbours = closest, _neighbours(scene, index)
    for method in methods:
        result: list[Attempt] = []
        if method in aligners:
            time = time_once(lambda: result.append(align_howard(aligners[method], source, neighbours)))  # noqa: B023
            chosen = result[0].plate_index if result[0].plate_index >= 0 else chosen
        else:
            plate_index = closest if method == HOMOGRAPHY else chosen
            work = partial(_reference_attempt, method, scene, index, plate_index, truth)
            time = time_once(lambda: result.append(work()))  # noqa: B023
        errors = np.zeros(0) if method == EXACT else _homography_errors(scene, index, result[0], truth)
        remaining = remaining_errors(result[0].image, truth.clean, result[0].covered & truth.background)
        found = score(result[0], truth, errors, remaining)
        yield Row(scene.kind.name, method, found._replace(wall_ms=time.wall, cpu_ms=time.cpu))


def _reference_attempt(method: str, scene: Scene, index: int, plate_index: int, truth: Truth) -> Attempt:
    source, plate = scene.shot[index].image, scene.plate[plate_index].image
    if method == EXACT:
        true = scene.plate_map(index, plate_index)
        return exact_attempt(true.positions, true.visible, source, plate, plate_index, truth.background)
    matrix = (align_bgmv2 if method == BGMV2 else align_homography)(source, plate)
    return warp_attempt(matrix, source, plate, plate_index, truth.background)


def _homography_errors(scene: Scene, index: int, attempt: Attempt, truth: Truth) -> np.ndarray:
    if attempt.failed:
        return np.zeros(0)
    true = scene.plate_map(index, attempt.plate_index, _STEP)
    usable = true.visible & truth.background[::_STEP, ::_STEP]
    return homography_errors(attempt.homography, true.positions, usable, _STEP)


def _neighbours(scene: Scene, index: int) -> list[Neighbour]:
    """Neighbouring shot frames, the closest first, rendered on access."""
    others = sorted(range(len(scene.shot)), key=lambda other: abs(other - index))
    return [Neighbour(other, partial(scene.shot.__getitem__, other)) for other in others[1 : _NEIGHBOURS + 1]]
