"""What goes into a pack: the items of collections, the files each is made from, and its encoded members."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from howard.data import pairs
from howard.data.pack import layout
from howard.data.pack.encoding import encode_colour, encode_exact
from howard.data.pack.layout import PackItem
from howard.data.pairs import PairPictures, PreparedPair
from howard.data.people import PersonClip, scan_people
from howard.data.pictures import read_picture, shrink
from howard.data.places import Place, read_place, scan_places
from howard.data.splits import Split

Found = TypeVar("Found", PersonClip, Place)
# Mean absolute difference, in levels of 255, up to which two pictures are one encoded twice: JPEG of quality 92 and 95
# differ by about 1, views of different rooms by more than 20.
_SAME_PICTURE = 2.0


class Scale(NamedTuple):
    """Longest side of a collection's pictures in pixels, WebP quality of colours (0-100), frames kept of a clip."""

    longest: int
    quality: int
    clip_frames: int | None = None


class Member(NamedTuple):
    """A file of a shard, and the bytes that its picture takes once decoded."""

    name: str
    data: bytes
    decoded: int


class Job(NamedTuple):
    """An item, its split, the files that it is made from, and what encodes it."""

    item: PackItem
    split: Split
    files: tuple[Path, ...]
    encode: Callable[[], list[Member]]


def people_jobs(folder: Path, scale: Scale, most: int | None = None) -> list[Job]:
    """Every person of a collection, of the training split ``most`` at most.

    Raises:
        InputError: as :func:`howard.data.people.scan_people`.
    """
    found = _thinned(scan_people(folder), most)
    jobs = []
    for (clip, split), key in zip(found, _unique_keys(clip.name for clip, _ in found), strict=True):
        indices = _spread(clip.frame_count, scale.clip_frames)
        item = PackItem(key, len(indices))
        encode = partial(_encode_person, clip, indices, item, scale)
        jobs.append(Job(item, split, clip.foreground + clip.alpha, encode))
    return jobs


def place_jobs(licences: Sequence[str], folder: Path, scale: Scale, most: int | None = None) -> list[Job]:
    """Every place of a collection, of the training split ``most`` at most.

    Raises:
        InputError: as :func:`howard.data.places.scan_places`.
    """
    found = _thinned(scan_places(folder, tuple(licences)), most)
    jobs = []
    for (place, split), key in zip(found, _unique_keys(_place_name(place) for place, _ in found), strict=True):
        item = PackItem(key, place.picture_count)
        jobs.append(Job(item, split, (place.path,), partial(_encode_place, place, item, scale)))
    return jobs


class PairSources:
    """Finds for a prepared pair a picture of the pack that is its source already.

    Pairs are called ``VIEW_NUMBER``, after the view that they were prepared from: a place of that name or an earlier
    pair of that view counts where the pictures differ by no more than JPEG's error.

    Args:
        places: path of the picture by ``COLLECTION/NAME``.
    """

    def __init__(self, places: dict[str, Path]) -> None:
        self._by_view: dict[str, list[tuple[str, Path]]] = {}
        for reference, path in places.items():
            self._by_view.setdefault(reference.partition("/")[2].replace("/", "_"), []).append((reference, path))

    def find(self, pair: PreparedPair) -> str | None:
        """``COLLECTION/NAME`` of the picture; None where there is none."""
        known = self._by_view.get(_view_of(pair), [])
        picture = read_picture(pair.path(pairs.SOURCE)) if known else None
        for reference, path in known:
            if picture is not None and _is_same(picture, read_picture(path)):
                return reference
        return None

    def add(self, reference: str, pair: PreparedPair) -> None:
        """From now on the source of ``pair``, called ``reference``, counts too."""
        self._by_view.setdefault(_view_of(pair), []).append((reference, pair.path(pairs.SOURCE)))


