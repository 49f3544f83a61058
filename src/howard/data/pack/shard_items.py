"""Lists the items of collections that go into a pack, and encodes each into the members of a tar shard."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from howard.data import prepared_pairs
from howard.data.image_files import downscale, read_image
from howard.data.pack import layout
from howard.data.pack.layout import PackItem
from howard.data.pack.packed_images import encode_lossless, encode_lossy
from howard.data.people_collections import PersonClip, list_people
from howard.data.place_collections import Place, list_places, read_place
from howard.data.prepared_pairs import PairImages, PreparedPair
from howard.data.splits import Split

Found = TypeVar("Found", PersonClip, Place)
# Mean absolute difference, in levels of 255, below which two images count as the same image encoded twice: JPEG
# qualities 92 and 95 differ by about 1, views of different rooms by more than 20.
_SAME_IMAGE = 2.0


class Scale(NamedTuple):
    """Long side of a collection's images in pixels, WebP quality of colours (0-100), frames kept of each clip."""

    longest: int
    quality: int
    clip_frames: int | None = None


class Member(NamedTuple):
    """A file of a shard: name, content, and the bytes of its decoded image."""

    name: str
    data: bytes
    decoded: int


class ItemTask(NamedTuple):
    """An item to be packed: its split, the files that it is made from, and a function that encodes it."""

    item: PackItem
    split: Split
    files: tuple[Path, ...]
    encode: Callable[[], list[Member]]


def people_tasks(folder: Path, scale: Scale, most: int | None = None) -> list[ItemTask]:
    """All people of a collection, but at most ``most`` of the training split.

    Raises:
        InputError: as :func:`howard.data.people_collections.list_people`.
    """
    found = _limit_training_items(list_people(folder), most)
    tasks = []
    for (clip, split), key in zip(found, _unique_keys(clip.name for clip, _ in found), strict=True):
        indices = _evenly_spaced(clip.frame_count, scale.clip_frames)
        item = PackItem(key, len(indices))
        encode = partial(_encode_person, clip, indices, item, scale)
        tasks.append(ItemTask(item, split, clip.foreground + clip.alpha, encode))
    return tasks


def place_tasks(licences: Sequence[str], folder: Path, scale: Scale, most: int | None = None) -> list[ItemTask]:
    """All places of a collection under these licences, but at most ``most`` of the training split.

    Raises:
        InputError: as :func:`howard.data.place_collections.list_places`.
    """
    found = _limit_training_items(list_places(folder, tuple(licences)), most)
    tasks = []
    for (place, split), key in zip(found, _unique_keys(_place_name(place) for place, _ in found), strict=True):
        item = PackItem(key, place.image_count)
        tasks.append(ItemTask(item, split, (place.path,), partial(_encode_place, place, item, scale)))
    return tasks


class PairSources:
    """Finds images of the pack that equal the source of a prepared pair, so that it need not be stored twice.

    Pairs are named ``VIEW_NUMBER`` after the view that they were prepared from. Candidates are the place of that name
    and earlier pairs of that view; they match if the images differ by no more than a JPEG compression.

    Args:
        places: image files by ``COLLECTION/NAME``.
    """

    def __init__(self, places: dict[str, Path]) -> None:
        self._by_view: dict[str, list[tuple[str, Path]]] = {}
        for reference, path in places.items():
            self._by_view.setdefault(reference.partition("/")[2].replace("/", "_"), []).append((reference, path))

    def find(self, pair: PreparedPair) -> str | None:
        """``COLLECTION/NAME`` of the matching image; None without one."""
        candidates = self._by_view.get(_view_of(pair), [])
        image = read_image(pair.path(prepared_pairs.SOURCE)) if candidates else None
        for reference, path in candidates:
            if image is not None and _is_same(image, read_image(path)):
                return reference
        return None

    def add(self, reference: str, pair: PreparedPair) -> None:
        """Register the source of ``pair``, named ``reference``, as a candidate for later pairs."""
        self._by_view.setdefault(_view_of(pair), []).append((reference, pair.path(prepared_pairs.SOURCE)))


