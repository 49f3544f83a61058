"""Lists what a data folder contains and which of its files are broken."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from howard.data.image_files import (
    MEDIA_SUFFIXES,
    VIDEO_SUFFIXES,
    find_files,
    is_rgba_png,
    read_image,
    read_video_frame,
)
from howard.data.pack.layout import is_pack
from howard.data.people_collections import ALPHA_FOLDERS, PersonClip, list_people
from howard.data.place_collections import Place, has_manifest, licence_folder, list_places
from howard.data.prepared_pairs import COVERAGE, PreparedPair
from howard.data.splits import Split, has_split_lists, read_split_lists, split_by_folder
from howard.errors import InputError

_THREADS = 4
Size = tuple[int, int]  # width, height
CollectionKind = Literal["people", "places", "plate pairs", "prepared pairs"]
Item = PersonClip | Place | PreparedPair


@dataclass
class CollectionReport:
    """Contents of a collection: counts by split, image size and licence; ``broken`` has a line for each broken file."""

    name: str
    kind: CollectionKind
    clips: Counter[Split] = field(default_factory=Counter)
    frames: Counter[Split] = field(default_factory=Counter)
    sizes: Counter[Size] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def find_collections(folder: Path) -> list[Path]:
    """The folder itself if it is a pack or a collection, else the packs and collections in it, sorted by name.

    Clips with ground truth (see :mod:`howard.evaluation`) are left out, but collections with lists may be inside their
    folder, as in ``data/sample``. Empty folders are included, so that they are reported.

    Raises:
        InputError: the folder is missing, or nothing in it looks like a collection.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    if is_pack(folder) or _is_collection(folder):
        return [folder]
    found = _collections_in(folder)
    if not found:
        raise InputError(f"{folder} has no images and no videos; see data/README.md for the layout of a data folder")
    return found


def _collections_in(folder: Path) -> list[Path]:
    inner = sorted(each for each in folder.iterdir() if each.is_dir())
    if _is_true_clip(folder):
        return [each for each in inner if _has_lists(each)]
    found: list[Path] = []
    for each in inner:
        if _is_true_clip(each) or any(map(_is_true_clip, each.iterdir())):
            found += _collections_in(each)
        elif is_pack(each) or find_files(each, MEDIA_SUFFIXES) or not any(each.iterdir()):
            found.append(each)
    return found


def _is_collection(folder: Path) -> bool:
    if _has_lists(folder):
        return True
    inner = list(folder.iterdir())
    has_media = any(path.suffix.lower() in MEDIA_SUFFIXES for path in inner)
    # Layouts of published data sets: train/fgr and train/pha, validation/P3M-500-P/mask.
    split_folders = [path for path in inner if path.is_dir() and split_by_folder(Path(path.name))]
    return not _is_true_clip(folder) and (has_media or any(map(_has_alpha_folder, (folder, *split_folders))))


def _has_alpha_folder(folder: Path) -> bool:
    return any(path.is_dir() and path.name.lower() in ALPHA_FOLDERS for path in folder.iterdir())


def _has_lists(folder: Path) -> bool:
    return has_manifest(folder) or has_split_lists(folder)


def _is_true_clip(folder: Path) -> bool:
    return (folder / "shot.mp4").is_file() and (folder / "plate.mp4").is_file()


def check_collection(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> CollectionReport:
    """Decode every image of a collection.

    Args:
        folder: a collection of people, of places or of prepared pairs.
        progress: called with the number of frames done and the number of all.
    """
    report = CollectionReport(folder.name, collection_kind(folder))
    try:
        found = _list_items(folder, report.kind)
    except InputError as error:
        report.broken.append(str(error))
        return report
    if not found:
        report.broken.append(f"{folder} is empty; restore its images, or remove it")
    readers: list[Callable[[], Size]] = []
    for item, split in found:
        report.clips[split] += 1
        try:
            frames = list(_frame_readers(item))
        except InputError as error:
            report.broken.append(str(error))
            continue
        report.frames[split] += len(frames)
        readers += frames
        if isinstance(item, Place) and has_manifest(folder):
            report.licences[licence_folder(item)] += 1
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, outcome in enumerate(pool.map(_size_or_error, readers), start=1):
            if isinstance(outcome, str):
                report.broken.append(outcome)
            else:
                report.sizes[outcome] += 1
            progress(done, len(readers))
    return report


def collection_kind(folder: Path) -> CollectionKind:
    """The kind of a collection, from the names of its files."""
    files = find_files(folder, MEDIA_SUFFIXES)
    if any(path.name.endswith(f"_{COVERAGE}") for path in files):
        return "prepared pairs"
    if any(path.stem.endswith("_pha") or _is_in_alpha_folder(path.relative_to(folder)) for path in files):
        return "people"
    if files and all(map(is_rgba_png, files)):
        return "people"
    return "plate pairs" if any(path.stem.endswith("_plate") for path in files) else "places"


def _is_in_alpha_folder(path: Path) -> bool:
    return any(part.lower() in ALPHA_FOLDERS for part in path.parts)


def _list_items(folder: Path, kind: CollectionKind) -> Sequence[tuple[Item, Split]]:
    if kind == "prepared pairs":
        return [(PreparedPair(name, folder), split) for name, split in (read_split_lists(folder) or {}).items()]
    return list_people(folder) if kind == "people" else list_places(folder)


def _frame_readers(item: Item) -> Iterator[Callable[[], Size]]:
    """A function per frame that decodes it and returns its size."""
    if isinstance(item, PersonClip):
        for index in range(item.frame_count):
            yield partial(_person_size, item, index)
        return
    if isinstance(item, PreparedPair):
        yield partial(_pair_size, item)
        return
    for path in filter(None, (item.path, item.plate)):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            yield partial(_video_size, path)
        else:
            yield partial(_image_size, path)


def _person_size(clip: PersonClip, index: int) -> Size:
    height, width = clip.read(index).alpha.shape
    return width, height


def _pair_size(pair: PreparedPair) -> Size:
    height, width = pair.read().alpha.shape
    return width, height


def _image_size(path: Path) -> Size:
    height, width = read_image(path).shape[:2]
    return width, height


def _video_size(path: Path) -> Size:
    height, width = read_video_frame(path, 0).shape[:2]
    return width, height


def _size_or_error(reader: Callable[[], Size]) -> Size | str:
    try:
        return reader()
    except InputError as error:
        return str(error)
