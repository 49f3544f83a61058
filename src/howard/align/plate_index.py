"""The plate's index: thumbnails of its frames, for finding the frames most similar to a source frame.

A plate is read once from beginning to end; for a preview of a long plate only some frames are read.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from howard.align.caches import DiskCache, content_key
from howard.align.pictures import Grid, reduce_to, to_bytes
from howard.align.plate_frames import PlateFrames, find_fingerprint
from howard.images import check_shape_and_depth

# Size of thumbnails of landscape images in pixels (portrait ones have 54 x 96), ...
_GRID = Grid(columns=96, rows=54)
# ... which are divided into blocks of this side.
_BLOCK = 6
# In levels: blocks with a smaller standard deviation are noise and get a low weight.
_NOISE_LEVEL = 2.0
# Thumbnails are stored as int8, so that an hour of plate fits into memory; values of a unit vector are at most 1.
_SCALE = 127.0
_CHUNK = 512
# Long side to which images are reduced before they become thumbnails.
_HALVED_SIDE = 480
# All frames of plates up to this length are compared.
_FEW_FRAMES = 64
# Of longer plates, frames at this distance are compared first: half a second, in which the camera hardly moves. At a
# larger distance readers seek instead of decoding forward.
_COARSE_STEP = 12
# Limits of their number: half a minute of plate in steps of half a second.
_FEWEST_COARSE = 32
_MOST_COARSE = 64
# Largest number of frames decoded for this; some seconds in HD.
_DECODED_FRAMES = 600
# Around this many of the best frames found, ...
_REFINED_PLACES = 2
# ... this many more frames are compared on either side, unless the next compared frame is within a step.
_REFINED_FRAMES = 4


class PlateIndex:
    """Thumbnails of all plate frames, five kilobytes each.

    ``keys`` are the frames' :func:`howard.align.caches.content_key`, or empty if they are not needed.
    """

    def __init__(self, thumbnails: np.ndarray, is_upright: bool, keys: Sequence[str] = ()) -> None:
        """``thumbnails`` (F, 144, 36) int8 of all frames, in order, in portrait where ``is_upright``."""
        self.thumbnails = thumbnails
        self.is_upright = is_upright
        self.keys = keys

    @classmethod
    def of(cls, images: Iterable[np.ndarray]) -> "PlateIndex":
        """Build the index from (H, W, 3) uint8 RGB images of any size, in the plate's order; they are not kept.

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
        """Indices of the ``count`` plate frames most similar to an (H, W, 3) uint8 RGB image, best first.

        See :func:`similarity`.
        """
        scores = similarity(self.thumbnails, image, self.is_upright)
        return np.argsort(-scores, kind="stable")[:count].tolist()

    def between(self, ranked: Sequence[int]) -> list[int]:
        """Empty, because all frames have been compared; see `SparsePlateIndex`."""
        return []


def is_upright(image: np.ndarray) -> bool:
    """Whether an image, (H, W, C), is portrait."""
    return image.shape[0] > image.shape[1]


def thumbnail(image: np.ndarray, upright: bool) -> np.ndarray:
    """The thumbnail of an (H, W, 3) uint8 RGB picture of any size, in portrait where ``upright``: (144, 36) int8."""
    return np.rint(_SCALE * _thumbnail(image, upright)).astype(np.int8)


def similarity(thumbnails: np.ndarray, image: np.ndarray, upright: bool) -> np.ndarray:
    """Similarity of each of the thumbnails, (F, 144, 36) int8, to an (H, W, 3) uint8 RGB image: (F,) float32.

    All of them are in portrait where ``upright``.

    The sum of the blocks' correlations where they are positive; a person who hides some blocks reduces it about equally
    for every frame.
    """
    wanted = _thumbnail(image, upright)
    chunks = (thumbnails[first : first + _CHUNK].astype(np.float32) for first in range(0, len(thumbnails), _CHUNK))
    return np.concatenate([np.maximum(np.einsum("fbp,bp->fb", chunk, wanted), 0).sum(axis=1) for chunk in chunks])


