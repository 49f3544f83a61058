"""Collections of places: images and videos without people, and plate pairs, two views of an empty place each."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.data.image_files import (
    MEDIA_SUFFIXES,
    VIDEO_SUFFIXES,
    downscale,
    find_files,
    open_video,
    read_image,
    read_video_frame,
)
from howard.data.splits import SPLITS, Split, read_split_lists, split_without_lists
from howard.errors import InputError

_MANIFEST = "manifest.csv"
_IMAGES_PER_VIDEO = 4


class Place(NamedTuple):
    """An image or a video of a place; ``plate`` is the place from the plate camera's view if it is a plate pair."""

    name: str
    path: Path
    plate: Path | None = None

    @property
    def is_video(self) -> bool:
        """Whether the file is a video."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES

    @property
    def image_count(self) -> int:
        """Number of images that samples use: 1, or up to four frames of a video."""
        return min(len(open_video(self.path)), _IMAGES_PER_VIDEO) if self.is_video else 1


def read_place(place: Place, longest: int) -> list[np.ndarray]:
    """Decode all images of a place, (H, W, 3) uint8 RGB, downscaled to a long side of at most ``longest`` pixels.

    Of a video, four evenly spaced frames. Raises InputError if the file cannot be read.
    """
    return [read_place_image(place, index, longest) for index in range(place.image_count)]


def read_place_image(place: Place, index: int, longest: int) -> np.ndarray:
    """Image ``index`` of :func:`read_place`."""
    if not place.is_video:
        return read_image(place.path, longest=longest)
    frames = np.linspace(0, len(open_video(place.path)) - 1, place.image_count)
    return downscale(read_video_frame(place.path, int(frames[index])), longest)


def find_places(folder: Path, split: Split, licences: tuple[str, ...] = ()) -> list[Place]:
    """The places of one split of a collection.

    Three layouts are supported: ``manifest.csv`` with columns ``file`` (LICENCE/NAME) and ``split``; plate pairs
    ``NAME_src.jpg`` and ``NAME_plate.jpg``; and a folder tree of images and videos. The split of the latter two is
    decided as for people: by lists, by folders named train, val or test, or by the name.

    Args:
        folder: the collection.
        split: which split.
        licences: keep only places of these licence folders of a manifest; empty keeps all.

    Raises:
        InputError: nothing is found, a listed file is missing or listed twice, or one image of a pair is missing.
    """
    found = [place for place, each in list_places(folder, licences) if each == split]
    if not found:
        kept = f" under the licences {', '.join(licences)}" if licences and has_manifest(folder) else ""
        raise InputError(
            f"no places for {split} in {folder}{kept}: name some in {split}.txt, or see data/README.md for the layout "
            "of a collection"
        )
    return found


def has_manifest(folder: Path) -> bool:
    """Whether the collection has a manifest, which gives the licence of each place."""
    return (folder / _MANIFEST).is_file()


def licence_folder(place: Place) -> str:
    """The licence folder of a place that is listed in a manifest."""
    return place.name.split("/")[0]


def list_places(folder: Path, licences: tuple[str, ...] = ()) -> list[tuple[Place, Split]]:
    """All places of a collection and their splits, in order; arguments and errors as for :func:`find_places`."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name a collection of places (data.places= in training)")
    if has_manifest(folder):
        return _places_in_manifest(folder, licences)
    places = {place.name: place for place in _places_in_folder(folder)}
    splits = read_split_lists(folder)
    if splits is None:
        names, paths = [_room(place) for place in places.values()], [Path(name) for name in places]
        return list(zip(places.values(), split_without_lists(names, paths), strict=True))
    absent = sorted(splits.keys() - places.keys())
    if absent:
        raise InputError(f"{folder}: {absent[0]} is listed in {splits[absent[0]]}.txt but its image is missing")
    return [(places[name], split) for name, split in splits.items()]


def _room(place: Place) -> str:
    """Plate pairs are named ROOM_VIEW: all views of a room belong to one split. Other places stand alone."""
    room, _, _ = place.name.rpartition("_")
    return room if place.plate and room else place.name


def _places_in_manifest(folder: Path, licences: tuple[str, ...]) -> list[tuple[Place, Split]]:
    manifest = folder / _MANIFEST
    found: dict[str, tuple[Place, Split]] = {}
    with manifest.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name, split = row.get("file"), row.get("split")
            if not name or split not in SPLITS:
                raise InputError(
                    f"{manifest}: a row has file {name!r}, split {split!r}; the split must be train, val or test"
                )
            if name in found:
                raise InputError(f"{manifest}: {name} is listed twice; keep each file once")
            if not (folder / name).is_file():
                raise InputError(f"{manifest}: {name} is missing")
            found[name] = (Place(name, folder / name), split)
    return [(place, split) for place, split in found.values() if not licences or licence_folder(place) in licences]


def _places_in_folder(folder: Path) -> list[Place]:
    files = find_files(folder, MEDIA_SUFFIXES)
    sources = {path.stem.removesuffix("_src"): path for path in files if path.stem.endswith("_src")}
    if not sources:
        return [Place(path.relative_to(folder).as_posix(), path) for path in files]
    plates = {path.stem.removesuffix("_plate"): path for path in files if path.stem.endswith("_plate")}
    for name in sorted(sources.keys() ^ plates.keys()):
        if name in sources:
            raise InputError(f"{sources[name]} has no {name}_plate next to it")
        raise InputError(f"{plates[name]} has no {name}_src next to it")
    return [Place(name, path, plates[name]) for name, path in sorted(sources.items())]
