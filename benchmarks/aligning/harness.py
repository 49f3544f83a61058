"""One source frame with its plate and its truth, and every aligner's score on it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np
import torch

from benchmarks.aligning.methods import (
    QUALITIES,
    Attempt,
    Plate,
    align_bgmv2,
    align_homography,
    align_howard,
    exact_attempt,
    warp_attempt,
)
from benchmarks.aligning.scoring import Score, Truth, remaining_errors, score
from howard.align import Neighbour, PlateAligner
from howard.media import Frame

EXACT, BGMV2, HOMOGRAPHY = "exact map", "bgmv2", "homography"
METHODS = (*QUALITIES, HOMOGRAPHY, BGMV2)


class Map(NamedTuple):
    """``positions`` (H, W, 2), for each source pixel the plate pixel of the same thing; ``visible`` (H, W) bool."""

    positions: np.ndarray
    visible: np.ndarray


class Case(NamedTuple):
    """A source frame to align. ``group`` is what its figures are averaged with.

    ``closest`` is the plate frame given to the single homography, ours where None. ``errors`` gives what is known of
    a homography's errors, (N,) in source pixels; ``true_map`` the exact map to a plate frame, where there is one.
    ``neighbours`` are source frames before and after, the nearest first.
    """

    group: str
    source: Frame
    truth: Truth
    errors: Callable[[np.ndarray, int], np.ndarray]
    closest: int | None = None
    true_map: Callable[[int], Map] | None = None
    neighbours: Sequence[Neighbour] = ()


class Row(NamedTuple):
    """One aligner's score on one case."""

    group: str
    method: str
    score: Score


def unknown_errors(matrix: np.ndarray, plate_index: int) -> np.ndarray:
    """For cases without true geometry."""
    return np.zeros(0)


def use_one_thread() -> None:
    """What a core does is measured, not what a machine does."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


@contextmanager
def plate_aligners(plate: Plate, methods: Sequence[str]) -> Iterator[dict[str, PlateAligner]]:
    """Our aligners among ``methods``, by quality; they share what they find in the plate."""
    with TemporaryDirectory() as folder:
        yield {name: PlateAligner(plate, quality=name, cache=Path(folder)) for name in QUALITIES if name in methods}


def score_case(case: Case, plate: Plate, aligners: dict[str, PlateAligner], methods: Sequence[str]) -> Iterator[Row]:
    """Score ``methods`` on a case; rivals without a plate frame of their own get that of our best quality."""
    ours = case.closest or 0
    for name, aligner in aligners.items():
        started = _Clock()
        attempt = align_howard(aligner, case.source, case.neighbours)
        yield _row(case, name, attempt, started)
        ours = attempt.plate_index if attempt.plate_index >= 0 else ours
    for name in (name for name in methods if name not in aligners):
        index = ours if case.closest is None or name == BGMV2 else case.closest
        started = _Clock()
        attempt = _rival(name, case, plate[index].image, index)
        yield _row(case, name, attempt, started)


class _Clock:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return {"wall_ms": 1000 * wall, "cpu_ms": 1000 * cpu}


def _rival(name: str, case: Case, plate: np.ndarray, index: int) -> Attempt:
    background = case.truth.background
    if name == EXACT:
        assert case.true_map is not None
        return exact_attempt(*case.true_map(index), case.source.image, plate, index, background)
    matrix = (align_bgmv2 if name == BGMV2 else align_homography)(case.source.image, plate)
    return warp_attempt(matrix, case.source.image, plate, index, background)


def _row(case: Case, name: str, attempt: Attempt, clock: _Clock) -> Row:
    times = clock.read()
    known = name != EXACT and not attempt.failed
    errors = case.errors(attempt.homography, attempt.plate_index) if known else np.zeros(0)
    left = remaining_errors(attempt.image, case.truth.clean, attempt.covered & case.truth.background)
    return Row(case.group, name, score(attempt, case.truth, errors, left)._replace(**times))
