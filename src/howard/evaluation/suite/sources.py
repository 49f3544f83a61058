"""Validation people and validation places: all of what the suite's composites are made from."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from howard.data import PersonClip, Place, find_people, find_places
from howard.data.datasets import Pictures, open_places
from howard.data.place_pictures import PlacePictures
from howard.errors import InputError

_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Sources:
    """People and places of the validation split, by collection.

    Nobody and no place here is trained on: the lists of the collections see to that. Collections of photographs split
    by photograph, so that somebody may occur in training in another photograph, in other clothes.
    """

    people: Mapping[str, Sequence[PersonClip]]
    places: Mapping[str, Sequence[Place]]

    @cached_property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of a SHA-256 over all names and contents."""
        digest = hashlib.sha256()
        for name, path in sorted(self._files()):
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()[:_DIGEST_LENGTH]

    @property
    def counts(self) -> dict[str, str]:
        """How many people or places each collection gives; of rendered rooms, views and rooms."""
        people = {name: f"{len(clips)} people" for name, clips in self.people.items()}
        return people | {name: _count_places(places) for name, places in self.places.items()}

    def decode_places(self) -> PlacePictures:
        """The places, (H, W, 3) uint8 RGB, decoded when first asked for."""
        return self._pictures

    def weighted(self, weights: Mapping[str, float]) -> Pictures:
        """What a dataset samples from, with a sampling weight for each collection of people."""
        return Pictures(list(self.people.values()), [weights.get(name, 0.0) for name in self.people], self._pictures)

    @cached_property
    def _pictures(self) -> PlacePictures:
        pictures = open_places([place for each in self.places.values() for place in each])
        pictures.fill()
        return pictures

    def _files(self) -> Iterator[tuple[str, Path]]:
        for collection, clips in self.people.items():
            for clip in clips:
                for kind, paths in (("fgr", clip.foreground), ("pha", clip.alpha)):
                    yield from ((f"{collection}/{clip.name}/{kind}/{path.name}", path) for path in paths)
        for collection, places in self.places.items():
            yield from ((f"{collection}/{place.name}", place.path) for place in places)


def find_sources(root: Path, people: Sequence[str], places: Sequence[str]) -> Sources:
    """List the validation split of collections.

    Args:
        root: folder of collections.
        people: names of collections of people below it.
        places: names of collections of places; all licences, since no picture is passed on.

    Raises:
        InputError: the folder or a collection is missing or has nothing in its validation split.
    """
    if not root.is_dir():
        raise InputError(f"no data folder {root}; give one with root=FOLDER (see data/README.md)")
    return Sources(
        {name: find_people(root / name, "val") for name in people},
        {name: find_places(root / name, "val") for name in places},
    )


def _count_places(places: Sequence[Place]) -> str:
    rooms = {place.name.rpartition("_")[0] for place in places if place.plate is not None}
    return f"{len(places)} views of {len(rooms)} rooms" if rooms else f"{len(places)} places"
