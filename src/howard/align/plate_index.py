"""The plate's index: thumbnails of its frames, by which those that resemble a source frame are found.

A short plate, or one that is rendered as a whole, is read through once; for a preview of a long one some frames do.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from howard.align.caches import DiskCache, content_key
from howard.align.pictures import Grid, reduce_to, to_bytes
from howard.images import check_picture

# Cells of landscape pictures; upright ones have 54 x 96. Thumbnails have a pixel a cell, ...
_GRID = Grid(columns=96, rows=54)
# ... in blocks of this side.
_BLOCK = 6
# Grey levels; blocks flatter than this are noise and count little.
_NOISE_LEVEL = 2.0
# Thumbnails are kept as signed bytes, so that an hour of plate still fits: a block of unit length holds nothing above.
_SCALE = 127.0
_CHUNK = 512
# Long side that pictures are reduced to on the way to thumbnails.
_HALVED_SIDE = 480
# Plates of up to so many frames are compared as a whole.
_FEW_FRAMES = 64
# Of longer ones frames at this distance are compared first: half a second, in which a plate hardly moves. Farther apart
# than readers decode forward instead of jumping.
_COARSE_STEP = 12
# At least and at most so many: for half a minute of plate in steps of half a second.
_FEWEST_COARSE = 32
_MOST_COARSE = 64
# So many frames may be decoded for that; some seconds of work in HD.
_DECODED_FRAMES = 600
# Around this many of the best of those, ...
_REFINED_PLACES = 2
# ... so many more frames are compared on either side, unless the next that was compared is within a step.
_REFINED_FRAMES = 4


class Picture(Protocol):
    """What alignment asks of a frame: ``image`` RGB, (H, W, 3) uint8, uint16 or float32, sRGB-encoded."""

    @property
    def image(self) -> np.ndarray: ...


class PlateFrames(Protocol):
    """What alignment asks of a plate: frames in order, and again by index.

    It may also have a ``fingerprint``, a str that no other plate has, and ``key_of(index)``, the same of a frame: what
    is computed is then kept on disk under these names rather than under a hash of the pixels, and its ``skip_reading``
    is called where it need not be read through.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Picture]: ...

    def __getitem__(self, index: int, /) -> Picture: ...


class PlateIndex:
    """A thumbnail of every plate frame, five kilobytes each.

    ``keys`` are the frames' :func:`howard.align.caches.content_key`, or empty where nobody needs them.
    """

    def __init__(self, thumbnails: np.ndarray, is_upright: bool, keys: Sequence[str] = ()) -> None:
        """``thumbnails`` (F, 144, 36) int8 of all frames, in order, in portrait where ``is_upright``."""
        self.thumbnails = thumbnails
        self.is_upright = is_upright
        self.keys = keys

    @classmethod
    def of(cls, images: Iterable[np.ndarray]) -> "PlateIndex":
        """Of (H, W, 3) uint8 RGB pictures of any size, in the plate's order; none is kept.

        Thumbnails of all have the orientation of the first.
        """
        thumbnails: list[np.ndarray] = []
        upright = False
        for image in images:
            upright = is_upright(image) if not thumbnails else upright
            thumbnails.append(thumbnail(image, upright))
        return cls(np.stack(thumbnails), upright)

    def __len__(self) -> int:
        return len(self.thumbnails)

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of the ``count`` plate frames most like an (H, W, 3) uint8 RGB picture, the likeliest first.

        See :func:`similarity`.
        """
        scores = similarity(self.thumbnails, image, self.is_upright)
        return np.argsort(-scores, kind="stable")[:count].tolist()

    def between(self, ranked: Sequence[int]) -> list[int]:
        """Nothing: all frames have been compared; see `SparsePlateIndex`."""
        return []


def is_upright(image: np.ndarray) -> bool:
    """Whether a picture, (H, W, C), is higher than wide."""
    return image.shape[0] > image.shape[1]


def thumbnail(image: np.ndarray, upright: bool) -> np.ndarray:
    """The thumbnail of an (H, W, 3) uint8 RGB picture of any size, in portrait where ``upright``: (144, 36) int8."""
    return np.rint(_SCALE * _thumbnail(image, upright)).astype(np.int8)


def similarity(thumbnails: np.ndarray, image: np.ndarray, upright: bool) -> np.ndarray:
    """How much each of some thumbnails, (F, 144, 36) int8, resembles an (H, W, 3) uint8 RGB picture: (F,) float32.

    All of them are in portrait where ``upright``.

    Each block adds its correlation where that is positive, so a person who hides some of them takes about the same
    from every candidate.
    """
    wanted = _thumbnail(image, upright)
    chunks = (thumbnails[first : first + _CHUNK].astype(np.float32) for first in range(0, len(thumbnails), _CHUNK))
    return np.concatenate([np.maximum(np.einsum("fbp,bp->fb", chunk, wanted), 0).sum(axis=1) for chunk in chunks])


class SparsePlateIndex:
    """Thumbnails of some plate frames, made when first needed.

    For one frame of a long shot, as in a preview: reading through every plate frame would take most of the time. The
    frames that come out may be neighbours of those that :class:`howard.align.plate_index.PlateIndex` finds; they follow
    from the plate and the picture alone. Safe to use from several threads.
    """

    def __init__(self, read: Callable[[int], np.ndarray], count: int, entries: Sequence[int]) -> None:
        """A plate of ``count`` frames.

        ``read`` gives one as (H, W, 3) uint8 RGB, any size; ``entries`` are the indices, in order, of frames that can
        be read without decoding those before.
        """
        self._read = read
        self._count = count
        self._thumbnails: dict[int, np.ndarray] = {}
        # Of the first frame that is compared.
        self._upright = False
        self._coarse = _choose_coarse(count, entries)

    def __len__(self) -> int:
        return self._count

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of plate frames, those most like an (H, W, 3) uint8 RGB picture first.

        Of a short plate the best ``count`` of all its frames, as from a full index; of a longer one all frames of the
        first comparison: thumbnails of places half a second apart may have nothing in common, keypoints do.
        """
        for index in self._coarse:
            if index not in self._thumbnails:
                picture = self._read(index)
                self._upright = is_upright(picture) if index == self._coarse[0] else self._upright
                self._thumbnails[index] = thumbnail(picture, self._upright)
        thumbnails = np.stack([self._thumbnails[index] for index in self._coarse])
        scores = similarity(thumbnails, image, self._upright)
        ranked = [self._coarse[position] for position in np.argsort(-scores, kind="stable")]
        return ranked[:count] if len(ranked) == self._count else ranked

    def between(self, ranked: Sequence[int]) -> list[int]:
        """More frames around the best of some that were compared, given best first."""
        bounds = [-1, *self._coarse, self._count]
        chosen: set[int] = set()
        for place in ranked[:_REFINED_PLACES]:
            at = bounds.index(place)
            for start, end in itertools.pairwise(bounds[at - 1 : at + 2]):
                if end - start > _COARSE_STEP:
                    chosen.update(_spread(range(start + 1, end), _REFINED_FRAMES))
        return sorted(chosen)


