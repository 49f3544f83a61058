"""Composites on disk, rendered once: three PNG files a frame."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from howard.errors import InputError
from howard.evaluation.suite.frozen_recipe import Kind, Phenomenon
from howard.evaluation.suite.rendering import Composite
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
        render: makes a composite that is missing, of a phenomenon, a kind and a number.
    """

    def __init__(self, folder: Path, render: Callable[[Phenomenon, Kind, int], Composite]) -> None:
        self.folder = folder
        self._render = render

    def has(self, phenomenon: Phenomenon, kind: Kind, number: int) -> bool:
        """Whether the composite is there."""
        return self._path(phenomenon, kind, number, kind.frames - 1, _MASKS).is_file()

    def add(self, phenomenon: Phenomenon, kind: Kind, number: int) -> None:
        """Render a composite and keep it; raises OutputError where it cannot be written."""
        make_folder(self._path(phenomenon, kind, number, 0, _MASKS).parent)
        source, plate, *planes = self._render(phenomenon, kind, number)
        masks = np.stack(planes, axis=-1)
        for name, images in ((_SOURCE, source), (_PLATE, plate), (_MASKS, masks)):
            for index, image in enumerate(images):
                write_whole(self._path(phenomenon, kind, number, index, name), encode_png(image))

    def read(self, phenomenon: Phenomenon, kind: Kind, number: int) -> Composite:
        """A composite that is there; raises InputError where a file of it cannot be read."""
        source, plate, masks = (
            np.stack([_decode(self._path(phenomenon, kind, number, index, name)) for index in range(kind.frames)])
            for name in (_SOURCE, _PLATE, _MASKS)
        )
        return Composite(source, plate, *np.ascontiguousarray(np.moveaxis(masks, -1, 0)))

    def _path(self, phenomenon: Phenomenon, kind: Kind, number: int, index: int, name: str) -> Path:
        return self.folder / phenomenon.name / kind.name / f"{number:04d}_{index:02d}_{name}"


def _decode(path: Path) -> np.ndarray:
    """(H, W, 3 or 4) uint8 in the file's order of channels."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise InputError(f"{path} cannot be read; remove the folder {path.parent}, and it is rendered again")
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)
