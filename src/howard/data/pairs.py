"""True plate pairs with a person pasted in and the plate already aligned, as :mod:`howard.data.prepare` writes them."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from howard.data.pictures import read_picture
from howard.data.splits import Split, read_split_lists
from howard.errors import InputError

# What each picture of a pair is called: NAME_ENDING.
SOURCE, PLATE, COVERAGE, FOREGROUND, ALPHA = "src.jpg", "plate.jpg", "coverage.png", "fgr.jpg", "pha.png"
ENDINGS = (SOURCE, PLATE, COVERAGE, FOREGROUND, ALPHA)  # in the order of PairPictures


class PairPictures(NamedTuple):
    """Pictures of one size, uint8: ``source``, ``plate``, ``foreground`` (H, W, 3), ``coverage``, ``alpha`` (H, W).

    ``source`` is the empty place; the plate was aligned to it with the person in it.
    """

    source: np.ndarray
    plate: np.ndarray
    coverage: np.ndarray
    foreground: np.ndarray
    alpha: np.ndarray


class PairSource(Protocol):
    """A prepared pair as samples read one: from files of a collection, or from a pack."""

    def read(self) -> PairPictures:
        """Decode it; what it returns is not written to."""
        ...


class PreparedPair(NamedTuple):
    """One pair of a prepared collection."""

    name: str
    folder: Path

    def path(self, ending: str) -> Path:
        """Where one of its pictures is."""
        return self.folder / f"{self.name}_{ending}"

    def read(self) -> PairPictures:
        """Decode it; raises InputError where a picture is missing or its size is not the others'."""
        pictures = PairPictures(
            *(read_picture(self.path(ending), grey=ending in (COVERAGE, ALPHA)) for ending in ENDINGS)
        )
        if len({picture.shape[:2] for picture in pictures}) != 1:
            raise InputError(f"the pictures of {self.path('*')} are not of one size; prepare them again")
        return pictures


def find_pairs(folder: Path, split: Split) -> list[PreparedPair]:
    """The prepared pairs of one side; raises InputError where there are none."""
    sides = read_split_lists(folder) if folder.is_dir() else None
    found = [PreparedPair(name, folder) for name, side in (sides or {}).items() if side == split]
    if not found:
        raise InputError(f"no prepared pairs for {split} in {folder}; python -m howard.data prepare=... makes them")
    return found
