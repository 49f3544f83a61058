"""What samples are made of, from a pack: the counterpart of :func:`howard.data.datasets.gather_pictures`."""

from collections.abc import Sequence
from pathlib import Path

from howard.data.datasets import Pictures
from howard.data.pack.reading import Pack
from howard.data.place_pictures import PlacePictures
from howard.data.splits import Split


def gather_packed(
    pack: Pack,
    split: Split,
    people: Sequence[str],
    shares: Sequence[float],
    places: Sequence[str],
    licences: Sequence[str],
    prepared: Sequence[str],
    memory: float,
) -> Pictures:
    """Everything of one split, decoded into memory as far as there is room.

    Args:
        pack: what holds the collections, under the last part of their names.
        split: which side.
        people: names of collections of people.
        shares: of those.
        places: names of collections of places.
        licences: as :meth:`Pack.places` takes them.
        prepared: names of collections of prepared pairs.
        memory: bytes that decoded pictures may take, those of other splits included.

    Raises:
        InputError: a collection is missing or empty, or the pack is damaged.
    """
    names = [[Path(name).name for name in group] for group in (people, places, prepared)]
    sets = [pack.people(name, split) for name in names[0]]
    pictures = [picture for name in names[1] for picture in pack.places(name, split, licences)]
    pairs = [pair for name in names[2] for pair in pack.pairs(name, split)]
    # Places first: they are used in almost every sample, and are the sources of prepared pairs.
    for name in (*names[1], *names[0], *names[2]):
        pack.keep(name, split, memory)
    # The pack keeps what fits; nothing is kept a second time.
    return Pictures(sets, shares, PlacePictures(pictures, memory=0), pairs)
