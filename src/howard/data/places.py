"""Collections of places: empty stills and clips, and true plate pairs, an empty place from two cameras."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.data.pictures import (
    PICTURES,
    VIDEOS,
    open_video,
    pictures_below,
    read_picture,
    read_video_frame,
    shrink,
)
from howard.data.splits import SPLITS, Split, read_split_lists, split_without_lists
from howard.errors import InputError

_MANIFEST = "manifest.csv"
_PICTURES_OF_A_CLIP = 4


class Place(NamedTuple):
    """A picture or a clip of a place; ``plate`` is the same place from the plate's camera, where there is one."""

    name: str
    path: Path
    plate: Path | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is a clip."""
        return self.path.suffix.lower() in VIDEOS

    @property
    def picture_count(self) -> int:
        """How many pictures :func:`read_place` gives."""
        return min(len(open_video(self.path)), _PICTURES_OF_A_CLIP) if self.is_video else 1


def read_place(place: Place, longest: int) -> list[np.ndarray]:
    """Decode a place, shrunk to a long side of ``longest`` pixels: (H, W, 3) uint8 RGB.

    Of a clip, four frames, evenly spread. Raises InputError where it cannot be read.
    """
    return [read_place_picture(place, index, longest) for index in range(place.picture_count)]


def read_place_picture(place: Place, index: int, longest: int) -> np.ndarray:
    """Picture ``index`` of those that :func:`read_place` gives."""
    if not place.is_video:
        return read_picture(place.path, longest=longest)
    frames = np.linspace(0, len(open_video(place.path)) - 1, place.picture_count)
    return shrink(read_video_frame(place.path, int(frames[index])), longest)


def find_places(folder: Path, split: Split, licences: tuple[str, ...] = ()) -> list[Place]:
    """Places of one side of a collection.

    Three layouts are known: ``manifest.csv`` with columns ``file`` (LICENCE/NAME) and ``split``; ``NAME_src.jpg``, and
    ``NAME_plate.jpg`` of a true pair; and a plain folder of pictures and videos, with others below it. The side of the
    latter two is found as for people: lists, folders called train, val or test, the name.

    Args:
        folder: where.
        split: which side; no place is ever on two.
        licences: keep only these licence folders of a manifest; empty keeps all.

    Raises:
        InputError: nothing is found, a listed file is not there, a place is listed twice, or half of a pair is missing.
    """
    found = [place for place, side in scan_places(folder, licences) if side == split]
    if not found:
        kept = f" under the licences {', '.join(licences)}" if licences and is_licensed(folder) else ""
        raise InputError(
            f"no pictures of places for {split} in {folder}{kept}: name some in {split}.txt, or see data/README.md for "
            "how they are laid out"
        )
    return found


def is_licensed(folder: Path) -> bool:
    """Whether the collection has a manifest, which says the licence of each place."""
    return (folder / _MANIFEST).is_file()


def licence_of(place: Place) -> str:
    """The licence folder of a place in a manifest."""
    return place.name.split("/")[0]


def scan_places(folder: Path, licences: tuple[str, ...] = ()) -> list[tuple[Place, Split]]:
    """Every place of a collection with the side of the split, by name; raises as :func:`find_places`."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give one that holds places")
    if is_licensed(folder):
        return _in_manifest(folder, licences)
    places = {place.name: place for place in _pictures(folder)}
    sides = read_split_lists(folder)
    if sides is None:
        names, paths = [_room(place) for place in places.values()], [Path(name) for name in places]
        return list(zip(places.values(), split_without_lists(names, paths), strict=True))
    absent = sorted(sides.keys() - places.keys())
    if absent:
        raise InputError(f"{folder}: {absent[0]} is listed in {sides[absent[0]]}.txt but its picture is not there")
    return [(places[name], side) for name, side in sides.items()]


def _room(place: Place) -> str:
    """What is on one side of the split together: pairs are called ROOM_VIEW, all views of a room are on one side."""
    room, _, _ = place.name.rpartition("_")
    return room if place.plate and room else place.name


def _in_manifest(folder: Path, licences: tuple[str, ...]) -> list[tuple[Place, Split]]:
    manifest = folder / _MANIFEST
    found: dict[str, tuple[Place, Split]] = {}
    with manifest.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name, split = row.get("file"), row.get("split")
            if not name or split not in SPLITS:
                raise InputError(
                    f"{manifest}: a row says file {name!r}, split {split!r}; the split is train, val or test"
                )
            if name in found:
                raise InputError(f"{manifest}: {name} is listed twice; keep each file once")
            if not (folder / name).is_file():
                raise InputError(f"{manifest}: {name} is not there")
            found[name] = (Place(name, folder / name), split)
    return [(place, split) for place, split in found.values() if not licences or licence_of(place) in licences]


def _pictures(folder: Path) -> list[Place]:
    files = pictures_below(folder, PICTURES | VIDEOS)
    sources = {path.stem.removesuffix("_src"): path for path in files if path.stem.endswith("_src")}
    if not sources:
        return [Place(path.relative_to(folder).as_posix(), path) for path in files]
    plates = {path.stem.removesuffix("_plate"): path for path in files if path.stem.endswith("_plate")}
    for name in sorted(sources.keys() ^ plates.keys()):
        if name in sources:
            raise InputError(f"{sources[name]} has no {name}_plate beside it")
        raise InputError(f"{plates[name]} has no {name}_src beside it")
    return [Place(name, path, plates[name]) for name, path in sorted(sources.items())]
