"""What aligning one 1080p frame costs, as a ratio to one detection of keypoints in the same run."""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.aligning.harness import plate_aligners, use_one_thread
from benchmarks.aligning.methods import QUALITIES, root_sift
from benchmarks.aligning.on_scenes import HELD_OUT_SEED, existing
from benchmarks.scenes import KINDS, Scene, Stock

_KIND = "mild parallax"
_LIMITS = {"fast": 1.5, "standard": 4.0, "best": 9.0}
_UNIT = "RootSIFT 2k"
# What is shown of each, and with how many digits.
_COLUMNS = {"cpu_ms": 0, "cpu_ratio": 2, "wall_ms": 0, "wall_ratio": 2}


class Seconds(NamedTuple):
    """What a piece of work took: by the clock, and of the processor."""

    wall: float
    cpu: float


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, float]]:
    """Time each quality and the unit in turn, the plate's features cached, one thread; print and return medians."""
    use_one_thread()
    kind = next(kind for kind in KINDS if kind.name == _KIND)
    scene = Scene(kind, HELD_OUT_SEED, Stock(existing(arguments.data), held_out=True))
    times: dict[str, list[Seconds]] = {name: [] for name in (_UNIT, *QUALITIES)}
    with plate_aligners(scene.plate, QUALITIES) as aligners:
        for aligner in aligners.values():
            for index in scene.scored:
                aligner.align(scene.shot[index])
        for number in range(arguments.rounds):
            frame = scene.shot[scene.scored[number % len(scene.scored)]]
            times[_UNIT].append(_measure(partial(root_sift, frame.image)))
            for name, aligner in aligners.items():
                times[name].append(_measure(partial(aligner.align, frame)))
    found = {name: _figures(times[name], times[_UNIT]) for name in times}
    table = Table(title=f"Aligning a 1080p frame, one thread, medians of {arguments.rounds} alternating rounds")
    for heading in ("", "cpu ms", "ratio", "wall ms", "ratio", "at most"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, figures in found.items():
        cells = (f"{figures[column]:.{digits}f}" for column, digits in _COLUMNS.items())
        table.add_row(name, *cells, f"{_LIMITS.get(name, '')}")
    console.print(table)
    return found


def _figures(seconds: list[Seconds], unit: list[Seconds]) -> dict[str, float]:
    """Milliseconds, and the median of the rounds' ratios to the unit timed beside each."""
    figures = {}
    for clock in Seconds._fields:
        own, reference = (np.array([getattr(each, clock) for each in times]) for times in (seconds, unit))
        figures[f"{clock}_ms"] = 1000 * float(np.median(own))
        figures[f"{clock}_ratio"] = float(np.median(own / reference))
    return figures


def _measure(work: Callable[[], object]) -> Seconds:
    """Processor time is what a busy machine stretches least; on an idle one the two are alike."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - wall, time.process_time() - cpu)
