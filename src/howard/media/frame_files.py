"""One file a frame: NAME.0001.png, NAME.0001.exr and so on, in the shot's own numbers."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from howard.images import check_picture, premultiplied, to_depth, without_hidden_colour
from howard.media.colours.stored_colour import SDR, StoredColour
from howard.media.files import make_folder, remove_temporary_files, write_atomically
from howard.media.png_encoding import encode_png
from howard.media.signatures import has_signature


class NumberedFiles:
    """What the writers of one file a frame share: NAME.0001.SUFFIX, NAME.0002.SUFFIX, ... in a folder; see `Writer`.

    Each file appears whole or not at all. Numbers have ``padding`` digits, more where needed.
    """

    suffix: str

    def __init__(self, folder: Path, name: str, padding: int) -> None:
        self._folder = folder
        self._name = name
        self._padding = padding

    def path(self, number: int) -> Path:
        """Where frame ``number`` is written."""
        return self._folder / f"{self._name}.{number:0{self._padding}d}{self.suffix}"

    @property
    def pattern(self) -> str:
        """The files' names, as printf writes them."""
        return f"{self._name}.%0{self._padding}d{self.suffix}"

    def batch(self, number: int) -> Sequence[int]:
        """The frame alone: each has a file of its own."""
        return (number,)

    def has(self, number: int) -> bool:
        """Whether the frame's file is there, with its format's signature."""
        return has_signature(self.path(number), self.suffix.removeprefix("."))

    def file(self, number: int) -> Path:
        """The frame's own file."""
        return self.path(number)

    def files(self, numbers: Sequence[int]) -> Sequence[Path]:
        """A file for each of the frames."""
        return [self.path(number) for number in numbers]

    def begin(self, numbers: Sequence[int]) -> None:
        """Make the folder, and clear away what killed runs left half-written of these frames."""
        make_folder(self._folder)
        remove_temporary_files(self.files(numbers))

    def finish(self, times: Mapping[int, Fraction]) -> Sequence[Path]:
        """Nothing is left to do: every file is whole already."""
        return ()

    def close(self) -> None:
        """Nothing is held open."""


class PngSequenceWriter(NumberedFiles):
    """Alpha and sRGB of 8 or 16 ``bits``; pictures may also be RGB without alpha.

    ``colour`` says how float32 pictures become sRGB. RGB is set to 0 where alpha is 0: nothing of the background stays
    in the file, and it is several times smaller. Alpha is straight, as the PNG specification demands (12.4), unless
    ``is_premultiplied``: the encoded values are then multiplied by alpha, for programs that expect that.
    """

    suffix = ".png"

    def __init__(
        self,
        folder: str | Path,
        name: str,
        bits: int = 8,
        pixel_aspect: Fraction = Fraction(1),
        padding: int = 4,
        is_premultiplied: bool = False,
        colour: StoredColour = SDR,
    ) -> None:
        super().__init__(Path(folder), name, padding)
        self._is_premultiplied = is_premultiplied
        self.dtype = np.dtype({8: np.uint8, 16: np.uint16}[bits])
        self._pixel_aspect = pixel_aspect
        self._colour = colour

    def to_stored(self, picture: np.ndarray) -> np.ndarray:
        """The picture as sRGB, uint8 or uint16; see `StoredColour.store`."""
        return self._colour.store(picture, self.dtype)

    def prepare(self, picture: np.ndarray) -> bytes:
        """The whole file, from (H, W, 4) straight RGBA or (H, W, 3) RGB."""
        check_picture(picture, channels=(3, 4))
        picture = self.to_stored(picture)
        if picture.shape[2] == 4:
            picture = premultiplied(picture) if self._is_premultiplied else without_hidden_colour(picture)
        return encode_png(picture, self._pixel_aspect)

    def write(self, number: int, prepared: bytes) -> Sequence[int]:
        """Write the frame's file."""
        write_atomically(self.path(number), prepared)
        return (number,)

    @property
    def facts(self) -> dict[str, Any]:
        """What the files are, for the sidecar."""
        return {
            "files": self.pattern,
            "container": "png",
            "codec": "png",
            "bits": 8 * self.dtype.itemsize,
            "alpha": "premultiplied" if self._is_premultiplied else "straight",
            "colour_space": "sRGB" if self._colour == SDR else self._colour.description,
            **({"colour_note": self._colour.note} if self._colour.note else {}),
        }


class FactorSequenceWriter(NumberedFiles):
    """RGB of 16 bits, of which 65535 stands for 1: a picture's linear light times the factor is what is meant.

    The values are linear and tagged so (gAMA 1). Factors above 1 are stored as 1.
    """

    suffix = ".png"
    dtype = np.dtype(np.float32)

    def __init__(self, folder: str | Path, name: str, pixel_aspect: Fraction = Fraction(1), padding: int = 4) -> None:
        super().__init__(Path(folder), name, padding)
        self._pixel_aspect = pixel_aspect

    def to_stored(self, picture: np.ndarray) -> np.ndarray:
        """The factor as uint16."""
        return to_depth(picture, np.uint16)

    def prepare(self, picture: np.ndarray) -> bytes:
        """The whole file, from (H, W, 3) float32."""
        check_picture(picture, channels=(3,))
        return encode_png(self.to_stored(picture), self._pixel_aspect, is_linear=True)

    def write(self, number: int, prepared: bytes) -> Sequence[int]:
        """Write the frame's file."""
        write_atomically(self.path(number), prepared)
        return (number,)

    @property
    def facts(self) -> dict[str, Any]:
        """What the files are, for the sidecar."""
        return {
            "files": self.pattern,
            "container": "png",
            "codec": "png",
            "bits": 16,
            "alpha": "none",
            "colour_space": "a factor on linear light, linear itself; 1 is white, factors above 1 are clipped",
        }
