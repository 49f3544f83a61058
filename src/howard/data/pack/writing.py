"""Writes a pack: ``python -m howard.data pack=ROOT output=FOLDER``."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

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
from howard.data.pack.pack_options import PackOptions, last_part
from howard.data.pack.shard_items import ItemTask, Member, PairSources, Scale, pair_tasks, people_tasks, place_tasks
from howard.data.place_collections import has_manifest
from howard.data.splits import SPLITS, Split
from howard.errors import OutputError
from howard.machine import count_cores
from howard.media import write_atomically
from howard.media.files import contains_files, make_folder, remove_temporary_files

_SHARD_FRAMES = 256  # images, or pairs of colour and alpha, after which a new shard begins
# Beginnings of the names of files that state the authors and the licence of a collection.
_LICENCE_FILES = ("readme", "licen", "attribution", "notice", "copying", "manifest.csv")


class _Plan(NamedTuple):
    """A shard to be written; ``inputs`` is the hash of the files and settings that it is made from."""

    collection: str
    split: Split
    name: str
    tasks: list[ItemTask]
    inputs: str


def write_pack(
    root: Path, output: Path, options: PackOptions, progress: Callable[[int, int], None] = lambda done, total: None
) -> Manifest:
    """Write a pack. The same input gives the same bytes. Shards of an interrupted call are kept.

    Args:
        root: folder of the collections.
        output: folder of the pack; an existing pack is updated.
        options: what goes into the pack.
        progress: called with the number of shards done and the number of all.

    Raises:
        InputError: a collection is missing, or one of its files cannot be read.
        OutputError: the folder contains other files, or cannot be written to.
        SettingsError: an option is invalid.
    """
    if output.is_dir() and contains_files(output) and not is_pack(output):
        raise OutputError(f"{output} contains other files; choose an empty folder for the pack")
    collections, tasks = _list_tasks(root, options)
    plans = []
    for name, collection in collections.items():
        plans += _plan_shards(name, tasks[name], options.scale(name, collection.kind))
    make_folder(output)
    done = _kept_shards(output, plans)
    manifest = _make_manifest(collections, plans, done, options)
    for plan in plans:
        if plan.name not in done:
            done[plan.name] = _write_shard(output, plan)
            manifest = _make_manifest(collections, plans, done, options)
            write_atomically(output / MANIFEST, manifest.encode())
        progress(len(done), len(plans))
    names = (*options.people, *options.places, *options.prepared)
    manifest.files = _copy_licence_files({last_part(name): root / name for name in names}, output)
    manifest.is_complete = True
    write_atomically(output / MANIFEST, manifest.encode())
    _remove_other_shards(output, plans)
    return manifest


def _list_tasks(root: Path, options: PackOptions) -> tuple[dict[str, Collection], dict[str, list[ItemTask]]]:
    """Empty collections, and the tasks that make their items, by name."""
    collections: dict[str, Collection] = {}
    tasks: dict[str, list[ItemTask]] = {}

    def add(path: str, kind: Kind, list_items: Callable[[Path, Scale, int | None], list[ItemTask]]) -> None:
        folder, name = root / path, last_part(path)
        collections[name] = Collection(kind, has_licence_folders=kind == "places" and has_manifest(folder))
        tasks[name] = list_items(folder, options.scale(name, kind), options.most.get(name))

    for path in options.people:
        add(path, "people", people_tasks)
    for path in options.places:
        add(path, "places", partial(place_tasks, options.licences))
    # The images of a pair have one size, so a pair can only share a source of the same scale.
    sources: dict[int, PairSources] = {}
    for path in options.prepared:
        longest = options.scale(last_part(path), "prepared pairs").longest
        if longest not in sources:
            names = [
                name for name in map(last_part, options.places) if options.scale(name, "places").longest == longest
            ]
            sources[longest] = PairSources(
                {f"{name}/{task.item.name}": task.files[0] for name in names for task in tasks[name]}
            )
        add(path, "prepared pairs", partial(pair_tasks, sources[longest]))
    return collections, tasks


def _plan_shards(collection: str, tasks: Sequence[ItemTask], scale: Scale) -> list[_Plan]:
    plans = []
    for split in SPLITS:
        groups: list[list[ItemTask]] = []
        for task in (each for each in tasks if each.split == split):
            if not groups or sum(each.item.frames for each in groups[-1]) >= _SHARD_FRAMES:
                groups.append([])
            groups[-1].append(task)
        for number, group in enumerate(groups):
            name = f"{collection}-{split}-{number:06d}.tar"
            plans.append(_Plan(collection, split, name, group, _hash_inputs(group, scale)))
    return plans


def _hash_inputs(tasks: Sequence[ItemTask], scale: Scale) -> str:
    # Includes the class names Scale and PackItem and their fields: renaming them would invalidate existing packs.
    digest = hashlib.sha256(repr((scale, [task.item for task in tasks])).encode())
    for task in tasks:
        for path in task.files:
            digest.update(bytes.fromhex(file_hash(path)))
    return digest.hexdigest()


def _kept_shards(output: Path, plans: Sequence[_Plan]) -> dict[str, Shard]:
    """Shards of an earlier call whose inputs and files are unchanged, by name."""
    if not is_pack(output):
        return {}
    remove_temporary_files([output / MANIFEST, *(output / plan.name for plan in plans)])
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
        members = [member for found in pool.map(lambda task: task.encode(), plan.tasks) for member in found]
    data = _make_tar(members)
    write_atomically(output / plan.name, data)
    decoded = sum(member.decoded for member in members)
    items = [task.item for task in plan.tasks]
    return Shard(plan.name, plan.inputs, hashlib.sha256(data).hexdigest(), len(data), decoded, items)


def _make_tar(members: Sequence[Member]) -> bytes:
    """A reproducible tar file: its headers have no times, owners or permissions."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            header = tarfile.TarInfo(member.name)
            header.size = len(member.data)
            tar.addfile(header, io.BytesIO(member.data))
    return buffer.getvalue()


def _make_manifest(
    collections: dict[str, Collection], plans: Sequence[_Plan], done: dict[str, Shard], options: PackOptions
) -> Manifest:
    """The manifest of the shards written so far."""
    filled = {name: Collection(each.kind, each.has_licence_folders) for name, each in collections.items()}
    for plan in plans:
        if plan.name in done:
            filled[plan.collection].shards.setdefault(plan.split, []).append(done[plan.name])
    return Manifest(asdict(options), filled)


def _copy_licence_files(folders: dict[str, Path], output: Path) -> dict[str, str]:
    """Copy readme and licence files of the collections; returns the hashes of the copies by their paths in the pack."""
    hashes = {}
    for collection, folder in folders.items():
        found = (path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(_LICENCE_FILES))
        for path in sorted(found):
            copy = Path(LICENCES) / collection / path.name
            make_folder((output / copy).parent)
            write_atomically(output / copy, path.read_bytes())
            hashes[copy.as_posix()] = file_hash(output / copy)
    return hashes


def _remove_other_shards(output: Path, plans: Sequence[_Plan]) -> None:
    """Remove shards of an earlier call that are not part of this pack."""
    names = {plan.name for plan in plans}
    for path in output.glob("*.tar"):
        if path.name not in names:
            path.unlink()
