"""Rendering all composites that a store lacks, in several processes."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from howard.data.datasets import Item
from howard.evaluation.suite.rendering import Composite, Job, finish_item, prepare_item, render_composite
from howard.evaluation.suite.sources import Sources
from howard.evaluation.suite.store import CompositeStore
from howard.progress import Progress

_CPU = torch.device("cpu")


def fill_store(
    store: CompositeStore,
    wanted: Sequence[Job],
    sources: Sources,
    device: torch.device,
    workers: int,
    progress: Progress,
) -> None:
    """Render what is wanted and not yet there.

    Args:
        store: where composites are kept.
        wanted: composites, in this order.
        sources: what they are made from.
        device: where their layers are composited; on a CPU each worker does it.
        workers: processes; 0 renders in this one. They are forked, so OpenCV must be single-threaded.
        progress: told of every composite.

    Raises:
        InputError: a picture cannot be read. OutputError: a composite cannot be written.
    """
    missing = [job for job in wanted if not store.has(job)]
    if not missing:
        return
    progress.step("rendering", f"rendering {len(missing)} composites of the validation suite into {store.folder}")
    _ = sources.pictures  # decoded once, before the workers are forked
    work = _Work(missing, sources, is_whole=device.type == "cpu")
    loader = DataLoader(
        work,
        batch_size=None,
        num_workers=min(workers, len(missing)),
        collate_fn=_as_it_is,
        prefetch_factor=1 if workers else None,
    )
    for done, (job, made) in enumerate(zip(missing, loader, strict=True), start=1):
        store.add(job, made if isinstance(made, Composite) else finish_item(job, made, device))
        progress.advance(done, len(missing))


class _Work(Dataset[Composite | Item]):
    """Composites, or if not ``is_whole`` what they are rendered from."""

    def __init__(self, jobs: Sequence[Job], sources: Sources, is_whole: bool) -> None:
        self.jobs, self.sources, self.is_whole = jobs, sources, is_whole

    def __len__(self) -> int:
        return len(self.jobs)

    def __getitem__(self, index: int) -> Composite | Item:
        job = self.jobs[index]
        return render_composite(job, self.sources, _CPU) if self.is_whole else prepare_item(job, self.sources)


def _as_it_is(made: Any) -> Any:
    """Arrays stay arrays: tensors would go through shared memory, which may be small."""
    return made