class SparsePlateIndex:
    """Thumbnails of some plate frames, computed when they are first needed.

    For single frames of a long shot, as in a preview, where reading every plate frame would take most of the time. The
    frames found may be neighbours of those that :class:`howard.align.plate_index.PlateIndex` finds; they depend only on
    the plate and the image. Safe to use from several threads.
    """

    def __init__(self, read: Callable[[int], np.ndarray], count: int, entries: Sequence[int]) -> None:
        """A plate of ``count`` frames.

        ``read`` returns one as (H, W, 3) uint8 RGB of any size; ``entries`` are the indices, in order, of frames that
        can be read without decoding those before.
        """
        self._read = read
        self._count = count
        self._thumbnails: dict[int, np.ndarray] = {}
        # Orientation of the first compared frame.
        self._upright = False
        self._coarse = _choose_coarse(count, entries)

    def __len__(self) -> int:
        return self._count

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of plate frames, those most similar to an (H, W, 3) uint8 RGB image first.

        Of a short plate the best ``count`` of all its frames, as from a full index; of a longer one all frames of the
        first comparison: thumbnails half a second apart may have nothing in common, but keypoints can still match.
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
        """More frames around the best compared frames; ``ranked`` has those, best first."""
        bounds = [-1, *self._coarse, self._count]
        chosen: set[int] = set()
        for place in ranked[:_REFINED_PLACES]:
            at = bounds.index(place)
            for start, end in itertools.pairwise(bounds[at - 1 : at + 2]):
                if end - start > _COARSE_STEP:
                    chosen.update(_spread(range(start + 1, end), _REFINED_FRAMES))
        return sorted(chosen)


def _choose_coarse(count: int, entries: Sequence[int]) -> list[int]:
    """Frames to compare first: evenly spaced, unless that requires decoding too many frames."""
    if count <= _FEW_FRAMES:
        return list(range(count))
    wanted = min(max(_FEWEST_COARSE, count // _COARSE_STEP), _MOST_COARSE)
    if count <= _DECODED_FRAMES:
        return _spread(range(count), wanted)
    # From each entry point on, as many frames as may be decoded.
    chosen = _spread(entries, wanted)
    each = wanted // len(chosen)
    length = max(each, _DECODED_FRAMES // len(chosen))
    bounds = zip(chosen, [*chosen[1:], count], strict=True)
    return [index for start, end in bounds for index in _spread(range(start, min(end, start + length)), each)]


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of the indices, evenly spaced."""
    count = min(most, len(indices))
    return [indices[part * len(indices) // count] for part in range(count)]


def index_plate(
    plate: PlateFrames, cache: Path | None = None, on_cached: Callable[[], None] = lambda: None
) -> PlateIndex:
    """The index of a plate: loaded from a cache if an earlier run stored it, else made by reading all frames.

    Args:
        plate: its frames. The cache is used only if they have a fingerprint; see :mod:`howard.align.plate_frames`.
        cache: folder of the cache; None uses none. The index of a plate with damaged frames is not stored, because
            frames are counted without the damaged ones once these are known.
        on_cached: called if the index was loaded, so that no frame is read.

    Raises:
        ValueError: a frame is not an RGB image.
    """
    fingerprint = find_fingerprint(plate)
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
        on_cached()
        return PlateIndex(found["thumbnails"], bool(found["upright"]))
    index = PlateIndex.of(_read_through(plate))
    if len(index) == count:
        disk.put(key, {"thumbnails": index.thumbnails, "upright": np.array(index.is_upright)})
    return index


def _read_through(plate: PlateFrames, keys: list[str] | None = None) -> Iterator[np.ndarray]:
    """All images in 8 bits; the content keys of the frames are appended to ``keys``."""
    for picture in plate:
        check_shape_and_depth(picture.image, channels=(3,))
        if keys is not None:
            keys.append(content_key(picture.image))
        yield to_bytes(picture.image)


def _thumbnail(image: np.ndarray, upright: bool) -> np.ndarray:
    """Blocks of a small grey image, each with zero mean and nearly unit norm: (144, 36) float32."""
    size = Grid(_GRID.rows, _GRID.columns) if upright else _GRID
    # Reduced by halving first, which is several times as fast.
    small = cv2.resize(reduce_to(image, _HALVED_SIDE), size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = size.rows // _BLOCK, size.columns // _BLOCK
    blocks = grey.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows * columns, -1)
    blocks -= blocks.mean(axis=1, keepdims=True)
    return blocks / np.sqrt((blocks**2).sum(axis=1, keepdims=True) + _BLOCK**2 * _NOISE_LEVEL**2)