def pair_jobs(sources: PairSources, folder: Path, scale: Scale, most: int | None = None) -> list[Job]:
    """Prepared pairs of the training split, the only ones that training reads.

    Args:
        sources: finds their sources, and is told of those that the pack gets with them.
        folder: of the collection.
        scale: sizes and quality.
        most: how many; if there are enough, only such as have their source in the pack already.

    Raises:
        InputError: there are none, or a picture cannot be read.
    """
    found = pairs.find_pairs(folder, "train")
    if most is not None and most < len(found):
        sharing = [pair for pair in found if sources.find(pair) is not None]
        candidates = sharing if len(sharing) >= most else found
        found = [candidates[index] for index in _spread(len(candidates), most)]
    jobs = []
    for pair, key in zip(found, _unique_keys(pair.name for pair in found), strict=True):
        item = PackItem(key, source=sources.find(pair))
        if item.source is None:
            sources.add(f"{folder.name}/{key}", pair)
        files = tuple(pair.path(ending) for ending in pairs.ENDINGS)
        jobs.append(Job(item, "train", files, partial(_encode_pair, pair, item, scale)))
    return jobs


def _encode_person(clip: PersonClip, indices: Sequence[int], item: PackItem, scale: Scale) -> list[Member]:
    members = []
    for index, key in zip(indices, item.keys, strict=True):
        foreground, alpha = (shrink(picture, scale.longest) for picture in clip.read(index))
        members.append(_colour(f"{key}.{layout.FOREGROUND}", foreground, scale.quality))
        members.append(_exact(f"{key}.{layout.ALPHA}", alpha))
    return members


def _encode_place(place: Place, item: PackItem, scale: Scale) -> list[Member]:
    pictures = read_place(place, scale.longest)
    keys = zip(item.keys, pictures, strict=True)
    return [_colour(f"{key}.{layout.SOURCE}", picture, scale.quality) for key, picture in keys]


def _encode_pair(pair: PreparedPair, item: PackItem, scale: Scale) -> list[Member]:
    pictures = PairPictures(*(shrink(picture, scale.longest) for picture in pair.read()))
    members = [
        _colour(f"{item.name}.{layout.PLATE}", pictures.plate, scale.quality),
        _exact(f"{item.name}.{layout.COVERAGE}", pictures.coverage),
        _colour(f"{item.name}.{layout.FOREGROUND}", pictures.foreground, scale.quality),
        _exact(f"{item.name}.{layout.ALPHA}", pictures.alpha),
    ]
    if item.source is None:
        members.append(_colour(f"{item.name}.{layout.SOURCE}", pictures.source, scale.quality))
    return members


def _colour(stem: str, picture: np.ndarray, quality: int) -> Member:
    encoded = encode_colour(picture, quality)
    return Member(f"{stem}.{encoded.ending}", encoded.data, picture.nbytes)


def _exact(stem: str, picture: np.ndarray) -> Member:
    encoded = encode_exact(picture)
    return Member(f"{stem}.{encoded.ending}", encoded.data, picture.nbytes)


def _thinned(found: Sequence[tuple[Found, Split]], most: int | None) -> list[tuple[Found, Split]]:
    """All, but of the training split ``most`` at most, evenly spread."""
    trained = [index for index, (_, split) in enumerate(found) if split == "train"]
    kept = {trained[index] for index in _spread(len(trained), most)}
    return [each for index, each in enumerate(found) if each[1] != "train" or index in kept]


def _spread(count: int, most: int | None) -> list[int]:
    """Indices below ``count``, ``most`` at most, evenly spread from the first to the last."""
    return list(range(count)) if most is None or most >= count else np.linspace(0, count - 1, most).astype(int).tolist()


def _view_of(pair: PreparedPair) -> str:
    return pair.name.rpartition("_")[0]


def _place_name(place: Place) -> str:
    """Without the ending that names from a manifest or of plain files have."""
    return place.name.removesuffix(place.path.suffix)


def _unique_keys(names: Iterable[str]) -> Iterator[str]:
    """Names as keys, which have no dots; of several that then agree the later ones get a number."""
    seen: dict[str, int] = {}
    for name in names:
        key = name.replace(".", "_")
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key = f"{key}~{seen[key]}"
        yield key


def _is_same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(np.int16) - other).mean()) < _SAME_PICTURE
