"""Reads prepared pairs, which :mod:`howard.data.prepare` writes: aligned plate pairs, each with a person."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from howard.data.image_files import read_image
from howard.data.splits import Split, read_split_lists
from howard.errors import InputError

# File names of a pair's images: NAME_ENDING.
SOURCE = "src.jpg"
PLATE = "plate.jpg"
COVERAGE = "coverage.png"
FOREGROUND = "fgr.jpg"
ALPHA = "pha.png"
ENDINGS = (SOURCE, PLATE, COVERAGE, FOREGROUND, ALPHA)  # in the order of PairImages


class PairImages(NamedTuple):
    """Images of equal size, uint8: ``source``, ``plate``, ``foreground`` (H, W, 3), ``coverage``, ``alpha`` (H, W).

    ``source`` is the empty place without the person. The plate was aligned to the composite of both.
    """

    source: np.ndarray
    plate: np.ndarray
    coverage: np.ndarray
    foreground: np.ndarray
    alpha: np.ndarray


class PairSource(Protocol):
    """A prepared pair, from the files of a collection or from a pack."""

    def read(self) -> PairImages:
        """Decode the images. Callers must not modify them: they may be cached."""
        ...


class PreparedPair(NamedTuple):
    """One pair of a prepared collection."""

    name: str
    folder: Path

    def path(self, ending: str) -> Path:
        """File of one of the images, by its ending from :data:`ENDINGS`."""
        return self.folder / f"{self.name}_{ending}"

    def read(self) -> PairImages:
        """Decode the images; raises InputError if one is missing or they differ in size."""
        images = PairImages(*(read_image(self.path(ending), grey=ending in (COVERAGE, ALPHA)) for ending in ENDINGS))
        if len({image.shape[:2] for image in images}) != 1:
            raise InputError(f"the images of {self.path('*')} differ in size; prepare them again")
        return images


def find_pairs(folder: Path, split: Split) -> list[PreparedPair]:
    """The prepared pairs of one split; raises InputError if there are none."""
    splits = read_split_lists(folder) if folder.is_dir() else None
    found = [PreparedPair(name, folder) for name, each in (splits or {}).items() if each == split]
    if not found:
        raise InputError(f"no prepared pairs for {split} in {folder}; python -m howard.data prepare=... makes them")
    return found
