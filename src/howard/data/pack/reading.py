"""Reads a pack: the people, places and prepared pairs of its collections, preloaded as far as memory allows."""

import tarfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from howard.data.pack.layout import (
    ALPHA,
    COVERAGE,
    FOREGROUND,
    PLATE,
    SOURCE,
    Collection,
    Kind,
    Manifest,
    PackItem,
    Shard,
    file_hash,
    read_manifest,
)
from howard.data.pack.packed_images import PackedImage, PackedPair, PackedPerson
from howard.data.splits import Split
from howard.errors import InputError
from howard.machine import count_cores

_Index = dict[str, PackedImage]  # the images of a shard, by KEY.KIND


class Pack:
    """A pack. Shards are checked against their hashes and indexed on first use.

    Args:
        folder: of the pack.
        manifest: of the pack.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self._shard_of = {
            f"{name}/{item.name}": shard
            for name, collection in manifest.collections.items()
            for shard in collection.all_shards
            for item in shard.items
        }
        self._indices: dict[str, _Index] = {}
        self._preloaded: set[str] = set()
        self._bytes_preloaded = 0

    def people(self, name: str, split: Split) -> list[PackedPerson]:
        """The people of one split of a collection; raises InputError if there are none, or a shard is damaged."""
        found = []
        for item, images in self._items(name, split, "people"):
            frames = [(images[f"{key}.{FOREGROUND}"], images[f"{key}.{ALPHA}"]) for key in item.keys]
            found.append(PackedPerson(item.name, frames))
        return found

    def places(self, name: str, split: Split, licences: Sequence[str] = ()) -> list[PackedImage]:
        """The images of places of one split of a collection.

        Args:
            name: of the collection.
            split: which split.
            licences: licence folders to keep if the collection has any; empty keeps all.

        Raises:
            InputError: there are none, or a shard is damaged.
        """
        collection = self._collection(name, "places")
        is_kept = set(licences).__contains__ if licences and collection.has_licence_folders else lambda folder: True
        found = [
            images[f"{key}.{SOURCE}"]
            for item, images in self._items(name, split, "places")
            if is_kept(item.name.partition("/")[0])
            for key in item.keys
        ]
        if not found:
            raise InputError(f"{self.folder}: {name} has no places for {split} under {', '.join(licences)}")
        return found

    def pairs(self, name: str, split: Split) -> list[PackedPair]:
        """The prepared pairs of one split of a collection; raises InputError if there are none, or damaged."""
        found = []
        for item, images in self._items(name, split, "prepared pairs"):
            source = self._shared_source(item.source) if item.source else images[f"{item.name}.{SOURCE}"]
            others = [images[f"{item.name}.{kind}"] for kind in (PLATE, COVERAGE, FOREGROUND, ALPHA)]
            found.append(PackedPair(item.name, [source, *others]))
        return found

    def preload(self, name: str, split: Split, memory: float) -> bool:
        """Decode shards of one split of a collection into memory, as far as they fit.

        Args:
            name: of the collection.
            split: which split.
            memory: bytes that all preloaded images of this pack may take.

        Returns:
            Whether all shards of the split are in memory now.

        Raises:
            InputError: an image cannot be decoded, or a shard is damaged.
        """
        shards = self.manifest.collections[name].shards.get(split, [])
        for shard in shards:
            if shard.name in self._preloaded or self._bytes_preloaded + shard.decoded > memory:
                continue
            with ThreadPoolExecutor(count_cores()) as pool:
                list(pool.map(PackedImage.preload, self.index(shard).values()))
            self._preloaded.add(shard.name)
            self._bytes_preloaded += shard.decoded
        return all(shard.name in self._preloaded for shard in shards)

    def index(self, shard: Shard) -> _Index:
        """The images of a shard by ``KEY.KIND``.

        Raises:
            InputError: the shard's hash differs from the manifest's.
        """
        if shard.name not in self._indices:
            path = self.folder / shard.name
            if file_hash(path) != shard.sha256:
                raise InputError(f"{path} is damaged (its hash is not the manifest's); copy or pack it again")
            with tarfile.open(path) as tar:
                images = [PackedImage(path, each.name, each.offset_data, each.size) for each in tar]
            self._indices[shard.name] = {image.stem: image for image in images}
        return self._indices[shard.name]

    def _collection(self, name: str, kind: Kind) -> Collection:
        collection = self.manifest.collections.get(name)
        if collection is None or collection.kind != kind:
            known = [each for each, other in self.manifest.collections.items() if other.kind == kind]
            raise InputError(f"{self.folder} has no {kind} named {name}; it has: {', '.join(known) or 'none'}")
        return collection

    def _items(self, name: str, split: Split, kind: Kind) -> Iterator[tuple[PackItem, _Index]]:
        """All items of a split, each with the images of its shard; raises InputError if there are none."""
        shards = self._collection(name, kind).shards.get(split)
        if not shards:
            raise InputError(f"{self.folder}: {name} has no {kind} for {split}")
        for shard in shards:
            images = self.index(shard)
            for item in shard.items:
                yield item, images

    def _shared_source(self, reference: str) -> PackedImage:
        """The source image of ``COLLECTION/NAME``, a place or another pair."""
        return self.index(self._shard_of[reference])[f"{reference.partition('/')[2]}.{SOURCE}"]


def read_complete_manifest(folder: Path) -> Manifest:
    """The manifest of a complete pack.

    Raises:
        InputError: the manifest is missing or damaged, or writing the pack was interrupted.
    """
    manifest = read_manifest(folder)
    if not manifest.is_complete:
        raise InputError(f"the pack in {folder} is incomplete; run the command that packs it again")
    return manifest


def open_pack(folder: Path) -> Pack:
    """The pack in a folder. The same object is returned until its manifest changes, so that images stay in memory.

    Raises:
        InputError: as :func:`read_complete_manifest`.
    """
    return _open(folder.resolve(), read_complete_manifest(folder).encode())


@lru_cache(maxsize=1)
def _open(folder: Path, manifest: bytes) -> Pack:
    return Pack(folder, read_manifest(folder))
