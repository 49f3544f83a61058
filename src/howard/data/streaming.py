"""Training samples over a pack that is streamed: every frame of people once an epoch, split over processes and workers.

What this gives up against samples by number: a sample depends on what its worker has read before it, and so on how many
processes and workers there are; a run that is resumed begins the stream of its epoch anew; there are no clips, prepared
pairs or sampling weights. What it gains: no picture is decoded or kept before it is used.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lightning import Trainer
from torch.utils.data import IterableDataset, get_worker_info

from howard.data.datasets import Item, Pictures, SyntheticDataset
from howard.data.frame_order import ClipFrame
from howard.data.pack.layout import Collection, Manifest, Shard
from howard.data.pack.streaming import StreamedPerson, place_keys, stream_people, stream_places
from howard.errors import InputError, SettingsError

# Pictures of places, and persons, that a worker picks from: 150 MB at data.size=512.
_KEPT = 32


class StreamSource(NamedTuple):
    """What is streamed: the shards of people to train on, and the places they are put into."""

    folder: Path
    people: list[Shard]
    places: list[Collection]
    licences: Sequence[str]


class StreamedSamples(IterableDataset[Item]):
    """An epoch of samples, one for each frame of people.

    Every worker yields a whole number of batches, the same for all: those that have fewer frames than others begin
    their next pass, so that nobody waits for them.

    Args:
        source: what is streamed.
        samples: makes the samples; its pictures are replaced by those of the stream.
        batch_size: samples a batch of one process.
        workers: of each process, 0 for none.
        trainer: whose processes and epoch count; None for a single pass outside of training.

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
        self.per_worker = math.ceil(max(self._frames_of_workers()) / batch_size) * batch_size
        keys = place_keys(source.places, source.licences)
        if not keys:
            raise InputError(f"{source.folder} has no places to train on under {', '.join(source.licences)}")
        self.kept_places = min(_KEPT, len(keys))

    def __len__(self) -> int:
        """Samples of this process."""
        return self.per_worker * self.workers

    def __iter__(self) -> Iterator[Item]:
        info = get_worker_info()
        slot = self.rank * self.workers + (info.id if info else 0)
        epoch = self.trainer.current_epoch if self.trainer else 0
        seeds = np.random.SeedSequence([self.samples.seed, epoch, slot]).generate_state(2)
        people = stream_people(self.source.folder, self.source.people, int(seeds[0]))
        places = stream_places(self.source.folder, self.source.places, self.source.licences, int(seeds[1]))
        # Lists that the samples pick from, whose oldest picture gives way to the newest.
        kept_people: list[StreamedPerson] = []
        kept_places = list(islice(places, self.kept_places))
        self.samples.pictures = Pictures([kept_people], [1.0], kept_places)
        for index, person in enumerate(islice(people, self.per_worker)):
            kept_people[index % _KEPT : index % _KEPT + 1] = [person]
            kept_places[index % self.kept_places] = next(places)
            number = (epoch * self.per_worker + index) * self.world * self.workers + slot
            yield self.samples.make(number, ClipFrame(person, 0))

    def _frames_of_workers(self) -> list[int]:
        """Frames of each worker of each process, as webdataset splits the shards."""
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


def find_source(
    folder: Path, manifest: Manifest, people: Sequence[str], places: Sequence[str], licences: Sequence[str]
) -> StreamSource:
    """What is to be streamed of a pack: names of collections of people and of places, by their last part.

    Raises:
        InputError: the pack lacks one of them, or has nothing of it to train on.
    """
    shards: list[Shard] = []
    found: list[Collection] = []
    for names, kind in ((people, "people"), (places, "places")):
        for name in (Path(each).name for each in names):
            collection = manifest.collections.get(name)
            if collection is None or collection.kind != kind or not collection.shards.get("train"):
                raise InputError(f"{folder} has no {kind} to train on called {name}")
            if kind == "people":
                shards += collection.shards["train"]
            else:
                found.append(collection)
    return StreamSource(folder, shards, found, licences)
