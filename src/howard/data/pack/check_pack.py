"""Lists what a pack contains and which of its files are broken; see also :func:`howard.data.check.check_collection`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from howard.data.check import CollectionReport, Size
from howard.data.pack.layout import LICENCES, Collection, Shard, file_hash
from howard.data.pack.packed_images import PackedImage
from howard.data.pack.reading import Pack, read_complete_manifest
from howard.data.splits import SPLITS, Split
from howard.errors import InputError
from howard.machine import count_cores


def check_pack(
    folder: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, CollectionReport]:
    """Check every hash of a pack and decode every image; returns a report for each collection.

    Args:
        folder: of the pack.
        progress: called with the number of shards done and the number of all.

    Raises:
        InputError: there is no pack, its manifest is damaged, or writing it was interrupted.
    """
    pack = Pack(folder, read_complete_manifest(folder))
    collections = pack.manifest.collections
    shards: list[tuple[str, Split, Shard]] = [
        (name, split, shard)
        for name, collection in collections.items()
        for split in SPLITS
        for shard in collection.shards.get(split, [])
    ]
    reports = {name: CollectionReport(name, collection.kind) for name, collection in collections.items()}
    for done, (name, split, shard) in enumerate(shards, start=1):
        report = reports[name]
        report.clips[split] += len(shard.items)
        report.frames[split] += sum(item.frames for item in shard.items)
        _check_shard(pack, shard, report)
        progress(done, len(shards))
    for name, collection in collections.items():
        _count_licences(collection, reports[name])
        reports[name].broken += _damaged_licence_files(pack, name)
    return reports


def _check_shard(pack: Pack, shard: Shard, report: CollectionReport) -> None:
    try:
        images = pack.index(shard).values()
    except InputError as error:
        report.broken.append(str(error))
        return
    with ThreadPoolExecutor(count_cores()) as pool:
        for outcome in pool.map(_size_or_error, images):
            if isinstance(outcome, str):
                report.broken.append(outcome)
            else:
                report.sizes[outcome] += 1


def _size_or_error(image: PackedImage) -> Size | str:
    """Width and height of an image, or the error of reading it."""
    try:
        height, width = image.read().shape[:2]
    except InputError as error:
        return str(error)
    return width, height


def _count_licences(collection: Collection, report: CollectionReport) -> None:
    if collection.has_licence_folders:
        for shard in collection.all_shards:
            report.licences.update(item.name.partition("/")[0] for item in shard.items)


def _damaged_licence_files(pack: Pack, name: str) -> list[str]:
    """A line for each licence file of a collection that is missing or whose hash differs from the manifest's."""
    lines = []
    for path, expected in pack.manifest.files.items():
        if path.startswith(f"{LICENCES}/{name}/"):
            try:
                if file_hash(pack.folder / path) != expected:
                    lines.append(f"{pack.folder / path} is damaged; copy or pack it again")
            except InputError as error:
                lines.append(str(error))
    return lines
