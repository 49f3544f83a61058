"""Composites on disk, rendered once: three PNG files a frame."""

from pathlib import Path

import cv2
import numpy as np

from howard.errors import InputError
from howard.evaluation.suite.rendering import Composite, Job
from howard.media import write_whole
from howard.media.files import make_folder
from howard.media.png import encode_png

_SOURCE, _PLATE, _MASKS = "source.png", "plate.png", "masks.png"


class CompositeStore:
    """Composites in a folder, exact to the bit.

    Several programs may share a folder: a file appears whole or not at all, and a composite's last file says that all
    are there.

    Args:
        folder: of this version of the suite made from these very sources, and of nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, job: Job) -> bool:
        """Whether the composite is there."""
        return self._path(job, job.kind.frames - 1, _MASKS).is_file()

    def add(self, job: Job, composite: Composite) -> None:
        """Keep a composite; raises OutputError where it cannot be written."""
        make_folder(self._path(job, 0, _MASKS).parent)
        source, plate, *planes = composite
        masks = np.stack(planes, axis=-1)
        for name, images in ((_SOURCE, source), (_PLATE, plate), (_MASKS, masks)):
            for index, image in enumerate(images):
                write_whole(self._path(job, index, name), encode_png(image))

    def read(self, job: Job) -> Composite:
        """A composite that is there; raises InputError where a file of it cannot be read."""
        source, plate, masks = (
            np.stack([_decode(self._path(job, index, name)) for index in range(job.kind.frames)])
            for name in (_SOURCE, _PLATE, _MASKS)
        )
        return Composite(source, plate, *np.ascontiguousarray(np.moveaxis(masks, -1, 0)))

    def _path(self, job: Job, index: int, name: str) -> Path:
        return self.folder / job.phenomenon.name / job.kind.name / f"{job.number:04d}_{index:02d}_{name}"


def _decode(path: Path) -> np.ndarray:
    """(H, W, 3 or 4) uint8 in the file's order of channels."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise InputError(f"{path} cannot be read; remove the folder {path.parent}, and it is rendered again")
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)
