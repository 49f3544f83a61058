"""Figures on rendered scenes, whose truth is exact."""

import argparse
import gc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from benchmarks.aligning.harness import (
    BGMV2,
    EXACT,
    HOMOGRAPHY,
    METHODS,
    Case,
    Map,
    Row,
    plate_aligners,
    score_case,
    use_one_thread,
)
from benchmarks.aligning.scoring import Truth, homography_errors
from benchmarks.aligning.tables import Figures, figures, show_figures, show_groups
from benchmarks.scenes import KINDS, Kind, Scene, Size, Stock
from howard.align import Neighbour

HELD_OUT_SEED, TUNING_SEED = 9000, 1
PARALLAX = tuple(kind.name for kind in KINDS if kind.parallax)
_STEP = 8
_NEIGHBOURS = 6
_SCENES_OF_A_KIND = 2


class Task(NamedTuple):
    """One scene to be scored."""

    kind: Kind
    seed: int
    data: Path
    held_out: bool
    methods: tuple[str, ...]
    frames: int
    size: Size


def run(arguments: argparse.Namespace, console: Console) -> Figures:
    """Score the scenes of the command line, print the tables and return the figures."""
    tasks = list(scene_tasks(arguments))
    rows: list[Row] = []
    with ProcessPoolExecutor(arguments.jobs) as workers:
        for number, (task, found) in enumerate(zip(tasks, workers.map(score_scene, tasks), strict=True), 1):
            rows += found
            console.print(f"[dim]scene {number} of {len(tasks)}: {task.kind.name}, seed {task.seed}[/dim]")
    found = figures(rows, {"parallax": PARALLAX})
    about = "for tuning" if arguments.tuning else "held out from tuning"
    scored = {task.kind.name for task in tasks}
    for group in ("all", "parallax") if scored & set(PARALLAX) else ("all",):
        show_figures(found, group, f"{len(tasks)} rendered scenes {about}: {group}", console)
    show_groups(found, "wrong", "Wrong %, kind by kind", console)
    _show_verdict(found, console)
    return found


def score_scene(task: Task) -> list[Row]:
    """Score every aligner on the frames of one scene."""
    scene = open_scene(task)
    rows = []
    with plate_aligners(scene.plate, task.methods) as aligners:
        for index in chosen_frames(scene, task.frames):
            rows += score_case(scene_case(scene, index), scene.plate, aligners, task.methods)
    return rows


def open_scene(task: Task) -> Scene:
    """The scene of a task, its plate rendered, in a process that uses one thread."""
    use_one_thread()
    # Scenes and their clips refer to each other; without this the last scene's pictures would stay for long.
    gc.collect()
    scene = Scene(task.kind, task.seed, Stock(existing(task.data), task.held_out), task.size)
    for _ in scene.plate:
        # Rendered now, so that rendering is in nobody's time.
        pass
    return scene


def chosen_frames(scene: Scene, count: int) -> list[int]:
    """At most ``count`` of the scene's scored frames, evenly chosen."""
    places = np.linspace(0, len(scene.scored) - 1, min(count, len(scene.scored))).round().astype(int)
    return [scene.scored[place] for place in places]


def existing(folder: Path) -> Path | None:
    """The folder, or None where there is none."""
    return folder if folder.is_dir() else None


def scene_case(scene: Scene, index: int) -> Case:
    """Shot frame ``index`` of a scene, with all that is known of it."""
    truth = Truth(scene.clean(index), scene.alpha(index))

    def errors(matrix: np.ndarray, plate_index: int) -> np.ndarray:
        true = scene.plate_map(index, plate_index, _STEP)
        return homography_errors(matrix, true.positions, true.visible & truth.background[::_STEP, ::_STEP], _STEP)

    return Case(
        group=scene.kind.name,
        source=scene.shot[index],
        truth=truth,
        errors=errors,
        closest=scene.closest_plate(index),
        true_map=lambda plate_index: Map(*scene.plate_map(index, plate_index)),
        neighbours=_find_neighbours(scene, index),
    )


def _find_neighbours(scene: Scene, index: int) -> list[Neighbour]:
    """Shot frames about one, the nearest first, rendered when they are needed."""
    others = sorted(range(len(scene.shot)), key=lambda other: abs(other - index))
    return [Neighbour(other, partial(scene.shot.__getitem__, other)) for other in others[1 : _NEIGHBOURS + 1]]


def _show_verdict(found: Figures, console: Console) -> None:
    """The ratios that are asked for, and whether the scenes are hard enough to count."""
    if HOMOGRAPHY in found:
        everywhere, parallax = (found[HOMOGRAPHY][group]["wrong"] for group in ("all", "parallax"))
        if everywhere is not None and parallax is not None:
            console.print(
                f"a single homography leaves {everywhere:.1%} wrong over all scenes (they count at 7 to 11 %) "
                f"and {parallax:.1%} with parallax (at 17 % and more)"
            )
    best = found.get("best")
    for rival, column, group, limit in (
        (BGMV2, "wrong", "all", 0.35),
        (BGMV2, "behind", "all", 0.6),
        (HOMOGRAPHY, "wrong", "parallax", 0.5),
    ):
        if best and rival in found:
            ours, theirs = best[group][column], found[rival][group][column]
            if ours is not None and theirs:
                console.print(f"best / {rival}, {column}, {group}: {ours / theirs:.2f} (at most {limit})")
    if best:
        console.print(
            f"best: failures {best['all']['failed'] or 0:.1%} (at most 3 %), "
            f"uncovered {best['all']['uncovered'] or 0:.1%} (at most 1.5 %)"
        )


def scene_tasks(arguments: argparse.Namespace) -> Iterator[Task]:
    """The scenes that the command line asks for; kinds take turns."""
    kinds = [kind for kind in KINDS if not arguments.kind or kind.name in arguments.kind]
    first = arguments.seed if arguments.seed is not None else TUNING_SEED if arguments.tuning else HELD_OUT_SEED
    methods = tuple(arguments.method) if arguments.method else (*METHODS, EXACT)
    size = Size(arguments.width, round(arguments.width * 9 / 16))
    for number in range(arguments.scenes or _SCENES_OF_A_KIND * len(kinds)):
        kind, seed = kinds[number % len(kinds)], first + number // len(kinds)
        yield Task(kind, seed, arguments.data, not arguments.tuning, methods, arguments.frames, size)
