"""Rendering all composites that a store lacks, in several processes."""

from collections.abc import Sequence
from typing import Any

from torch.utils.data import DataLoader, Dataset

from howard.evaluation.suite.rendering import Composite, Job, render_composite
from howard.evaluation.suite.sources import Sources
from howard.evaluation.suite.store import CompositeStore
from howard.progress import Progress


def fill_store(
    store: CompositeStore, wanted: Sequence[Job], sources: Sources, workers: int, progress: Progress
) -> None:
    """Render what is wanted and not yet there.

    Args:
        store: where composites are kept.
        wanted: composites, in this order.
        sources: what they are made from.
        workers: processes; 0 renders in this one. They are forked, so OpenCV must be single-threaded.
        progress: told of every composite.

    Raises:
        InputError: a picture cannot be read. OutputError: a composite cannot be written.
    """
    missing = [job for job in wanted if not store.has(job)]
    if not missing:
        return
    progress.step("rendering", f"rendering {len(missing)} composites of the validation suite into {store.folder}")
    sources.decode_places()  # once, before the workers are forked
    loader = DataLoader(
        _Work(missing, sources),
        batch_size=None,
        num_workers=min(workers, len(missing)),
        collate_fn=_as_it_is,
        prefetch_factor=1 if workers else None,
    )
    for done, (job, composite) in enumerate(zip(missing, loader, strict=True), start=1):
        store.add(job, composite)
        progress.advance(done, len(missing))


class _Work(Dataset[Composite]):
    """The composites of some jobs, by position."""

    def __init__(self, jobs: Sequence[Job], sources: Sources) -> None:
        self.jobs, self.sources = jobs, sources

    def __len__(self) -> int:
        return len(self.jobs)

    def __getitem__(self, index: int) -> Composite:
        return render_composite(self.jobs[index], self.sources)


def _as_it_is(composite: Any) -> Any:
    """Arrays stay arrays: tensors would go through shared memory, which may be small."""
    return composite
