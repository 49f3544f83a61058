"""The validation people and places that the suite's composites are made from."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from howard.data import PersonClip, Place, find_people, find_places
from howard.data.image_cache import ImageCache, open_places
from howard.data.sample_sources import SampleSources
from howard.errors import InputError

_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class ValidationSources:
    """People and places of the validation split, by collection.

    None of their images are used for training. Collections of photographs are split by photograph, so a person may
    occur in training in another photograph, with other clothes.
    """

    people: Mapping[str, Sequence[PersonClip]]
    places: Mapping[str, Sequence[Place]]

    @cached_property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of all names and file contents."""
        digest = hashlib.sha256()
        for name, path in sorted(self._files()):
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()[:_DIGEST_LENGTH]

    @property
    def counts(self) -> dict[str, str]:
        """A text per collection: its number of people, of places, or of views and rooms."""
        people = {name: f"{len(clips)} people" for name, clips in self.people.items()}
        return people | {name: _count_places(places) for name, places in self.places.items()}

    def decode_places(self) -> ImageCache:
        """The images of all places, (H, W, 3) uint8 RGB, decoded at the first call."""
        return self._place_images

    def weighted(self, weights: Mapping[str, float]) -> SampleSources:
        """Sources of a data set, with a sampling weight for each collection of people; 0 if it is left out."""
        sampling_weights = [weights.get(name, 0.0) for name in self.people]
        return SampleSources(list(self.people.values()), sampling_weights, self._place_images)

    @cached_property
    def _place_images(self) -> ImageCache:
        images = open_places([place for each in self.places.values() for place in each])
        images.fill()
        return images

    def _files(self) -> Iterator[tuple[str, Path]]:
        for collection, clips in self.people.items():
            for clip in clips:
                for kind, paths in (("fgr", clip.foreground), ("pha", clip.alpha)):
                    yield from ((f"{collection}/{clip.name}/{kind}/{path.name}", path) for path in paths)
        for collection, places in self.places.items():
            yield from ((f"{collection}/{place.name}", place.path) for place in places)


def find_validation_sources(root: Path, people: Sequence[str], places: Sequence[str]) -> ValidationSources:
    """List the validation split of collections.

    Args:
        root: folder of collections.
        people: names of collections of people below ``root``.
        places: names of collections of places below ``root``; of all licences, since no image is published.

    Raises:
        InputError: the folder or a collection is missing, or a validation split is empty.
    """
    if not root.is_dir():
        raise InputError(f"no data folder {root}; give one with root=FOLDER (see data/README.md)")
    return ValidationSources(
        {name: find_people(root / name, "val") for name in people},
        {name: find_places(root / name, "val") for name in places},
    )


def _count_places(places: Sequence[Place]) -> str:
    rooms = {place.name.rpartition("_")[0] for place in places if place.plate is not None}
    return f"{len(places)} views of {len(rooms)} rooms" if rooms else f"{len(places)} places"
