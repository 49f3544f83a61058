"""What is in a data folder, and what in it is broken."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from howard.data.people import ALPHA_FOLDERS, PersonClip, scan_people
from howard.data.pictures import PICTURES, VIDEOS, pictures_below, read_picture, read_video_frame
from howard.data.places import Place, scan_places
from howard.data.splits import Split
from howard.errors import InputError

_THREADS = 4
Size = tuple[int, int]  # width, height


@dataclass
class CollectionReport:
    """A collection: ``kind`` is people, places or plate pairs; ``broken`` holds one line for each broken file."""

    name: str
    kind: str
    clips: Counter[Split] = field(default_factory=Counter)
    frames: Counter[Split] = field(default_factory=Counter)
    sizes: Counter[Size] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def find_collections(folder: Path) -> list[Path]:
    """The folder itself where it is one collection, or else the collections in it, by name.

    Raises:
        InputError: there is no such folder, or nothing in it looks like a collection.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    if (
        (folder / "manifest.csv").is_file()
        or _holds_files(folder)
        or any((folder / each).is_dir() for each in ALPHA_FOLDERS)
    ):
        return [folder]
    found = [each for each in sorted(folder.iterdir()) if each.is_dir() and pictures_below(each, PICTURES | VIDEOS)]
    if not found:
        raise InputError(f"{folder} holds no pictures and no videos; see data/README.md for how data is laid out")
    return found


def check_collection(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> CollectionReport:
    """Decode everything in a collection.

    Args:
        folder: of people or of places.
        progress: told how many frames of how many are done.
    """
    is_people = any(_is_alpha(path) for path in pictures_below(folder, PICTURES | VIDEOS))
    report = CollectionReport(folder.name, "people" if is_people else "places")
    try:
        found = scan_people(folder) if is_people else scan_places(folder)
    except InputError as error:
        report.broken.append(str(error))
        return report
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
        if isinstance(item, Place):
            report.kind = "plate pairs" if item.plate else report.kind
            if "/" in item.name:
                report.licences[item.name.split("/")[0]] += 1
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, outcome in enumerate(pool.map(_outcome, readings), start=1):
            if isinstance(outcome, str):
                report.broken.append(outcome)
            else:
                report.sizes[outcome] += 1
            progress(done, len(readings))
    return report


def _readings(item: PersonClip | Place) -> Iterator[Callable[[], Size]]:
    """One function a frame, that decodes it and gives its size."""
    if isinstance(item, PersonClip):
        for index in range(item.frame_count):
            yield partial(_person_size, item, index)
        return
    for path in filter(None, (item.path, item.plate)):
        if path.suffix.lower() in VIDEOS:
            yield partial(_video_size, path)
        else:
            yield partial(_picture_size, path)


def _person_size(clip: PersonClip, index: int) -> Size:
    height, width = clip.read(index).alpha.shape
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


def _holds_files(folder: Path) -> bool:
    return any(path.suffix.lower() in PICTURES | VIDEOS for path in folder.iterdir())


def _is_alpha(path: Path) -> bool:
    return path.stem.endswith("_pha") or any(part in ALPHA_FOLDERS for part in path.parts)
