"""Images of a pack: their size, their encoding, and the people and prepared pairs that consist of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.data.pack.layout import ALPHA, COVERAGE
from howard.data.prepared_pairs import PairImages
from howard.errors import InputError
from howard.synthesis import Person

# Long side of a person's image relative to the side of the training frame. The levels' recipes show a person at 0.35 to
# 2.2 times the size that fits the frame, with 1.1 canvas pixels per frame pixel (synthesis.canvas), so 2.4 would never
# upscale. With 1.25, images are not upscaled up to 1.14 times the fitting size: in seven of eleven samples.
PERSON_SIDE = 1.25
# The same for a place or a pair: 1280 pixels for frames of 512, as for places without a pack.
PLACE_SIDE = 2.5
_LOSSLESS = 101  # WebP qualities above 100 make OpenCV encode without loss
_PNG_LEVEL = 9
_GREY = (ALPHA, COVERAGE)


class EncodedImage(NamedTuple):
    """An encoded image and the file ending of its format."""

    ending: str
    data: bytes


def encode_lossy(image: np.ndarray, quality: int) -> EncodedImage:
    """Encode (H, W, 3) uint8 RGB as lossy WebP of a quality from 0 to 100.

    At equal error, WebP takes 60 % of the bytes of JPEG (measured on the project's people and places).
    """
    return EncodedImage(
        "webp", _encode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
    )


def encode_lossless(mask: np.ndarray) -> EncodedImage:
    """Encode (H, W) uint8 without loss, as WebP or PNG, whichever is smaller."""
    webp = EncodedImage("webp", _encode(".webp", mask, [cv2.IMWRITE_WEBP_QUALITY, _LOSSLESS]))
    png = EncodedImage("png", _encode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]))
    return min(webp, png, key=lambda encoded: len(encoded.data))


def decode(data: bytes, grey: bool, name: str) -> np.ndarray:
    """Decode to (H, W, 3) uint8 RGB, or (H, W) uint8 if grey; raises InputError with ``name`` if it is damaged."""
    mode = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    image = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if data else None
    if image is None:
        raise InputError(f"cannot decode {name}; pack the data again")
    return image


def _encode(ending: str, image: np.ndarray, parameters: list[int]) -> bytes:
    _, encoded = cv2.imencode(ending, image, parameters)
    return encoded.tobytes()


class PackedImage:
    """One image of a pack, decoded at each read, or once if it is preloaded.

    Args:
        path: the shard.
        name: of the tar member, ``KEY.KIND.FORMAT``.
        offset: of the member's first byte in the shard.
        size: of the member in bytes.
    """

    def __init__(self, path: Path, name: str, offset: int, size: int) -> None:
        self._path, self._name, self._offset, self._size = path, name, offset, size
        self._decoded: np.ndarray | None = None

    @property
    def stem(self) -> str:
        """``KEY.KIND``."""
        return self._name.rpartition(".")[0]

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB, or (H, W) uint8 for alpha and coverage. Callers must not modify it.

        Raises:
            InputError: the image cannot be read.
        """
        return self._decode() if self._decoded is None else self._decoded

    def preload(self) -> None:
        """Decode the image now and keep it in memory; raises InputError if it cannot be read."""
        if self._decoded is None:
            decoded = self._decode()
            decoded.flags.writeable = False
            self._decoded = decoded

    def _decode(self) -> np.ndarray:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(self._size)
        except OSError as error:
            raise InputError(f"cannot read {self._path} ({error.strerror})") from error
        return decode(data, self.stem.rpartition(".")[2] in _GREY, f"{self._name} of {self._path}")


class PackedPerson:
    """A person of a pack, with the interface of :class:`howard.data.people_collections.PersonClip`.

    Args:
        name: as in the manifest.
        frames: colour and alpha of every frame.
    """

    def __init__(self, name: str, frames: Sequence[tuple[PackedImage, PackedImage]]) -> None:
        self.name, self._frames = name, frames

    @property
    def frame_count(self) -> int:
        """Number of frames; 1 for a still."""
        return len(self._frames)

    def read(self, index: int) -> Person:
        """Frame ``index``; raises InputError if it cannot be read."""
        foreground, alpha = self._frames[index]
        return Person(foreground.read(), alpha.read())


class PackedPair:
    """A prepared pair of a pack, with the interface of :class:`howard.data.prepared_pairs.PreparedPair`.

    Args:
        name: as in the manifest.
        images: in the order of :class:`PairImages`.
    """

    def __init__(self, name: str, images: Sequence[PackedImage]) -> None:
        self.name, self._images = name, images

    def read(self) -> PairImages:
        """Its images; raises InputError if one cannot be read."""
        return PairImages(*(image.read() for image in self._images))