def _choose_coarse(count: int, entries: Sequence[int]) -> list[int]:
    """Frames to be compared first: evenly chosen, unless reaching them means decoding too many."""
    if count <= _FEW_FRAMES:
        return list(range(count))
    wanted = min(max(_FEWEST_COARSE, count // _COARSE_STEP), _MOST_COARSE)
    if count <= _DECODED_FRAMES:
        return _spread(range(count), wanted)
    # From every entry on as far as can be decoded.
    chosen = _spread(entries, wanted)
    each = wanted // len(chosen)
    length = max(each, _DECODED_FRAMES // len(chosen))
    bounds = zip(chosen, [*chosen[1:], count], strict=True)
    return [index for start, end in bounds for index in _spread(range(start, min(end, start + length)), each)]


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of some indices, evenly chosen: the first of equal parts."""
    count = min(most, len(indices))
    return [indices[part * len(indices) // count] for part in range(count)]


def index_plate(plate: PlateFrames, cache: Path | None = None) -> PlateIndex:
    """The index of a plate, from the folder ``cache`` where an earlier run left it; else the plate is read through.

    Kept there only where reading through gave every frame: without its damaged frames a plate counts them anew.
    """
    fingerprint = getattr(plate, "fingerprint", None)
    if cache is None:
        return PlateIndex.of(_read_through(plate))
    if fingerprint is None:
        keys: list[str] = []
        index = PlateIndex.of(_read_through(plate, keys))
        return PlateIndex(index.thumbnails, index.is_upright, keys)
    disk = DiskCache(cache)
    key, count = f"{fingerprint}-index", len(plate)
    found = disk.find(key)
    if found is not None:
        getattr(plate, "skip_reading", lambda: None)()
        return PlateIndex(found["thumbnails"], bool(found["upright"]))
    index = PlateIndex.of(_read_through(plate))
    if len(index) == count:
        disk.put(key, {"thumbnails": index.thumbnails, "upright": np.array(index.is_upright)})
    return index


def _read_through(plate: PlateFrames, keys: list[str] | None = None) -> Iterator[np.ndarray]:
    """The pictures in 8 bits; the content keys of the frames are appended to ``keys``."""
    for picture in plate:
        check_picture(picture.image, channels=(3,))
        if keys is not None:
            keys.append(content_key(picture.image))
        yield to_bytes(picture.image)


def _thumbnail(image: np.ndarray, upright: bool) -> np.ndarray:
    """Blocks of a small grey picture, each of zero mean and nearly unit length: (144, 36) float32."""
    size = Grid(_GRID.rows, _GRID.columns) if upright else _GRID
    # Halved first, which is several times as fast.
    small = cv2.resize(reduce_to(image, _HALVED_SIDE), size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = size.rows // _BLOCK, size.columns // _BLOCK
    blocks = grey.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows * columns, -1)
    blocks -= blocks.mean(axis=1, keepdims=True)
    return blocks / np.sqrt((blocks**2).sum(axis=1, keepdims=True) + _BLOCK**2 * _NOISE_LEVEL**2)
