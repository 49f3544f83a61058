"""Timing of alternatives in one run, and tables: what the benchmarks share."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample"
PUBLIC_CLIPS = ROOT / "data" / "bench_public"
MOVING_CLIPS = ROOT / "data" / "bench_v2"
# Data sets that do not come with the repository, which `--data` of several benchmarks names.
DATA = ROOT.parent / "shared" / "data"
_FILE_WIDTH = 140
Name = TypeVar("Name")


class Time(NamedTuple):
    """Milliseconds of a piece of work: elapsed, and of the processor in all threads of the process."""

    wall: float
    cpu: float


def use_one_thread() -> None:
    """Measure what a core does, not what a machine does."""
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def time_once(work: Callable[[], object]) -> Time:
    """Run some work once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Time(1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu))


def alternate(runs: Mapping[Name, Callable[[], object]], rounds: int) -> dict[Name, list[Time]]:
    """Time each run once in every round, so that a busy machine slows all of them alike.

    A round before the first one warms up and is not among the results.
    """
    times: dict[Name, list[Time]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            times[name].append(time_once(run))
    return {name: each[1:] for name, each in times.items()}


def median_ms(times: Sequence[Time], clock: str = "cpu") -> float:
    """Median milliseconds of the processor, or elapsed where ``clock`` is "wall"."""
    return float(np.median([getattr(each, clock) for each in times]))


def median_ratio(times: Sequence[Time], reference: Sequence[Time], clock: str = "cpu") -> float:
    """Median over rounds of the ratio to the reference of the same round."""
    own, other = ([getattr(each, clock) for each in series[: len(times)]] for series in (times, reference))
    return float(np.median(np.divide(own, other)))


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[object]], console: Console | None = None
) -> None:
    """Print a table: the first column aligned to the left, the others to the right, floats with two decimals."""
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=number > 0)
    for row in rows:
        table.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    (console or wide_console()).print(table)


def wide_console() -> Console:
    """The terminal; output into a file is not cut to 80 columns."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)
