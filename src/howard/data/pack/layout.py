"""The layout of a pack: tar shards of encoded images, and the manifest that lists them.

Shards follow WebDataset: tar files in which the members of a sample are consecutive and share the part of their path
before the first dot of the file name, their key.

* a person: ``NAME.fgr.webp`` (straight colour), ``NAME.pha.webp`` or ``NAME.pha.png`` (alpha, lossless)
* a place: ``NAME.src.webp``
* a prepared pair: ``NAME.plate.webp``, ``NAME.coverage.*`` (lossless), ``NAME.fgr.webp``, ``NAME.pha.*`` and, unless
  the pack has the same image under another name (``source`` in the manifest), ``NAME.src.webp``
* frame 3 of a clip: ``NAME/0003.fgr.webp`` and so on

A shard belongs to one collection and one split: ``COLLECTION-SPLIT-000000.tar``. The manifest stores the dataclasses of
this module under the names of their fields.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from howard.data.splits import SPLITS, Split
from howard.errors import InputError

MANIFEST = "manifest.json"
LICENCES = "licences"  # folder of the readme and licence files of the collections
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
        source: ``COLLECTION/NAME`` of the place or pair whose image is the source of this prepared pair; None if the
            item has its own.
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
        inputs: hash of the files and settings that it was made from.
        sha256: of the file.
        size: of the file in bytes.
        decoded: bytes of its decoded images.
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
    """The shards of one collection; ``has_licence_folders`` if item names begin with the name of their licence."""

    kind: Kind
    has_licence_folders: bool = False
    shards: dict[Split, list[Shard]] = field(default_factory=dict)

    def count(self, split: Split) -> int:
        """Number of items of a split."""
        return sum(len(shard.items) for shard in self.shards.get(split, []))

    @property
    def frames(self) -> int:
        """Number of frames of all items together."""
        return sum(item.frames for shard in self.all_shards for item in shard.items)

    @property
    def size(self) -> float:
        """Size of its shards in MiB."""
        return sum(shard.size for shard in self.all_shards) / MIB

    @property
    def decoded(self) -> float:
        """Size of its decoded images in MiB."""
        return sum(shard.decoded for shard in self.all_shards) / MIB

    @property
    def all_shards(self) -> list[Shard]:
        """The shards of all splits."""
        return [shard for split in SPLITS for shard in self.shards.get(split, [])]


@dataclass
class Manifest:
    """Contents of a pack.

    Attributes:
        settings: fields of :class:`howard.data.pack.pack_options.PackOptions`.
        collections: by name.
        files: hashes of the licence files by path.
        is_complete: False while the pack is being written.
        version: of the layout.
    """

    settings: dict[str, Any]
    collections: dict[str, Collection] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    is_complete: bool = False
    version: int = VERSION

    def encode(self) -> bytes:
        """The manifest as JSON; equal manifests give equal bytes."""
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode()


def is_pack(folder: Path) -> bool:
    """Whether the folder has the manifest of a pack."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a pack, complete or not.

    Raises:
        InputError: the manifest is missing, damaged, or of another version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"no pack in {folder} ({MANIFEST} is missing); python -m howard.data pack=... makes one")
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
    """SHA-256 of a file; raises InputError if it cannot be read."""
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
