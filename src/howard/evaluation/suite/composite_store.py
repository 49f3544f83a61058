"""Caches rendered composites on disk, and renders those that are missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch.utils.data import DataLoader, Dataset

from howard.errors import InputError
from howard.evaluation.suite.rendering import Composite, CompositeId, render_composite
from howard.evaluation.suite.validation_sources import ValidationSources
from howard.media import write_atomically
from howard.media.files import make_folder
from howard.media.png_encoding import encode_png
from howard.progress import Progress

_SOURCE, _PLATE, _MASKS = "source.png", "plate.png", "masks.png"


class CompositeStore:
    """Composites in a folder, stored without loss as three PNG files per frame.

    Several programs may share a folder: files are written atomically, and a composite's last file is written last.

    Args:
        folder: for composites of one version of the suite and one set of sources only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, composite_id: CompositeId) -> bool:
        """Whether the composite is stored."""
        return self._path(composite_id, composite_id.kind.frames - 1, _MASKS).is_file()

    def add(self, composite_id: CompositeId, composite: Composite) -> None:
        """Store a composite; raises OutputError if it cannot be written."""
        make_folder(self._path(composite_id, 0, _MASKS).parent)
        source, plate, *planes = composite
        masks = np.stack(planes, axis=-1)
        for name, images in ((_SOURCE, source), (_PLATE, plate), (_MASKS, masks)):
            for index, image in enumerate(images):
                write_atomically(self._path(composite_id, index, name), encode_png(image))

    def read(self, composite_id: CompositeId) -> Composite:
        """Read a stored composite; raises InputError if one of its files cannot be read."""
        source, plate, masks = (
            np.stack([_decode(self._path(composite_id, index, name)) for index in range(composite_id.kind.frames)])
            for name in (_SOURCE, _PLATE, _MASKS)
        )
        return Composite(source, plate, *np.ascontiguousarray(np.moveaxis(masks, -1, 0)))

    def _path(self, composite_id: CompositeId, index: int, name: str) -> Path:
        phenomenon, kind, number = composite_id
        return self.folder / phenomenon.name / kind.name / f"{number:04d}_{index:02d}_{name}"


def _decode(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB or (H, W, 4) uint8 in the file's order of channels."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise InputError(f"{path} cannot be read; remove the folder {path.parent} to render it again")
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)


def fill_store(
    store: CompositeStore,
    wanted: Sequence[CompositeId],
    sources: ValidationSources,
    workers: int,
    progress: Progress,
) -> None:
    """Render and store the wanted composites that are missing.

    Args:
        store: where composites are stored.
        wanted: composites, in the order of rendering.
        sources: people and places that composites are made from.
        workers: processes; 0 renders in this one. They are forked, so OpenCV must be single-threaded.
        progress: called after each composite.

    Raises:
        InputError: an image cannot be read.
        OutputError: a composite cannot be written.
    """
    missing = [each for each in wanted if not store.has(each)]
    if not missing:
        return
    progress.step("rendering", f"rendering {len(missing)} composites of the validation suite into {store.folder}")
    sources.decode_places()  # once, before workers are forked
    loader = DataLoader(
        _RenderedComposites(missing, sources),
        batch_size=None,
        num_workers=min(workers, len(missing)),
        collate_fn=_identity,
        prefetch_factor=1 if workers else None,
    )
    for done, (composite_id, composite) in enumerate(zip(missing, loader, strict=True), start=1):
        store.add(composite_id, composite)
        progress.advance(done, len(missing))


class _RenderedComposites(Dataset[Composite]):
    """Renders composites by their position in a list."""

    def __init__(self, composites: Sequence[CompositeId], sources: ValidationSources) -> None:
        self.composites, self.sources = composites, sources

    def __len__(self) -> int:
        return len(self.composites)

    def __getitem__(self, index: int) -> Composite:
        return render_composite(self.composites[index], self.sources)


def _identity(composite: Any) -> Any:
    """Keeps arrays: the default would make tensors, which go through shared memory, and that may be small."""
    return composite
