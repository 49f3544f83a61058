"""Folders of people and of places, as lists of files that belong to one split."""

import csv
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np

from howard.errors import InputError
from howard.synthesis import Person

Split = Literal["train", "val"]


class PersonFiles(NamedTuple):
    """One person: a colour picture and its alpha, of the same size."""

    foreground: Path
    alpha: Path

    def read(self) -> Person:
        """Decode: foreground HxWx3 uint8 RGB, alpha HxW uint8.

        Raises:
            InputError: a file is missing, unreadable, or the sizes differ.
        """
        foreground, alpha = read_picture(self.foreground), read_picture(self.alpha, grey=True)
        if foreground.shape[:2] != alpha.shape:
            raise InputError(f"{self.foreground} is {foreground.shape[:2]} but {self.alpha} is {alpha.shape}")
        return Person(foreground, alpha)


def find_people(folder: Path, split: Split) -> list[PersonFiles]:
    """People of a folder that holds ``ID_fgr.jpg``, ``ID_pha.png`` and the split lists ``train.txt`` and ``val.txt``.

    Raises:
        InputError: the folder or its split list is missing, or the list is empty.
    """
    return [PersonFiles(folder / f"{each}_fgr.jpg", folder / f"{each}_pha.png") for each in _read_list(folder, split)]


def find_places(folder: Path, split: Split, licences: tuple[str, ...] = ()) -> list[Path]:
    """Pictures of places in a folder.

    Three layouts are known: ``manifest.csv`` with columns ``file`` (LICENCE/NAME) and ``split``; split lists with
    ``ID_src.jpg``; and a plain folder of pictures, all for training.

    Args:
        folder: where.
        split: which side; no place is ever on both.
        licences: keep only these licence folders of a manifest; empty keeps all.

    Raises:
        InputError: nothing is found.
    """
    manifest = folder / "manifest.csv"
    if manifest.is_file():
        with manifest.open(newline="") as file:
            rows = [row["file"] for row in csv.DictReader(file) if row["split"] == split]
        found = [folder / name for name in rows if not licences or name.split("/")[0] in licences]
    elif (folder / f"{split}.txt").is_file():
        found = [folder / f"{each}_src.jpg" for each in _read_list(folder, split)]
    else:
        found = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not found:
        raise InputError(f"no pictures of places for {split} in {folder}")
    return found


def read_picture(path: Path, grey: bool = False, longest: int | None = None) -> np.ndarray:
    """Decode a picture: HxWx3 uint8 RGB, or HxW uint8 if grey; shrunk until its long side is at most ``longest``.

    Raises:
        InputError: missing or unreadable.
    """
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"cannot read the picture {path}; is it there, and whole?")
    if longest is not None and max(image.shape) > longest:
        scale = longest / max(image.shape)
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return image


def _read_list(folder: Path, split: Split) -> list[str]:
    path = folder / f"{split}.txt"
    if not path.is_file():
        raise InputError(f"{folder} has no {path.name}: one id a line, see data/README.md")
    names = path.read_text().split()
    if not names:
        raise InputError(f"{path} is empty: list one id a line")
    return names
