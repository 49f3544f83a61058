"""Pictures of places as samples pick them: decoded when they are first used, and kept within a number of bytes."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, Protocol, overload

import numpy as np

from howard.data.pack.encoding import PLACE_SIDE
from howard.data.places import Place, read_place_picture
from howard.synthesis.recipe import PlacementRecipe

_TYPICAL_ASPECT = 3 / 2  # of photographs: what pictures will take is estimated by it before any is decoded
_SHORTEST = 1280  # pixels; pictures are never shrunk further, however small the frames are


class PictureSource(Protocol):
    """Something that decodes to one picture."""

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB; the same at every call."""
        ...


class PlaceFile(NamedTuple):
    """Picture ``index`` of a place, shrunk to a long side of ``longest`` pixels."""

    place: Place
    index: int
    longest: int

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB; raises InputError where it cannot be read."""
        return read_place_picture(self.place, self.index, self.longest)


class PlacePictures(Sequence[np.ndarray]):
    """A sequence of pictures, (H, W, 3) uint8 RGB, none of which may be written to.

    The pictures used last are kept, as many as fit into ``memory``. What is kept never changes what is read.

    Args:
        sources: what the pictures are decoded from.
        memory: bytes that decoded pictures may take in one process.
    """

    def __init__(self, sources: Sequence[PictureSource], memory: float) -> None:
        self._sources, self.memory = list(sources), memory
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self.bytes_kept = 0

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> "PlacePictures": ...
    def __getitem__(self, index: int | slice) -> "np.ndarray | PlacePictures":
        if isinstance(index, slice):
            return PlacePictures(self._sources[index], self.memory)
        index = range(len(self))[index]  # negative ones too; raises IndexError beyond the end
        picture = self._kept.get(index)
        if picture is None:
            picture = self._sources[index].read()
            self._keep(index, picture)
        else:
            self._kept.move_to_end(index)
        return picture

    @property
    def has_all(self) -> bool:
        """Whether every picture is kept."""
        return len(self._kept) == len(self._sources)

    def fill(self) -> None:
        """Decode every picture; what is kept then is shared with processes that are forked afterwards.

        Raises InputError where a picture cannot be read.
        """
        for index in range(len(self)):
            self[index]

    def _keep(self, index: int, picture: np.ndarray) -> None:
        picture.flags.writeable = False
        if picture.nbytes > self.memory:
            return
        self._kept[index] = picture
        self.bytes_kept += picture.nbytes
        while self.bytes_kept > self.memory:
            _, dropped = self._kept.popitem(last=False)
            self.bytes_kept -= dropped.nbytes


def list_pictures(places: Sequence[Place], longest: int) -> list[PlaceFile]:
    """Every picture of some places, shrunk to a long side of ``longest`` pixels; no picture is decoded."""
    return [PlaceFile(place, index, longest) for place in places for index in range(place.picture_count)]


def longest_side(size: int, recipe: PlacementRecipe) -> int:
    """The long side in pixels that pictures of places are shrunk to for frames of ``size`` pixels.

    For the reference implementation's recipe no pixel is lost: of a picture up to twice as wide as high, that is shown
    at ``recipe.scale[1]`` times the size at which it fills the frame.
    """
    if recipe.method == "reference":
        return max(_SHORTEST, round(2 * recipe.scale[1] * size))
    return max(_SHORTEST, round(PLACE_SIDE * size))


def open_within(places: Sequence[Place], longest: int, memory: float, processes: int) -> PlacePictures:
    """Pictures of places for a training process and its workers, within what they may take together.

    Where all pictures fit, all are decoded at once, before there are workers, which then share them. Elsewhere nothing
    is decoded before it is used, and every process keeps an equal part.

    Args:
        places: which.
        longest: long side in pixels that pictures are shrunk to.
        memory: bytes that all processes may take together.
        processes: how many.

    Raises:
        InputError: a picture cannot be read.
    """
    sources = list_pictures(places, longest)
    if len(sources) * 3 * longest**2 / _TYPICAL_ASPECT <= memory:
        pictures = PlacePictures(sources, memory)
        pictures.fill()
        if pictures.has_all:
            return pictures
    return PlacePictures(sources, memory / processes)
