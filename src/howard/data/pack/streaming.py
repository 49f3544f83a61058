"""Streams of a pack's people and places, read shard by shard by webdataset: nothing is indexed or kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from howard.data.pack.encoding import decode
from howard.data.pack.layout import ALPHA, FOREGROUND, SOURCE, Collection, Shard
from howard.requirements import require
from howard.synthesis import Person

# Encoded pictures from which the next one is picked at random: some MB, and a few shards' worth.
_SHUFFLED = 1000
PURPOSE = "data.streaming=true"  # as the line on a missing package begins


class StreamedPerson:
    """One frame of a person, with the interface of :class:`howard.data.people.PersonClip`.

    Args:
        name: of the person.
        frame_count: of the clip that the frame is of, 1 of a still.
        picture: what is read, whichever frame is asked for.
    """

    def __init__(self, name: str, frame_count: int, picture: Person) -> None:
        self.name, self.frame_count, self._picture = name, frame_count, picture

    def read(self, index: int) -> Person:
        """The frame, whatever the index."""
        return self._picture


def stream_people(folder: Path, shards: Sequence[Shard], seed: int) -> Iterator[StreamedPerson]:
    """Every frame of this process's and this worker's part of the shards, shuffled, again and again.

    Args:
        folder: of the pack.
        shards: of people; webdataset's ``split_by_node`` and ``split_by_worker`` take one in so many of them.
        seed: of the order, which is another in every pass.

    Raises:
        MissingPackageError: webdataset is not installed.
        InputError: a picture cannot be decoded.
    """
    wds = require("webdataset", PURPOSE)
    counts = {key: (item.name, item.frames) for shard in shards for item in shard.items for key in item.keys}

    def read(members: dict[str, Any]) -> StreamedPerson:
        name, frames = counts[members["__key__"]]
        return StreamedPerson(name, frames, Person(_decode(members, FOREGROUND), _decode(members, ALPHA)))

    splitters = {"nodesplitter": wds.split_by_node, "workersplitter": wds.split_by_worker}
    return iter(_open(wds, folder, shards, seed, **splitters).map(read).repeat())


def stream_places(
    folder: Path, collections: Sequence[Collection], licences: Sequence[str], seed: int
) -> Iterator[np.ndarray]:
    """Every picture of places to train on, (H, W, 3) uint8 RGB, shuffled, again and again, the same for all processes.

    Args:
        folder: of the pack.
        collections: of places.
        licences: licence folders to keep to where a collection has them; empty keeps all.
        seed: of the order, which is another in every pass.

    Raises:
        MissingPackageError: webdataset is not installed.
        InputError: a picture cannot be decoded.
    """
    wds = require("webdataset", PURPOSE)
    wanted = set(place_keys(collections, licences))
    shards = [shard for collection in collections for shard in collection.shards.get("train", [])]
    stream = _open(wds, folder, shards, seed, nodesplitter=None, workersplitter=None)
    chosen = stream.select(lambda members: members["__key__"] in wanted)
    return iter(chosen.map(lambda members: _decode(members, SOURCE)).repeat())


def place_keys(collections: Sequence[Collection], licences: Sequence[str]) -> list[str]:
    """The key of every picture of places to train on; arguments as :func:`stream_places`."""
    return [
        key
        for collection in collections
        for shard in collection.shards.get("train", [])
        for item in shard.items
        if not licences or not collection.has_licence_folders or item.name.partition("/")[0] in licences
        for key in item.keys
    ]


def _open(wds: Any, folder: Path, shards: Sequence[Shard], seed: int, **splitters: Any) -> Any:
    """A webdataset pipeline of encoded samples, in an order that follows from the seed."""
    paths = [str((folder / shard.name).resolve()) for shard in shards]
    stream = wds.WebDataset(paths, shardshuffle=len(paths), detshuffle=True, seed=seed, empty_check=False, **splitters)
    return stream.compose(wds.detshuffle(_SHUFFLED, _SHUFFLED, seed))


def _decode(members: dict[str, Any], kind: str) -> np.ndarray:
    """The picture of a kind among the members of a sample, whose formats differ."""
    [name] = [name for name in members if name.partition(".")[0] == kind]
    return decode(members[name], kind == ALPHA, f"{members['__key__']}.{name} of {members['__url__']}")
