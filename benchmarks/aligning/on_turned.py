"""Whether portrait footage aligns as well as landscape: rendered scenes, and the same pixels turned by 90 degrees.

What is left wrong may differ only by what depends on the direction of rows and columns inside feature detectors and
flow; a threshold that scales with the width instead of the long side shows as a ratio above 1.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.aligning.harness import plate_aligners
from benchmarks.aligning.methods import QUALITIES, align_howard
from benchmarks.aligning.on_scenes import Task, chosen_frames, open_scene, scene_tasks
from benchmarks.aligning.scoring import Score, Truth, remaining_errors, score
from benchmarks.scenes import MemoryClip
from howard.align import PlateAligner
from howard.media import Frame

# The ratio, turned over upright, that no kind of scene may exceed.
MOST_RATIO = 1.1
# Shares below this are alike: of a million background pixels, a thousand.
LEAST_WRONG = 1e-3
_COMPARED = ("wrong", "behind", "px")


class Pair(NamedTuple):
    """Scores of one frame of a kind of scene by one quality, as filmed and turned by 90 degrees."""

    kind: str
    quality: str
    upright: Score
    turned: Score


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, dict[str, float]]]:
    """Score the scenes of the command line both ways, print the paired ratios and return them."""
    chosen = arguments.method or ["standard"]
    tasks = [task._replace(methods=tuple(chosen)) for task in scene_tasks(arguments)]
    pairs: list[Pair] = []
    with ProcessPoolExecutor(arguments.jobs) as workers:
        for number, found in enumerate(workers.map(score_turned, tasks), 1):
            pairs += found
            console.print(f"[dim]scene {number} of {len(tasks)}: {tasks[number - 1].kind.name}[/dim]")
    found = {quality: compare_pairs(pairs, quality) for quality in chosen if quality in QUALITIES}
    for quality, kinds in found.items():
        _show(kinds, f"{quality}: scenes turned by 90 degrees, over the same upright", console)
    return found


def score_turned(task: Task) -> list[Pair]:
    """Align the frames of a scene as they are and turned, and score both against the truth."""
    scene = open_scene(task)
    turned_plate = MemoryClip.of("turned", [turn(frame.image) for frame in scene.plate], scene.plate.info.frame_rate)
    pairs = []
    with plate_aligners(scene.plate, task.methods) as upright, plate_aligners(turned_plate, task.methods) as turned:
        for index in chosen_frames(scene, task.frames):
            source, truth = scene.shot[index], Truth(scene.clean(index), scene.alpha(index))
            turned_truth = Truth(turn(truth.clean), turn(truth.alpha))
            for quality, aligner in upright.items():
                pairs.append(
                    Pair(
                        task.kind.name,
                        quality,
                        _score(aligner, source, truth),
                        _score(turned[quality], source._replace(image=turn(source.image)), turned_truth),
                    )
                )
    return pairs


def turn(image: np.ndarray) -> np.ndarray:
    """A picture turned by 90 degrees, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(image))


def compare_pairs(pairs: list[Pair], quality: str) -> dict[str, dict[str, float]]:
    """Means of both ways and their ratio, "wrong", "wrong turned", "wrong ratio" and so on, of each kind and of all.

    A failed frame counts as wholly wrong. Means below `LEAST_WRONG`, in pixels below a twentieth, count as that.
    """
    kinds = dict.fromkeys(pair.kind for pair in pairs)
    found = {}
    for kind in (*kinds, "all"):
        chosen = [pair for pair in pairs if pair.quality == quality and kind in (pair.kind, "all")]
        figures: dict[str, float] = {}
        for column in _COMPARED:
            before = _mean([pair.upright for pair in chosen], column)
            after = _mean([pair.turned for pair in chosen], column)
            least = 0.05 if column == "px" else LEAST_WRONG
            figures |= {column: before, f"{column} turned": after}
            figures[f"{column} ratio"] = max(after, least) / max(before, least)
        figures["failed"] = float(np.mean([pair.upright.failed for pair in chosen]))
        figures["failed turned"] = float(np.mean([pair.turned.failed for pair in chosen]))
        found[kind] = {name: round(value, 5) for name, value in figures.items()}
    return found


def _score(aligner: PlateAligner, source: Frame, truth: Truth) -> Score:
    attempt = align_howard(aligner, source)
    left = remaining_errors(attempt.image, truth.clean, attempt.covered & truth.background)
    return score(attempt, truth, np.zeros(0), left)


def _mean(scores: list[Score], column: str) -> float:
    known = np.array([1.0 if each.failed and column != "px" else getattr(each, column) for each in scores])
    return float(np.nanmean(known)) if not np.isnan(known).all() else float("nan")


def _show(kinds: dict[str, dict[str, float]], title: str, console: Console) -> None:
    table = Table(title=title, title_justify="left")
    headings = (
        "",
        "wrong %",
        "turned",
        "ratio",
        "behind %",
        "turned",
        "ratio",
        "px",
        "turned",
        "ratio",
        "failed %",
        "",
    )
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for kind, figures in kinds.items():
        cells = []
        for column in _COMPARED:
            scale, digits = (1, 2) if column == "px" else (100, 2)
            cells += [f"{scale * figures[name]:.{digits}f}" for name in (column, f"{column} turned")]
            cells.append(f"{figures[f'{column} ratio']:.3f}")
        failed = [f"{100 * figures[name]:.0f}" for name in ("failed", "failed turned")]
        table.add_row(kind, *cells, *failed)
    console.print(table)
    worst = max((kind for kind in kinds if kind != "all"), key=lambda kind: kinds[kind]["wrong ratio"])
    console.print(f"worst: {worst}, {kinds[worst]['wrong ratio']:.3f} of what is wrong upright (at most {MOST_RATIO})")