def pair_tasks(sources: PairSources, folder: Path, scale: Scale, most: int | None = None) -> list[ItemTask]:
    """Prepared pairs of the training split; training reads no others.

    Args:
        sources: finds their sources in the pack; the sources that are added to the pack are registered in it.
        folder: the collection.
        scale: sizes and quality.
        most: largest number of pairs; if there are enough, only those whose source is in the pack already.

    Raises:
        InputError: there are none, or an image cannot be read.
    """
    found = prepared_pairs.find_pairs(folder, "train")
    if most is not None and most < len(found):
        sharing = [pair for pair in found if sources.find(pair) is not None]
        candidates = sharing if len(sharing) >= most else found
        found = [candidates[index] for index in _evenly_spaced(len(candidates), most)]
    tasks = []
    for pair, key in zip(found, _unique_keys(pair.name for pair in found), strict=True):
        item = PackItem(key, source=sources.find(pair))
        if item.source is None:
            sources.add(f"{folder.name}/{key}", pair)
        files = tuple(pair.path(ending) for ending in prepared_pairs.ENDINGS)
        tasks.append(ItemTask(item, "train", files, partial(_encode_pair, pair, item, scale)))
    return tasks


def _encode_person(clip: PersonClip, indices: Sequence[int], item: PackItem, scale: Scale) -> list[Member]:
    members = []
    for index, key in zip(indices, item.keys, strict=True):
        foreground, alpha = (downscale(image, scale.longest) for image in clip.read(index))
        members.append(_lossy(f"{key}.{layout.FOREGROUND}", foreground, scale.quality))
        members.append(_lossless(f"{key}.{layout.ALPHA}", alpha))
    return members


def _encode_place(place: Place, item: PackItem, scale: Scale) -> list[Member]:
    images = read_place(place, scale.longest)
    keys = zip(item.keys, images, strict=True)
    return [_lossy(f"{key}.{layout.SOURCE}", image, scale.quality) for key, image in keys]


def _encode_pair(pair: PreparedPair, item: PackItem, scale: Scale) -> list[Member]:
    images = PairImages(*(downscale(image, scale.longest) for image in pair.read()))
    members = [
        _lossy(f"{item.name}.{layout.PLATE}", images.plate, scale.quality),
        _lossless(f"{item.name}.{layout.COVERAGE}", images.coverage),
        _lossy(f"{item.name}.{layout.FOREGROUND}", images.foreground, scale.quality),
        _lossless(f"{item.name}.{layout.ALPHA}", images.alpha),
    ]
    if item.source is None:
        members.append(_lossy(f"{item.name}.{layout.SOURCE}", images.source, scale.quality))
    return members


def _lossy(stem: str, image: np.ndarray, quality: int) -> Member:
    encoded = encode_lossy(image, quality)
    return Member(f"{stem}.{encoded.ending}", encoded.data, image.nbytes)


def _lossless(stem: str, image: np.ndarray) -> Member:
    encoded = encode_lossless(image)
    return Member(f"{stem}.{encoded.ending}", encoded.data, image.nbytes)


def _limit_training_items(found: Sequence[tuple[Found, Split]], most: int | None) -> list[tuple[Found, Split]]:
    """All items, but at most ``most`` of the training split, evenly spaced."""
    training = [index for index, (_, split) in enumerate(found) if split == "train"]
    kept = {training[index] for index in _evenly_spaced(len(training), most)}
    return [each for index, each in enumerate(found) if each[1] != "train" or index in kept]


def _evenly_spaced(count: int, most: int | None) -> list[int]:
    """At most ``most`` indices below ``count``, evenly spaced from the first to the last."""
    return list(range(count)) if most is None or most >= count else np.linspace(0, count - 1, most).astype(int).tolist()


def _view_of(pair: PreparedPair) -> str:
    return pair.name.rpartition("_")[0]


def _place_name(place: Place) -> str:
    """The name without a file suffix, which names from a manifest or a plain folder have."""
    return place.name.removesuffix(place.path.suffix)


def _unique_keys(names: Iterable[str]) -> Iterator[str]:
    """Names as WebDataset keys: dots become underscores, and repeated keys get a number."""
    seen: dict[str, int] = {}
    for name in names:
        key = name.replace(".", "_")
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key = f"{key}~{seen[key]}"
        yield key


def _is_same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(np.int16) - other).mean()) < _SAME_IMAGE
