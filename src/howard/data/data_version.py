"""Records which data a run was trained on: digests of the collections, and of the pack if it used one."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from howard.data.pack.layout import MANIFEST, Kind, file_hash, read_manifest
from howard.data.people_collections import find_people
from howard.data.place_collections import find_places
from howard.data.prepared_pairs import ENDINGS, find_pairs
from howard.data.splits import Split
from howard.errors import InputError


@dataclass(frozen=True)
class CollectionVersion:
    """The state of one split of a collection.

    Attributes:
        name: of the collection.
        kind: of the collection.
        split: which split.
        items: number of people, places or pairs.
        sha256: of the items' names and file sizes; for a packed collection, of the digests of its shards.
    """

    name: str
    kind: Kind
    split: Split
    items: int
    sha256: str


@dataclass(frozen=True)
class DataVersion:
    """The data of a run; ``pack`` is the SHA-256 of the pack's manifest, None without a pack."""

    collections: tuple[CollectionVersion, ...]
    pack: str | None

    @property
    def digest(self) -> str:
        """SHA-256 over all fields."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """The fields and the digest as JSON."""
        return json.dumps({"digest": self.digest, **asdict(self)}, indent=2) + "\n"


@dataclass(frozen=True)
class DataSelection:
    """The collections that a run uses; see :class:`howard.data.datamodule.MattingDataModule`.

    Attributes:
        root: folder of collections.
        pack: a pack with these collections, or None.
        people: names of collections of people.
        places: names of collections of places.
        prepared: names of collections of prepared pairs; only their training split is used.
        licences: licence folders that are kept; empty keeps all.
    """

    root: Path
    pack: Path | None
    people: Sequence[str]
    places: Sequence[str]
    prepared: Sequence[str]
    licences: Sequence[str]

    @property
    def parts(self) -> list[tuple[str, Kind, Split]]:
        """Name, kind and split of each part that training and validation read."""
        both: tuple[Split, ...] = ("train", "val")
        people: list[tuple[str, Kind, Split]] = [(name, "people", split) for name in self.people for split in both]
        places: list[tuple[str, Kind, Split]] = [(name, "places", split) for name in self.places for split in both]
        return [*people, *places, *((name, "prepared pairs", "train") for name in self.prepared)]


def data_version(selection: DataSelection) -> DataVersion:
    """The current version of the selected data. No image is read.

    Raises:
        InputError: a collection or the pack is missing, or damaged.
    """
    if selection.pack is not None:
        found = [_packed_version(selection.pack, *part) for part in selection.parts]
        return DataVersion(tuple(found), file_hash(selection.pack / MANIFEST))
    found = [_folder_version(selection, *part) for part in selection.parts]
    return DataVersion(tuple(found), None)


def _packed_version(pack: Path, name: str, kind: Kind, split: Split) -> CollectionVersion:
    collections = read_manifest(pack).collections
    if Path(name).name not in collections:
        raise InputError(f"the pack {pack} has no collection {Path(name).name}")
    collection = collections[Path(name).name]
    shards = collection.shards.get(split, [])
    return CollectionVersion(name, kind, split, collection.count(split), _hash_lines(each.sha256 for each in shards))


def _folder_version(selection: DataSelection, name: str, kind: Kind, split: Split) -> CollectionVersion:
    folder = selection.root / name
    files: list[tuple[str, Iterable[Path]]]
    if kind == "people":
        files = [(clip.name, {*clip.foreground, *clip.alpha}) for clip in find_people(folder, split)]
    elif kind == "places":
        places = find_places(folder, split, tuple(selection.licences))
        files = [(place.name, filter(None, (place.path, place.plate))) for place in places]
    else:
        pairs = find_pairs(folder, split)
        files = [(pair.name, [pair.path(ending) for ending in ENDINGS]) for pair in pairs]
    lines = sorted(f"{item}\t{_total_size(paths)}" for item, paths in files)
    return CollectionVersion(name, kind, split, len(lines), _hash_lines(lines))


def _total_size(paths: Iterable[Path]) -> int:
    """Bytes of all files together; a missing file counts 0."""
    return sum(path.stat().st_size for path in paths if path.is_file())


def _hash_lines(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
