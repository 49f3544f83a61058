"""Whether portrait footage aligns as well as landscape: rendered scenes, and the same pixels turned by 90 degrees.

Random samples of matches differ with every turn, also by 180 degrees, which leaves width and height alone; so scenes
turned by 0 and 180 degrees are compared with the same turned by 90 and 270.
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

# The ratio, portrait over landscape, that no kind of scene may exceed.
MOST_RATIO = 1.1
# Figures below these are alike: shares of the picture, and pixels.
LEAST_WRONG = 1e-3
LEAST_PX = 0.05
TURNS = range(4)
_COMPARED = ("wrong", "behind", "px")


class TurnedScore(NamedTuple):
    """The score of one frame of a kind of scene by one quality, turned by ``turns`` quarter turns."""

    kind: str
    quality: str
    turns: int
    score: Score

    @property
    def is_portrait(self) -> bool:
        """Whether the picture is higher than wide; scenes are landscape."""
        return self.turns % 2 == 1


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, dict[str, float]]]:
    """Score the scenes of the command line both ways, print the paired ratios and return them."""
    chosen = arguments.method or ["standard"]
    tasks = [task._replace(methods=tuple(chosen)) for task in scene_tasks(arguments)]
    scores: list[TurnedScore] = []
    with ProcessPoolExecutor(arguments.jobs) as workers:
        for number, found in enumerate(workers.map(score_turned, tasks), 1):
            scores += found
            console.print(f"[dim]scene {number} of {len(tasks)}: {tasks[number - 1].kind.name}[/dim]")
    found = {quality: compare_turns(scores, quality) for quality in chosen if quality in QUALITIES}
    for quality, kinds in found.items():
        _show(kinds, f"{quality}: the same scenes in landscape and turned to portrait", console)
    return found


def score_turned(task: Task) -> list[TurnedScore]:
    """Align the frames of a scene in all four directions, and score them against the truth."""
    scene = open_scene(task)
    frames = chosen_frames(scene, task.frames)
    scores = []
    for turns in TURNS:
        plate = MemoryClip.of("turned", [turn(frame.image, turns) for frame in scene.plate])
        with plate_aligners(plate, task.methods) as aligners:
            for index in frames:
                source = scene.shot[index]._replace(image=turn(scene.shot[index].image, turns))
                truth = Truth(turn(scene.clean(index), turns), turn(scene.alpha(index), turns))
                for quality, aligner in aligners.items():
                    scores.append(TurnedScore(task.kind.name, quality, turns, _score(aligner, source, truth)))
    return scores


def turn(image: np.ndarray, turns: int) -> np.ndarray:
    """A picture turned by quarter turns, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(image, turns))


def compare_turns(scores: list[TurnedScore], quality: str) -> dict[str, dict[str, float]]:
    """Means of both ways and their ratio, "wrong", "wrong turned", "wrong ratio" and so on, of each kind and of all.

    A frame that failed counts as wholly wrong. Means below `LEAST_WRONG` and `LEAST_PX` count as these.
    """
    found = {}
    for kind in (*dict.fromkeys(each.kind for each in scores), "all"):
        chosen = [each for each in scores if each.quality == quality and kind in (each.kind, "all")]
        landscape = [each.score for each in chosen if not each.is_portrait]
        portrait = [each.score for each in chosen if each.is_portrait]
        figures: dict[str, float] = {}
        for column in _COMPARED:
            before, after = _mean(landscape, column), _mean(portrait, column)
            least = LEAST_PX if column == "px" else LEAST_WRONG
            figures |= {column: before, f"{column} turned": after}
            figures[f"{column} ratio"] = max(after, least) / max(before, least)
        figures["failed"] = float(np.mean([each.failed for each in landscape]))
        figures["failed turned"] = float(np.mean([each.failed for each in portrait]))
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
    console.print(
        f"worst: {worst}, {kinds[worst]['wrong ratio']:.3f} of what is wrong in landscape (at most {MOST_RATIO})"
    )
