"""Reading a pack: the same people, places and pairs as from folders, kept in memory where there is room for them."""

import tarfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from howard.data.pack.items import PackedPair, PackedPerson, PackedPicture
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
from howard.data.splits import Split
from howard.errors import InputError
from howard.machine import count_cores

_Index = dict[str, PackedPicture]  # the pictures of a shard, by KEY.KIND


class Pack:
    """A pack whose shards are checked against their hashes and indexed when they are first asked for.

    Args:
        folder: of the pack.
        manifest: of it.
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
        self._kept: set[str] = set()
        self._bytes_kept = 0

    def people(self, name: str, split: Split) -> list[PackedPerson]:
        """People of one split of a collection; raises InputError where there are none, or a shard is damaged."""
        found = []
        for item, pictures in self._items(name, split, "people"):
            frames = [(pictures[f"{key}.{FOREGROUND}"], pictures[f"{key}.{ALPHA}"]) for key in item.keys]
            found.append(PackedPerson(item.name, frames))
        return found

    def places(self, name: str, split: Split, licences: Sequence[str] = ()) -> list[PackedPicture]:
        """Pictures of places of one split of a collection.

        Args:
            name: of the collection.
            split: which.
            licences: licence folders to keep to where the collection has them; empty keeps all.

        Raises:
            InputError: there are none, or a shard is damaged.
        """
        collection = self._collection(name, "places")
        is_kept = set(licences).__contains__ if licences and collection.has_licence_folders else lambda folder: True
        found = [
            pictures[f"{key}.{SOURCE}"]
            for item, pictures in self._items(name, split, "places")
            if is_kept(item.name.partition("/")[0])
            for key in item.keys
        ]
        if not found:
            raise InputError(f"{self.folder}: {name} has no places for {split} under {', '.join(licences)}")
        return found

    def pairs(self, name: str, split: Split) -> list[PackedPair]:
        """Prepared pairs of one split of a collection; raises InputError where there are none or one is damaged."""
        found = []
        for item, pictures in self._items(name, split, "prepared pairs"):
            source = self._source(item.source) if item.source else pictures[f"{item.name}.{SOURCE}"]
            others = [pictures[f"{item.name}.{kind}"] for kind in (PLATE, COVERAGE, FOREGROUND, ALPHA)]
            found.append(PackedPair(item.name, [source, *others]))
        return found

    def keep(self, name: str, split: Split, most: float) -> bool:
        """Decode a split of a collection into memory, as long as all that is kept takes no more than ``most`` bytes.

        Returns:
            Whether all of it is in memory now.

        Raises:
            InputError: a picture cannot be decoded, or a shard is damaged.
        """
        shards = self.manifest.collections[name].shards.get(split, [])
        for shard in shards:
            if shard.name in self._kept or self._bytes_kept + shard.decoded > most:
                continue
            with ThreadPoolExecutor(count_cores()) as pool:
                list(pool.map(PackedPicture.keep, self.index(shard).values()))
            self._kept.add(shard.name)
            self._bytes_kept += shard.decoded
        return all(shard.name in self._kept for shard in shards)

    def index(self, shard: Shard) -> _Index:
        """The pictures of a shard by ``KEY.KIND``.

        Raises:
            InputError: its bytes are not those that the manifest knows.
        """
        if shard.name not in self._indices:
            path = self.folder / shard.name
            if file_hash(path) != shard.sha256:
                raise InputError(f"{path} is damaged (its hash is not the manifest's); copy or pack it again")
            with tarfile.open(path) as tar:
                pictures = [PackedPicture(path, each.name, each.offset_data, each.size) for each in tar]
            self._indices[shard.name] = {picture.stem: picture for picture in pictures}
        return self._indices[shard.name]

    def _collection(self, name: str, kind: Kind) -> Collection:
        collection = self.manifest.collections.get(name)
        if collection is None or collection.kind != kind:
            known = [each for each, other in self.manifest.collections.items() if other.kind == kind]
            raise InputError(f"{self.folder} has no {kind} called {name}; it has: {', '.join(known) or 'none'}")
        return collection

    def _items(self, name: str, split: Split, kind: Kind) -> Iterator[tuple[PackItem, _Index]]:
        """Every item of a split with its shard's pictures; raises InputError where there are none."""
        shards = self._collection(name, kind).shards.get(split)
        if not shards:
            raise InputError(f"{self.folder}: {name} has no {kind} for {split}")
        for shard in shards:
            pictures = self.index(shard)
            for item in shard.items:
                yield item, pictures

    def _source(self, reference: str) -> PackedPicture:
        """The source picture of ``COLLECTION/NAME``, which may be a place or another pair."""
        return self.index(self._shard_of[reference])[f"{reference.partition('/')[2]}.{SOURCE}"]


def read_finished(folder: Path) -> Manifest:
    """The manifest of a pack.

    Raises:
        InputError: there is none, it is damaged, or writing the pack was interrupted.
    """
    manifest = read_manifest(folder)
    if not manifest.is_complete:
        raise InputError(f"the pack in {folder} is unfinished; run the command that packs it again")
    return manifest


def open_pack(folder: Path) -> Pack:
    """The pack in a folder; the same object as long as its manifest is the same, so that pictures stay in memory.

    Raises:
        InputError: as :func:`read_finished`.
    """
    return _open(folder.resolve(), read_finished(folder).encode())


@lru_cache(maxsize=1)
def _open(folder: Path, manifest: bytes) -> Pack:
    return Pack(folder, read_manifest(folder))
