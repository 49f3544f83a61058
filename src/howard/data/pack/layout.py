"""The layout of a pack: tar shards of encoded pictures, and the manifest that lists them.

Shards are those of WebDataset: plain tar files in which the members of a sample follow one another and share the
part of their path before the first dot of the file name.

* a person: ``NAME.fgr.webp`` (straight colour), ``NAME.pha.webp`` or ``NAME.pha.png`` (alpha, exact)
* a place: ``NAME.src.webp``
* a prepared pair: ``NAME.plate.webp``, ``NAME.coverage.*`` (exact), ``NAME.fgr.webp``, ``NAME.pha.*`` and, unless the
  pack already holds the picture under another name (``source`` in the manifest), ``NAME.src.webp``
* frame 3 of a clip: ``NAME/0003.fgr.webp`` and so on

A shard belongs to one collection and one split: ``COLLECTION-SPLIT-000000.tar``.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from howard.data.splits import SPLITS, Split
from howard.errors import InputError

MANIFEST = "manifest.json"
LICENCES = "licences"  # folder of the texts that came with the collections
VERSION = 1
MIB = 2**20  # bytes
FOREGROUND, ALPHA, SOURCE, PLATE, COVERAGE = "fgr", "pha", "src", "plate", "coverage"
Kind = Literal["people", "places", "prepared pairs"]


@dataclass(frozen=True)
class PackItem:
    """A person, a place or a prepared pair.

    Attributes:
        name: key of its members; of a clip, the folder of its frames.
        frames: 1 for a still.
        source: of a prepared pair, ``COLLECTION/NAME`` of the place or pair whose picture is its source; None where it
            has its own.
    """

    name: str
    frames: int = 1
    source: str | None = None

    @property
    def keys(self) -> list[str]:
        """The key of every frame."""
        return [self.name] if self.frames == 1 else [f"{self.name}/{index:04d}" for index in range(self.frames)]


@dataclass(frozen=True)
class Shard:
    """A tar file.

    Attributes:
        name: of the file.
        inputs: hash of what it was made from, settings included.
        sha256: of the file.
        size: of the file in bytes.
        decoded: bytes of its pictures once decoded.
        items: in order.
    """

    name: str
    inputs: str
    sha256: str
    size: int
    decoded: int
    items: list[PackItem]


@dataclass
class Collection:
    """The shards of one collection; ``has_licence_folders`` where a name begins with its licence's."""

    kind: Kind
    has_licence_folders: bool = False
    shards: dict[Split, list[Shard]] = field(default_factory=dict)

    def count(self, split: Split) -> int:
        """How many items the split has."""
        return sum(len(shard.items) for shard in self.shards.get(split, []))

    @property
    def frames(self) -> int:
        """How many frames all items have together."""
        return sum(item.frames for shard in self.all_shards for item in shard.items)

    @property
    def size(self) -> float:
        """MiB of its shards."""
        return sum(shard.size for shard in self.all_shards) / MIB

    @property
    def decoded(self) -> float:
        """MiB of its decoded pictures."""
        return sum(shard.decoded for shard in self.all_shards) / MIB

    @property
    def all_shards(self) -> list[Shard]:
        """Of all splits."""
        return [shard for split in SPLITS for shard in self.shards.get(split, [])]


@dataclass
class Manifest:
    """What a pack holds; ``files`` are the hashes of the licence texts by path, ``is_complete`` false while writing."""

    settings: dict[str, Any]
    collections: dict[str, Collection] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    is_complete: bool = False
    version: int = VERSION

    def encode(self) -> bytes:
        """As JSON, the same for the same content."""
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode()


def is_pack(folder: Path) -> bool:
    """Whether the folder holds a pack's manifest."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a pack, of an unfinished one too.

    Raises:
        InputError: there is none, or it is damaged or of another version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"no pack in {folder} ({MANIFEST} is not there); python -m howard.data pack=... makes one")
    try:
        values = json.loads(path.read_bytes())
        if values["version"] != VERSION:
            raise InputError(f"{path} is of version {values['version']}, not {VERSION}; pack the data again")
        collections = {name: _read_collection(each) for name, each in values.pop("collections").items()}
        return Manifest(collections=collections, **values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not the manifest of a pack ({type(error).__name__}); pack the data again"
        ) from None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes; raises InputError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror})") from error


def _read_collection(values: dict[str, Any]) -> Collection:
    shards = {
        split: [Shard(**(each | {"items": [PackItem(**item) for item in each["items"]]})) for each in found]
        for split, found in values.pop("shards").items()
    }
    return Collection(shards=shards, **values)
