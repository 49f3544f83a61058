"""Time to align a 1080p frame, as a ratio to one detection of SIFT keypoints in the same run."""

import argparse
from collections.abc import Callable
from functools import partial

from rich.console import Console

from benchmarks.aligning.methods import QUALITIES, root_sift
from benchmarks.aligning.scene_scores import TEST_SEED, existing, plate_aligners
from benchmarks.measuring import Time, median_ms, median_ratio, print_table, time_once, use_one_thread
from benchmarks.scenes import KINDS, Scene, Stock

_KIND = "mild parallax"
_UNIT = "RootSIFT 2k"


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, float]]:
    """Time every quality and the unit in turn on one thread, with cached plate features; print and return medians."""
    use_one_thread()
    kind = next(kind for kind in KINDS if kind.name == _KIND)
    scene = Scene(kind, TEST_SEED, Stock(existing(arguments.data), is_test=True))
    times: dict[str, list[Time]] = {name: [] for name in (_UNIT, *QUALITIES)}
    with plate_aligners(scene.plate, QUALITIES) as aligners:
        for aligner in aligners.values():
            for index in scene.scored:
                aligner.align(scene.shot[index])
        for number in range(arguments.rounds):
            frame = scene.shot[scene.scored[number % len(scene.scored)]]
            runs: dict[str, Callable[[], object]] = {_UNIT: partial(root_sift, frame.image)}
            runs |= {name: partial(aligner.align, frame) for name, aligner in aligners.items()}
            for name, work in runs.items():
                times[name].append(time_once(work))
    found = {
        name: {
            f"{clock}_{kind}": measure
            for clock in Time._fields
            for kind, measure in (("ms", median_ms(each, clock)), ("ratio", median_ratio(each, times[_UNIT], clock)))
        }
        for name, each in times.items()
    }
    headings = ("", "wall ms", "ratio", "cpu ms", "ratio")
    title = f"Aligning a 1080p frame, one thread, medians of {arguments.rounds} alternating rounds"
    print_table(title, headings, ([name, *figures.values()] for name, figures in found.items()), console)
    return found
