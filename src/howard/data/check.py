"""What is in a data folder, and what in it is broken."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from howard.data.pack.layout import is_pack
from howard.data.pairs import COVERAGE, PreparedPair
from howard.data.people import ALPHA_FOLDERS, PersonClip, scan_people
from howard.data.pictures import PICTURES, VIDEOS, is_cut_out, pictures_below, read_picture, read_video_frame
from howard.data.places import Place, is_licensed, licence_of, scan_places
from howard.data.splits import Split, has_split_lists, read_split_lists, split_by_folder
from howard.errors import InputError

_THREADS = 4
Size = tuple[int, int]  # width, height
Kind = Literal["people", "places", "plate pairs", "prepared pairs"]
Item = PersonClip | Place | PreparedPair


@dataclass
class CollectionReport:
    """A collection; ``broken`` holds one line for each broken file."""

    name: str
    kind: Kind
    clips: Counter[Split] = field(default_factory=Counter)
    frames: Counter[Split] = field(default_factory=Counter)
    sizes: Counter[Size] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def find_collections(folder: Path) -> list[Path]:
    """The folder itself where it is a pack or one collection, or else the packs and collections in it, by name.

    Clips to score (see :mod:`howard.evaluation`) are none of them, but collections with lists may lie inside their
    folder, as in ``data/sample``. An empty folder counts, so that it is reported.

    Raises:
        InputError: there is no such folder, or nothing in it looks like a collection.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    if is_pack(folder) or _is_collection(folder):
        return [folder]
    found = _collections_in(folder)
    if not found:
        raise InputError(f"{folder} holds no pictures and no videos; see data/README.md for how data is laid out")
    return found


def _collections_in(folder: Path) -> list[Path]:
    inner = sorted(each for each in folder.iterdir() if each.is_dir())
    if _is_scored_clip(folder):
        return [each for each in inner if _has_lists(each)]
    found: list[Path] = []
    for each in inner:
        if _is_scored_clip(each) or any(map(_is_scored_clip, each.iterdir())):
            found += _collections_in(each)
        elif is_pack(each) or pictures_below(each, PICTURES | VIDEOS) or not any(each.iterdir()):
            found.append(each)
    return found


def _is_collection(folder: Path) -> bool:
    if _has_lists(folder):
        return True
    inner = list(folder.iterdir())
    holds_files = any(path.suffix.lower() in PICTURES | VIDEOS for path in inner)
    # As published: train/fgr and train/pha, validation/P3M-500-P/mask.
    sides = [path for path in inner if path.is_dir() and split_by_folder(Path(path.name))]
    return not _is_scored_clip(folder) and (holds_files or any(map(_holds_alpha, (folder, *sides))))


def _holds_alpha(folder: Path) -> bool:
    return any(path.is_dir() and path.name.lower() in ALPHA_FOLDERS for path in folder.iterdir())


def _has_lists(folder: Path) -> bool:
    return is_licensed(folder) or has_split_lists(folder)


def _is_scored_clip(folder: Path) -> bool:
    return (folder / "shot.mp4").is_file() and (folder / "plate.mp4").is_file()


def check_collection(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> CollectionReport:
    """Decode everything in a collection.

    Args:
        folder: of people, of places or of prepared pairs.
        progress: told how many frames of how many are done.
    """
    report = CollectionReport(folder.name, kind_of(folder))
    try:
        found = _scan(folder, report.kind)
    except InputError as error:
        report.broken.append(str(error))
        return report
    if not found:
        report.broken.append(f"{folder} is empty; put its pictures back, or remove it")
    readings: list[Callable[[], Size]] = []
    for item, split in found:
        report.clips[split] += 1
        try:
            frames = list(_readings(item))
        except InputError as error:
            report.broken.append(str(error))
            continue
        report.frames[split] += len(frames)
        readings += frames
        if isinstance(item, Place) and is_licensed(folder):
            report.licences[licence_of(item)] += 1
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, outcome in enumerate(pool.map(_outcome, readings), start=1):
            if isinstance(outcome, str):
                report.broken.append(outcome)
            else:
                report.sizes[outcome] += 1
            progress(done, len(readings))
    return report


def kind_of(folder: Path) -> Kind:
    """What is in a collection, by how its files are called."""
    files = pictures_below(folder, PICTURES | VIDEOS)
    if any(path.name.endswith(f"_{COVERAGE}") for path in files):
        return "prepared pairs"
    if any(path.stem.endswith("_pha") or _is_in_alpha_folder(path.relative_to(folder)) for path in files):
        return "people"
    if files and all(map(is_cut_out, files)):
        return "people"
    return "plate pairs" if any(path.stem.endswith("_plate") for path in files) else "places"


def _is_in_alpha_folder(path: Path) -> bool:
    return any(part.lower() in ALPHA_FOLDERS for part in path.parts)


def _scan(folder: Path, kind: Kind) -> Sequence[tuple[Item, Split]]:
    if kind == "prepared pairs":
        return [(PreparedPair(name, folder), split) for name, split in (read_split_lists(folder) or {}).items()]
    return scan_people(folder) if kind == "people" else scan_places(folder)


def _readings(item: Item) -> Iterator[Callable[[], Size]]:
    """One function a frame, that decodes it and gives its size."""
    if isinstance(item, PersonClip):
        for index in range(item.frame_count):
            yield partial(_person_size, item, index)
        return
    if isinstance(item, PreparedPair):
        yield partial(_pair_size, item)
        return
    for path in filter(None, (item.path, item.plate)):
        if path.suffix.lower() in VIDEOS:
            yield partial(_video_size, path)
        else:
            yield partial(_picture_size, path)


def _person_size(clip: PersonClip, index: int) -> Size:
    height, width = clip.read(index).alpha.shape
    return width, height


def _pair_size(pair: PreparedPair) -> Size:
    height, width = pair.read().alpha.shape
    return width, height


def _picture_size(path: Path) -> Size:
    height, width = read_picture(path).shape[:2]
    return width, height


def _video_size(path: Path) -> Size:
    height, width = read_video_frame(path, 0).shape[:2]
    return width, height


def _outcome(reading: Callable[[], Size]) -> Size | str:
    try:
        return reading()
    except InputError as error:
        return str(error)
