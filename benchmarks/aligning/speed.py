"""What aligning one 1080p frame costs, as a ratio to one detection of keypoints in the same run."""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.aligning.harness import plate_aligners, use_one_thread
from benchmarks.aligning.methods import QUALITIES, root_sift
from benchmarks.aligning.on_scenes import HELD_OUT_SEED, existing
from benchmarks.scenes import KINDS, Scene, Stock

_KIND = "mild parallax"
_ROUNDS = 7
_LIMITS = {"fast": 1.5, "standard": 4.0, "best": 9.0}
_UNIT = "RootSIFT 2k"


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, float]]:
    """Time each quality and the unit in turn, the plate's features cached, one thread; print and return medians."""
    use_one_thread()
    kind = next(kind for kind in KINDS if kind.name == _KIND)
    scene = Scene(kind, HELD_OUT_SEED, Stock(existing(arguments.data), held_out=True))
    with plate_aligners(scene.plate, QUALITIES) as aligners:
        for aligner in aligners.values():
            for index in scene.scored:
                aligner.align(scene.shot[index])
        times: dict[str, list[float]] = {name: [] for name in (_UNIT, *QUALITIES)}
        for number in range(_ROUNDS):
            frame = scene.shot[scene.scored[number % len(scene.scored)]]
            times[_UNIT].append(_seconds(partial(root_sift, frame.image)))
            for name, aligner in aligners.items():
                times[name].append(_seconds(partial(aligner.align, frame)))
    unit = np.array(times[_UNIT])
    table = Table(title=f"Aligning a 1080p frame, one thread, medians of {_ROUNDS} alternating rounds")
    for heading in ("", "cpu ms", "ratio", "at most"):
        table.add_column(heading, justify="right" if heading else "left")
    found = {}
    for name, seconds in times.items():
        ratio = float(np.median(np.array(seconds) / unit))
        found[name] = {"cpu_ms": 1000 * float(np.median(seconds)), "ratio": ratio}
        table.add_row(name, f"{found[name]['cpu_ms']:.0f}", f"{ratio:.2f}", f"{_LIMITS.get(name, '')}")
    console.print(table)
    return found


def _seconds(work: Callable[[], object]) -> float:
    """Processor time, which a busy machine does not stretch much."""
    started = time.process_time()
    work()
    return time.process_time() - started
