"""Streams a pack for training with webdataset: every frame of people once an epoch, no image kept longer than needed.

Restrictions compared to numbered samples: a sample depends on what its worker has read before, and so on the number of
processes and workers; a resumed run starts the stream of its epoch from the beginning; there are no clips, prepared
pairs or sampling weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from howard.data.dataset import PreparedSample, SyntheticDataset
from howard.data.pack.layout import ALPHA, FOREGROUND, SOURCE, Collection, Manifest, Shard
from howard.data.pack.packed_images import decode
from howard.data.sample_order import ClipFrame
from howard.data.sample_sources import SampleSources
from howard.errors import InputError, SettingsError
from howard.requirements import require
from howard.synthesis import Person

if TYPE_CHECKING:
    from lightning import Trainer

REQUIRED_FOR = "data.streaming=true"  # beginning of the message about a missing package
# Size of the shuffle buffer, in encoded samples: some MB, and a few shards.
_SHUFFLE_BUFFER = 1000
# Decoded images of places, and people, that a worker samples from: 150 MB at data.size=512.
_SAMPLED_FROM = 32


class StreamedPerson:
    """One frame of a person, with the interface of :class:`howard.data.people_collections.PersonClip`.

    Args:
        name: of the person.
        frame_count: of the clip that the frame belongs to, 1 for a still.
        image: the frame.
    """

    def __init__(self, name: str, frame_count: int, image: Person) -> None:
        self.name, self.frame_count, self._image = name, frame_count, image

    def read(self, index: int) -> Person:
        """The frame, for any index."""
        return self._image


class StreamSource(NamedTuple):
    """The streamed part of a pack: shards of people, and collections of places, of the training split."""

    folder: Path
    people: list[Shard]
    places: list[Collection]
    licences: Sequence[str]


def find_stream_source(
    folder: Path, manifest: Manifest, people: Sequence[str], places: Sequence[str], licences: Sequence[str]
) -> StreamSource:
    """Find collections in a pack by the last part of their names.

    Raises:
        InputError: a collection is not in the pack, or has no training split.
    """
    shards: list[Shard] = []
    found: list[Collection] = []
    for names, kind in ((people, "people"), (places, "places")):
        for name in (Path(each).name for each in names):
            collection = manifest.collections.get(name)
            if collection is None or collection.kind != kind or not collection.shards.get("train"):
                raise InputError(f"{folder} has no {kind} to train on named {name}")
            if kind == "people":
                shards += collection.shards["train"]
            else:
                found.append(collection)
    return StreamSource(folder, shards, found, licences)


class StreamedDataset(IterableDataset[PreparedSample]):
    """An epoch of samples, one for each frame of people.

    Every worker yields the same number of full batches. Workers with fewer frames than others continue with their next
    pass, so that no process has to wait.

    Args:
        source: what is streamed.
        samples: prepares the samples; its sources are replaced by the streamed images.
        batch_size: samples per batch of one process.
        workers: of each process, 0 for none.
        trainer: gives the processes and the epoch; None for a single pass outside of training.

    Raises:
        SettingsError: there are fewer shards than workers of all processes.
        InputError: there are no places under these licences.
    """

    def __init__(
        self, source: StreamSource, samples: SyntheticDataset, batch_size: int, workers: int, trainer: Trainer | None
    ) -> None:
        self.source, self.samples, self.trainer = source, samples, trainer
        self.world, self.rank = (trainer.world_size, trainer.global_rank) if trainer else (1, 0)
        self.workers = max(1, workers)
        self.per_worker = math.ceil(max(self._frames_per_worker()) / batch_size) * batch_size
        keys = place_keys(source.places, source.licences)
        if not keys:
            raise InputError(f"{source.folder} has no places to train on under {', '.join(source.licences)}")
        self.sampled_places = min(_SAMPLED_FROM, len(keys))

    def __len__(self) -> int:
        """Samples of this process."""
        return self.per_worker * self.workers

    def __iter__(self) -> Iterator[PreparedSample]:
        info = get_worker_info()
        slot = self.rank * self.workers + (info.id if info else 0)
        epoch = self.trainer.current_epoch if self.trainer else 0
        seeds = np.random.SeedSequence([self.samples.seed, epoch, slot]).generate_state(2)
        people = stream_people(self.source.folder, self.source.people, int(seeds[0]))
        places = stream_places(self.source.folder, self.source.places, self.source.licences, int(seeds[1]))
        # Ring buffers: the newest entry replaces the oldest.
        recent_people: list[StreamedPerson] = []
        recent_places = list(islice(places, self.sampled_places))
        self.samples.sources = SampleSources([recent_people], [1.0], recent_places)
        for index, person in enumerate(islice(people, self.per_worker)):
            recent_people[index % _SAMPLED_FROM : index % _SAMPLED_FROM + 1] = [person]
            recent_places[index % self.sampled_places] = next(places)
            number = (epoch * self.per_worker + index) * self.world * self.workers + slot
            yield self.samples.prepare(number, ClipFrame(person, 0))

    def _frames_per_worker(self) -> list[int]:
        """Frames of each worker of each process; webdataset divides the shards in the same way."""
        frames = [sum(item.frames for item in shard.items) for shard in self.source.people]
        parts = [
            frames[rank :: self.world][worker :: self.workers]
            for rank in range(self.world)
            for worker in range(self.workers)
        ]
        if not all(parts):
            raise SettingsError(
                f"data.streaming=true: {len(frames)} shards of people are too few for {self.world} processes with "
                f"{self.workers} workers each; lower data.workers"
            )
        return [sum(part) for part in parts]


def stream_people(folder: Path, shards: Sequence[Shard], seed: int) -> Iterator[StreamedPerson]:
    """An endless, shuffled stream of the frames in this process's and this worker's part of the shards.

    Args:
        folder: of the pack.
        shards: of people; webdataset's ``split_by_node`` and ``split_by_worker`` divide them.
        seed: of the order, which differs from pass to pass.

    Raises:
        MissingPackageError: webdataset is not installed.
        InputError: an image cannot be decoded.
    """
    wds = require("webdataset", REQUIRED_FOR)
    counts = {key: (item.name, item.frames) for shard in shards for item in shard.items for key in item.keys}

    def read(members: dict[str, Any]) -> StreamedPerson:
        name, frames = counts[members["__key__"]]
        return StreamedPerson(name, frames, Person(_decode(members, FOREGROUND), _decode(members, ALPHA)))

    splitters = {"nodesplitter": wds.split_by_node, "workersplitter": wds.split_by_worker}
    return iter(_open(wds, folder, shards, seed, **splitters).map(read).repeat())


def stream_places(
    folder: Path, collections: Sequence[Collection], licences: Sequence[str], seed: int
) -> Iterator[np.ndarray]:
    """An endless, shuffled stream of all images of places, (H, W, 3) uint8 RGB, not divided between processes.

    Args:
        folder: of the pack.
        collections: of places; only their training split is streamed.
        licences: licence folders to keep if a collection has any; empty keeps all.
        seed: of the order, which differs from pass to pass.

    Raises:
        MissingPackageError: webdataset is not installed.
        InputError: an image cannot be decoded.
    """
    wds = require("webdataset", REQUIRED_FOR)
    wanted = set(place_keys(collections, licences))
    shards = [shard for collection in collections for shard in collection.shards.get("train", [])]
    stream = _open(wds, folder, shards, seed, nodesplitter=None, workersplitter=None)
    chosen = stream.select(lambda members: members["__key__"] in wanted)
    return iter(chosen.map(lambda members: _decode(members, SOURCE)).repeat())


def place_keys(collections: Sequence[Collection], licences: Sequence[str]) -> list[str]:
    """The keys of all images of places of the training split; arguments as for :func:`stream_places`."""
    return [
        key
        for collection in collections
        for shard in collection.shards.get("train", [])
        for item in shard.items
        if not licences or not collection.has_licence_folders or item.name.partition("/")[0] in licences
        for key in item.keys
    ]


def _open(wds: Any, folder: Path, shards: Sequence[Shard], seed: int, **splitters: Any) -> Any:
    """A webdataset pipeline of encoded samples, shuffled by the seed."""
    paths = [str((folder / shard.name).resolve()) for shard in shards]
    stream = wds.WebDataset(paths, shardshuffle=len(paths), detshuffle=True, seed=seed, empty_check=False, **splitters)
    return stream.compose(wds.detshuffle(_SHUFFLE_BUFFER, _SHUFFLE_BUFFER, seed))


def _decode(members: dict[str, Any], kind: str) -> np.ndarray:
    """The image of a kind among the members of a sample, in any format."""
    [name] = [name for name in members if name.partition(".")[0] == kind]
    return decode(members[name], kind == ALPHA, f"{members['__key__']}.{name} of {members['__url__']}")
