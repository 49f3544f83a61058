"""Writing a pack: ``python -m howard.data pack=ROOT output=FOLDER``."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from howard.data.pack.encoding import PERSON_SIDE, PLACE_SIDE
from howard.data.pack.layout import (
    LICENCES,
    MANIFEST,
    Collection,
    Kind,
    Manifest,
    Shard,
    file_hash,
    is_pack,
    read_manifest,
)
from howard.data.pack.sources import Job, Member, PairSources, Scale, pair_jobs, people_jobs, place_jobs
from howard.data.places import is_licensed
from howard.data.splits import SPLITS, Split
from howard.errors import OutputError, SettingsError
from howard.machine import count_cores
from howard.media import write_whole
from howard.media.files import clear_leftovers, holds_files, make_folder

_SHARD_FRAMES = 256  # pictures, or pairs of colour and alpha, after which a shard ends
# Files of a collection's own folder that say whose it is and under which terms.
_TERMS = ("readme", "licen", "attribution", "notice", "copying", "manifest.csv")


@dataclass(frozen=True)
class PackOptions:
    """What goes into a pack.

    Attributes:
        people: names of collections of people below the root, or paths.
        places: the same of places.
        prepared: the same of prepared pairs.
        licences: keep to these licence folders where places have a manifest; empty keeps all.
        size: side of the training frames in pixels; pictures are shrunk to what those need.
        quality: of colours, WebP's from 0 to 100.
        longest: longest side of a collection's pictures in pixels, by its name, in place of what ``size`` leads to.
        most: items of a collection's training split at most, by its name, evenly spread.
        clip_frames: frames of a person's clip at most, evenly spread; None keeps all.
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
        names = [_last_part(name) for name in (*self.people, *self.places, *self.prepared)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SettingsError(f"two collections are called {twice[0]}; a pack tells them apart by name, rename one")
        if not names:
            raise SettingsError("there is nothing to pack; give people=[...], places=[...] or prepared=[...]")
        unknown = sorted({*self.longest, *self.most} - set(names))
        if unknown:
            raise SettingsError(f"there is no collection {unknown[0]} to limit; there are: {', '.join(names)}")
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
        """How the pictures of a collection are encoded."""
        side = PERSON_SIDE if kind == "people" else PLACE_SIDE
        return Scale(self.longest.get(name, round(side * self.size)), self.quality, self.clip_frames)


class _Plan(NamedTuple):
    """A shard to be written: of which collection and split, its file name, its jobs and the hash of their inputs."""

    collection: str
    split: Split
    name: str
    jobs: list[Job]
    inputs: str


def write_pack(
    root: Path, output: Path, options: PackOptions, progress: Callable[[int, int], None] = lambda done, total: None
) -> Manifest:
    """Write a pack; the same input gives the same bytes, and what an interrupted call has written is kept.

    Args:
        root: folder of the collections.
        output: folder of the pack; a pack that is there already is brought up to date.
        options: what goes into it.
        progress: told how many shards of how many are done.

    Raises:
        InputError: a collection is missing, or a file of it cannot be read.
        OutputError: the folder holds other files, or cannot be written to.
        SettingsError: the options do not fit.
    """
    if output.is_dir() and holds_files(output) and not is_pack(output):
        raise OutputError(f"{output} holds other files; choose an empty folder for the pack")
    collections, jobs = _list_jobs(root, options)
    plans = []
    for name, collection in collections.items():
        plans += _plan_shards(name, jobs[name], options.scale(name, collection.kind))
    make_folder(output)
    done = _kept_shards(output, plans)
    manifest = _assemble(collections, plans, done, options)
    for plan in plans:
        if plan.name not in done:
            done[plan.name] = _write_shard(output, plan)
            manifest = _assemble(collections, plans, done, options)
            write_whole(output / MANIFEST, manifest.encode())
        progress(len(done), len(plans))
    names = (*options.people, *options.places, *options.prepared)
    manifest.files = _copy_terms({_last_part(name): root / name for name in names}, output)
    manifest.is_complete = True
    write_whole(output / MANIFEST, manifest.encode())
    _remove_others(output, plans)
    return manifest


def _list_jobs(root: Path, options: PackOptions) -> tuple[dict[str, Collection], dict[str, list[Job]]]:
    """Empty collections, and everything that is to go into them, by name."""
    collections: dict[str, Collection] = {}
    jobs: dict[str, list[Job]] = {}

    def add(path: str, kind: Kind, make_jobs: Callable[[Path, Scale, int | None], list[Job]]) -> None:
        folder, name = root / path, _last_part(path)
        collections[name] = Collection(kind, has_licence_folders=kind == "places" and is_licensed(folder))
        jobs[name] = make_jobs(folder, options.scale(name, kind), options.most.get(name))

    for path in options.people:
        add(path, "people", people_jobs)
    for path in options.places:
        add(path, "places", partial(place_jobs, options.licences))
    # A pair's pictures are of one size, so that it can only share a source that is shrunk as they are.
    sources: dict[int, PairSources] = {}
    for path in options.prepared:
        longest = options.scale(_last_part(path), "prepared pairs").longest
        if longest not in sources:
            names = [
                name for name in map(_last_part, options.places) if options.scale(name, "places").longest == longest
            ]
            sources[longest] = PairSources(
                {f"{name}/{job.item.name}": job.files[0] for name in names for job in jobs[name]}
            )
        add(path, "prepared pairs", partial(pair_jobs, sources[longest]))
    return collections, jobs


def _plan_shards(collection: str, jobs: Sequence[Job], scale: Scale) -> list[_Plan]:
    plans = []
    for split in SPLITS:
        groups: list[list[Job]] = []
        for job in (each for each in jobs if each.split == split):
            if not groups or sum(each.item.frames for each in groups[-1]) >= _SHARD_FRAMES:
                groups.append([])
            groups[-1].append(job)
        for number, group in enumerate(groups):
            name = f"{collection}-{split}-{number:06d}.tar"
            plans.append(_Plan(collection, split, name, group, _hash_inputs(group, scale)))
    return plans


def _last_part(path: str) -> str:
    return Path(path).name


def _hash_inputs(jobs: Sequence[Job], scale: Scale) -> str:
    digest = hashlib.sha256(repr((scale, [job.item for job in jobs])).encode())
    for job in jobs:
        for path in job.files:
            digest.update(bytes.fromhex(file_hash(path)))
    return digest.hexdigest()


def _kept_shards(output: Path, plans: Sequence[_Plan]) -> dict[str, Shard]:
    """Shards of an earlier call that are as they would be written now, by name."""
    if not is_pack(output):
        return {}
    clear_leftovers([output / MANIFEST, *(output / plan.name for plan in plans)])
    before = {shard.name: shard for each in read_manifest(output).collections.values() for shard in each.all_shards}
    kept = {}
    for plan in plans:
        shard = before.get(plan.name)
        path = output / plan.name
        if shard and shard.inputs == plan.inputs and path.is_file() and file_hash(path) == shard.sha256:
            kept[plan.name] = shard
    return kept


def _write_shard(output: Path, plan: _Plan) -> Shard:
    with ThreadPoolExecutor(count_cores()) as pool:
        members = [member for found in pool.map(lambda job: job.encode(), plan.jobs) for member in found]
    data = _make_tar(members)
    write_whole(output / plan.name, data)
    decoded = sum(member.decoded for member in members)
    items = [job.item for job in plan.jobs]
    return Shard(plan.name, plan.inputs, hashlib.sha256(data).hexdigest(), len(data), decoded, items)


def _make_tar(members: Sequence[Member]) -> bytes:
    """A tar file whose bytes depend on its members alone: no times, owners or permissions of this machine."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            header = tarfile.TarInfo(member.name)
            header.size = len(member.data)
            tar.addfile(header, io.BytesIO(member.data))
    return buffer.getvalue()


def _assemble(
    collections: dict[str, Collection], plans: Sequence[_Plan], done: dict[str, Shard], options: PackOptions
) -> Manifest:
    """The manifest of the shards that are done."""
    filled = {name: Collection(each.kind, each.has_licence_folders) for name, each in collections.items()}
    for plan in plans:
        if plan.name in done:
            filled[plan.collection].shards.setdefault(plan.split, []).append(done[plan.name])
    return Manifest(asdict(options), filled)


def _copy_terms(folders: dict[str, Path], output: Path) -> dict[str, str]:
    """Copy what says whose the collections are; returns the hashes of the copies by their paths in the pack."""
    hashes = {}
    for collection, folder in folders.items():
        found = (path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(_TERMS))
        for path in sorted(found):
            copy = Path(LICENCES) / collection / path.name
            make_folder((output / copy).parent)
            write_whole(output / copy, path.read_bytes())
            hashes[copy.as_posix()] = file_hash(output / copy)
    return hashes


def _remove_others(output: Path, plans: Sequence[_Plan]) -> None:
    """Remove shards of an earlier call that this one has not made."""
    names = {plan.name for plan in plans}
    for path in output.glob("*.tar"):
        if path.name not in names:
            path.unlink()
