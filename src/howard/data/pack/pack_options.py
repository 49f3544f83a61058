"""Options of a pack: its collections, and the size and quality of its images."""

from dataclasses import dataclass, field
from pathlib import Path

from howard.data.check import CollectionKind, collection_kind, find_collections
from howard.data.pack.layout import Kind
from howard.data.pack.packed_images import PERSON_SIDE, PLACE_SIDE
from howard.data.pack.shard_items import Scale
from howard.errors import InputError, SettingsError


@dataclass(frozen=True)
class PackOptions:
    """What goes into a pack.

    Attributes:
        people: names of collections of people below the root, or paths.
        places: the same for places.
        prepared: the same for prepared pairs.
        licences: keep only these licence folders of places with a manifest; empty keeps all.
        size: side of the training frames in pixels; images are downscaled to what these need.
        quality: WebP quality of colours, from 0 to 100.
        longest: long side of images in pixels by collection; others follow from ``size``.
        most: largest number of training items by collection, evenly spaced.
        clip_frames: largest number of frames per clip of a person, evenly spaced; None keeps all.
    """

    people: list[str]
    places: list[str] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    size: int = 512
    quality: int = 75
    longest: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    clip_frames: int | None = None

    def __post_init__(self) -> None:
        names = [last_part(name) for name in (*self.people, *self.places, *self.prepared)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SettingsError(f"two collections are named {twice[0]}; names must differ in a pack, rename one")
        if not names:
            raise SettingsError("there is nothing to pack; give people=[...], places=[...] or prepared=[...]")
        unknown = sorted({*self.longest, *self.most} - set(names))
        if unknown:
            raise SettingsError(f"there is no collection {unknown[0]} to limit; choose of {', '.join(names)}")
        limits = [
            ("size", self.size, 32, 8192),
            ("quality", self.quality, 0, 100),
            ("clip_frames", self.clip_frames, 1, 10**6),
        ]
        limits += [(f"longest of {name}", pixels, 16, 8192) for name, pixels in self.longest.items()]
        limits += [(f"most of {name}", count, 1, 10**9) for name, count in self.most.items()]
        for name, value, lowest, highest in limits:
            if value is not None and not lowest <= value <= highest:
                raise SettingsError(f"{name} is {value}; it should be between {lowest} and {highest}")

    def scale(self, name: str, kind: Kind) -> Scale:
        """Image size and quality of a collection."""
        side = PERSON_SIDE if kind == "people" else PLACE_SIDE
        return Scale(self.longest.get(name, round(side * self.size)), self.quality, self.clip_frames)


def make_pack_options(
    root: Path,
    *,
    people: str | None,
    places: str | None,
    prepared: str | None,
    licences: list[str],
    size: int,
    quality: int,
    longest: str | None,
    most: str | None,
    clip_frames: int | None,
) -> PackOptions:
    """Options from command-line values; lists are given as ``[NAME,NAME]`` or ``NAME,NAME``.

    Args:
        root: folder of the collections.
        people: names of collections; None takes all of this kind in the folder.
        places: the same; plate pairs are places too.
        prepared: the same.
        licences: licence folders of places to keep; empty keeps all.
        size: as in :class:`PackOptions`.
        quality: as in :class:`PackOptions`.
        longest: as in :class:`PackOptions`, written ``[NAME:PIXELS,...]``.
        most: as in :class:`PackOptions`, written ``[NAME:COUNT,...]``.
        clip_frames: as in :class:`PackOptions`.

    Raises:
        InputError: the folder is missing, has no collections, or is a collection itself.
        SettingsError: an option is invalid.
    """
    found: dict[CollectionKind, list[str]] = {}
    if None in (people, places, prepared):
        for folder in find_collections(root):
            if folder == root:
                raise InputError(f"{root} is one collection or a pack; give the folder that contains the collections")
            found.setdefault(collection_kind(folder), []).append(folder.relative_to(root).as_posix())
    all_places = sorted([*found.get("places", []), *found.get("plate pairs", [])])
    return PackOptions(
        people=found.get("people", []) if people is None else parse_names(people),
        places=all_places if places is None else parse_names(places),
        prepared=found.get("prepared pairs", []) if prepared is None else parse_names(prepared),
        licences=licences,
        size=size,
        quality=quality,
        longest=parse_counts("longest", longest),
        most=parse_counts("most", most),
        clip_frames=clip_frames,
    )


def last_part(path: str) -> str:
    """The name of a collection in a pack: the last part of its path."""
    return Path(path).name


def parse_names(text: str) -> list[str]:
    """The names in ``[NAME,NAME]`` or ``NAME,NAME``; ``[]`` gives none."""
    return [name.strip() for name in text.strip().removeprefix("[").removesuffix("]").split(",") if name.strip()]


def parse_counts(setting: str, text: str | None) -> dict[str, int]:
    """The numbers by name in ``[NAME:NUMBER,...]``; raises SettingsError with the setting's name if it is malformed."""
    counts = {}
    for each in parse_names(text or ""):
        name, _, number = each.rpartition(":")
        if not name or not number.isdecimal():
            raise SettingsError(f"{setting}={text} is invalid; write [NAME:NUMBER,NAME:NUMBER]")
        counts[name] = int(number)
    return counts
