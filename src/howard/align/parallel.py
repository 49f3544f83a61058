"""Several source frames at a time."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import cv2

from howard.align.aligned import AlignedPlate
from howard.align.plate import PlateAligner
from howard.align.search import OwnFrames
from howard.align.store import Picture


class AlignTask(NamedTuple):
    """A source frame, its neighbours, and its place in a plate of its own clip; see `PlateAligner.align`.

    ``neighbours`` may be read when first needed, which then happens in a worker's thread.
    """

    source: Picture
    neighbours: Iterable[Picture] = ()
    own: OwnFrames | None = None


def align_many(aligner: PlateAligner, tasks: Iterable[AlignTask], *, workers: int) -> Generator[AlignedPlate]:
    """Align many frames side by side, ``workers`` at a time; the results come in order and as one by one.

    ``tasks`` are drawn in the caller's thread, as results are taken; ``workers`` and one of them are in memory.
    An error in a task is raised in its turn, and those after it are given up.

    Threads, because what takes long (OpenCV, matrix products) lets others run meanwhile. OpenCV's own threads stand
    still in between: a frame keeps one core busy, and more threads than cores would only get in each other's way.
    NumPy's own are the caller's to stop, which it only allows before it is loaded (OPENBLAS_NUM_THREADS=1).
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    threads = cv2.getNumThreads()
    pending: deque[Future[AlignedPlate]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="align")
    try:
        cv2.setNumThreads(1 if workers > 1 else threads)
        for task in tasks:
            pending.append(pool.submit(aligner.align, task.source, task.neighbours, task.own))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(threads)
