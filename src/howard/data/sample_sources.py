"""What samples are made of, listed from the folders of collections or from a pack."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.data.image_cache import ImageCache, open_places
from howard.data.pack.reading import Pack
from howard.data.people_collections import PersonSource, find_people
from howard.data.place_collections import Place, find_places
from howard.data.prepared_pairs import PairSource
from howard.data.splits import Split
from howard.errors import InputError


class SampleSources(NamedTuple):
    """People, places and prepared pairs of one split.

    Attributes:
        people: sets of people, one per collection.
        weights: sampling weight of each set.
        places: images (H, W, 3) uint8, read-only, all equally likely.
        pairs: prepared pairs.
        pair_probability: of a sample being made from a prepared pair instead of a place and people.
    """

    people: Sequence[Sequence[PersonSource]]
    weights: Sequence[float]
    places: Sequence[np.ndarray]
    pairs: Sequence[PairSource] = ()
    pair_probability: float = 0.0


def gather_sources(
    root: Path,
    split: Split,
    people: Sequence[str],
    weights: Sequence[float],
    places: Sequence[str],
    licences: Sequence[str],
    open_images: Callable[[Sequence[Place]], ImageCache] | None = None,
) -> SampleSources:
    """List the people and places of one split.

    Args:
        root: folder of collections.
        split: which split.
        people: names of collections of people below ``root``.
        weights: sampling weights of these.
        places: names of collections of places below ``root``.
        licences: as for :func:`howard.data.place_collections.find_places`.
        open_images: opens the images of places; :func:`howard.data.image_cache.open_places` if None.

    Raises:
        InputError: the folder or a collection is missing or empty.
    """
    if not root.is_dir():
        raise InputError(f"no data folder {root}; give one with data.root=FOLDER (see data/README.md)")
    sets = [find_people(root / name, split) for name in people]
    found = [each for name in places for each in find_places(root / name, split, tuple(licences))]
    return SampleSources(sets, weights, (open_images or open_places)(found))


def gather_packed_sources(
    pack: Pack,
    split: Split,
    people: Sequence[str],
    weights: Sequence[float],
    places: Sequence[str],
    licences: Sequence[str],
    prepared: Sequence[str],
    memory: float,
) -> SampleSources:
    """List everything of one split of a pack, and decode it into memory as far as it fits.

    Args:
        pack: contains the collections, under the last part of their names.
        split: which split.
        people: names of collections of people.
        weights: sampling weights of these.
        places: names of collections of places.
        licences: as for :meth:`Pack.places`.
        prepared: names of collections of prepared pairs.
        memory: bytes that decoded images may take, including those of other splits.

    Raises:
        InputError: a collection is missing or empty, or the pack is damaged.
    """
    names = [[Path(name).name for name in group] for group in (people, places, prepared)]
    sets = [pack.people(name, split) for name in names[0]]
    images = [image for name in names[1] for image in pack.places(name, split, licences)]
    pairs = [pair for name in names[2] for pair in pack.pairs(name, split)]
    # Places first: almost every sample uses one, and prepared pairs share them as sources.
    for name in (*names[1], *names[0], *names[2]):
        pack.preload(name, split, memory)
    # The pack itself caches what fits; this cache must not keep the images a second time.
    return SampleSources(sets, weights, ImageCache(images, memory=0), pairs)
