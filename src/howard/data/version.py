"""Which data a run was trained on: a digest of its lists, and of the pack where there is one."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from howard.data.pack.layout import MANIFEST, Kind, file_hash, read_manifest
from howard.data.pairs import ENDINGS, find_pairs
from howard.data.people import find_people
from howard.data.places import find_places
from howard.data.splits import Split
from howard.errors import InputError


@dataclass(frozen=True)
class CollectionVersion:
    """One side of the split of a collection.

    Attributes:
        name: of the collection.
        kind: what it holds.
        split: the side.
        items: how many people, places or pairs.
        sha256: of their names and of the sizes of their files; of a packed collection, of its shards' digests.
    """

    name: str
    kind: Kind
    split: Split
    items: int
    sha256: str


@dataclass(frozen=True)
class DataVersion:
    """The data of a run; ``pack`` is the SHA-256 of the pack's manifest, None without one."""

    collections: tuple[CollectionVersion, ...]
    pack: str | None

    @property
    def digest(self) -> str:
        """SHA-256 of all that is recorded here."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """For a file, with the digest."""
        return json.dumps({"digest": self.digest, **asdict(self)}, indent=2) + "\n"


@dataclass(frozen=True)
class DataChoice:
    """The collections that a run takes, as :class:`howard.data.datamodule.MattingDataModule` is told.

    Attributes:
        root: folder of collections.
        pack: a pack that holds them, or None.
        people: names of collections of people.
        places: names of collections of places.
        prepared: names of collections of prepared pairs; they are only trained on.
        licences: licence folders that are kept; empty keeps all.
    """

    root: Path
    pack: Path | None
    people: Sequence[str]
    places: Sequence[str]
    prepared: Sequence[str]
    licences: Sequence[str]

    @property
    def sides(self) -> list[tuple[str, Kind, Split]]:
        """Name, kind and split of everything that a run reads."""
        both: tuple[Split, ...] = ("train", "val")
        people: list[tuple[str, Kind, Split]] = [(name, "people", split) for name in self.people for split in both]
        places: list[tuple[str, Kind, Split]] = [(name, "places", split) for name in self.places for split in both]
        return [*people, *places, *((name, "prepared pairs", "train") for name in self.prepared)]


def data_version(choice: DataChoice) -> DataVersion:
    """The version of the chosen data as it is on the disk now; no picture is read.

    Raises:
        InputError: a collection or the pack is missing, or damaged.
    """
    if choice.pack is not None:
        found = [_packed(choice.pack, *side) for side in choice.sides]
        return DataVersion(tuple(found), file_hash(choice.pack / MANIFEST))
    found = [_listed(choice, *side) for side in choice.sides]
    return DataVersion(tuple(found), None)


def _packed(pack: Path, name: str, kind: Kind, split: Split) -> CollectionVersion:
    collections = read_manifest(pack).collections
    if Path(name).name not in collections:
        raise InputError(f"the pack {pack} has no collection {Path(name).name}")
    collection = collections[Path(name).name]
    shards = collection.shards.get(split, [])
    return CollectionVersion(name, kind, split, collection.count(split), _hash_lines(each.sha256 for each in shards))


def _listed(choice: DataChoice, name: str, kind: Kind, split: Split) -> CollectionVersion:
    folder = choice.root / name
    files: list[tuple[str, Iterable[Path]]]
    if kind == "people":
        files = [(clip.name, {*clip.foreground, *clip.alpha}) for clip in find_people(folder, split)]
    elif kind == "places":
        places = find_places(folder, split, tuple(choice.licences))
        files = [(place.name, filter(None, (place.path, place.plate))) for place in places]
    else:
        pairs = find_pairs(folder, split)
        files = [(pair.name, [pair.path(ending) for ending in ENDINGS]) for pair in pairs]
    lines = sorted(f"{item}\t{_size(paths)}" for item, paths in files)
    return CollectionVersion(name, kind, split, len(lines), _hash_lines(lines))


def _size(paths: Iterable[Path]) -> int:
    """Bytes of all files together; what is not there counts nothing."""
    return sum(path.stat().st_size for path in paths if path.is_file())


def _hash_lines(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
