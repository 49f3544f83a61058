"""Images of places, decoded on first use and cached within a memory limit."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, Protocol, overload

import numpy as np

from howard.data.pack.packed_images import PLACE_SIDE
from howard.data.place_collections import Place, read_place_image
from howard.synthesis.recipe import PlacementRecipe

_TYPICAL_ASPECT = 3 / 2  # of photographs; the memory that images will take is estimated with it
_LEAST_LONG_SIDE = 1280  # pixels; images are not downscaled further, however small the frames are


class ImageSource(Protocol):
    """Something that decodes to one image."""

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB, the same at every call."""
        ...


class PlaceImage(NamedTuple):
    """Image ``index`` of a place, downscaled to a long side of ``longest`` pixels."""

    place: Place
    index: int
    longest: int

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB; raises InputError if the file cannot be read."""
        return read_place_image(self.place, self.index, self.longest)


class ImageCache(Sequence[np.ndarray]):
    """A sequence of read-only images, (H, W, 3) uint8 RGB, with a least-recently-used cache.

    Args:
        sources: decode to the images.
        memory: bytes that decoded images may take in one process.
    """

    def __init__(self, sources: Sequence[ImageSource], memory: float) -> None:
        self._sources, self.memory = list(sources), memory
        self._cached: OrderedDict[int, np.ndarray] = OrderedDict()
        self.bytes_cached = 0

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> "ImageCache": ...
    def __getitem__(self, index: int | slice) -> "np.ndarray | ImageCache":
        if isinstance(index, slice):
            return ImageCache(self._sources[index], self.memory)
        index = range(len(self))[index]  # allows negative indices, and raises IndexError beyond the end
        image = self._cached.get(index)
        if image is None:
            image = self._sources[index].read()
            self._add(index, image)
        else:
            self._cached.move_to_end(index)
        return image

    @property
    def has_all(self) -> bool:
        """Whether every image is cached."""
        return len(self._cached) == len(self._sources)

    def fill(self) -> None:
        """Decode every image. Processes forked afterwards share the cached ones.

        Raises InputError if an image cannot be read.
        """
        for index in range(len(self)):
            self[index]

    def _add(self, index: int, image: np.ndarray) -> None:
        image.flags.writeable = False
        if image.nbytes > self.memory:
            return
        self._cached[index] = image
        self.bytes_cached += image.nbytes
        while self.bytes_cached > self.memory:
            _, dropped = self._cached.popitem(last=False)
            self.bytes_cached -= dropped.nbytes


def list_place_images(places: Sequence[Place], longest: int) -> list[PlaceImage]:
    """All images of places, to be downscaled to a long side of ``longest`` pixels. Nothing is decoded."""
    return [PlaceImage(place, index, longest) for place in places for index in range(place.image_count)]


def open_places(places: Sequence[Place]) -> ImageCache:
    """Images of places with a long side of at most 1280 pixels, cached without a memory limit."""
    return ImageCache(list_place_images(places, _LEAST_LONG_SIDE), math.inf)


def open_places_within(places: Sequence[Place], longest: int, memory: float, processes: int) -> ImageCache:
    """Images of places for a training process and its workers, within a memory limit for all of them together.

    If all images fit, they are decoded now, before workers are forked, which then share them. Otherwise they are
    decoded on use, and each process may cache an equal part.

    Args:
        places: which places.
        longest: long side in pixels that images are downscaled to.
        memory: bytes that all processes may take together.
        processes: number of processes.

    Raises:
        InputError: an image cannot be read.
    """
    sources = list_place_images(places, longest)
    if len(sources) * 3 * longest**2 / _TYPICAL_ASPECT <= memory:
        images = ImageCache(sources, memory)
        images.fill()
        if images.has_all:
            return images
    return ImageCache(sources, memory / processes)


def long_side_for(size: int, recipe: PlacementRecipe) -> int:
    """The long side in pixels that images of places are downscaled to, for frames of ``size`` pixels.

    The recipe of the reference implementation scales images by up to ``recipe.scale[1]`` times the size at which they
    fill the frame. No pixel of images up to twice as wide as high is lost then.
    """
    if recipe.method == "reference":
        return max(_LEAST_LONG_SIDE, round(2 * recipe.scale[1] * size))
    return max(_LEAST_LONG_SIDE, round(PLACE_SIDE * size))
