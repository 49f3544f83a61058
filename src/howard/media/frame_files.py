"""Writers of one file per frame, such as NAME.0001.png: their common base class and the PNG writers."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from howard.images import check_shape_and_depth, premultiplied, to_depth, without_hidden_colour
from howard.media.colours.stored_colour import SDR, StoredColour
from howard.media.files import make_folder, remove_temporary_files, write_atomically
from howard.media.png_encoding import encode_png
from howard.media.signatures import has_signature


class NumberedFiles:
    """Base class of the writers of one file per frame, NAME.0001.SUFFIX, in a folder; see `Writer`.

    Files are written atomically. Frame numbers have at least ``padding`` digits.
    """

    suffix: str

    def __init__(self, folder: Path, name: str, padding: int) -> None:
        self._folder = folder
        self._name = name
        self._padding = padding

    def path(self, number: int) -> Path:
        """The file of frame ``number``."""
        return self._folder / f"{self._name}.{number:0{self._padding}d}{self.suffix}"

    @property
    def pattern(self) -> str:
        """The file names as a printf pattern, such as NAME.%04d.png."""
        return f"{self._name}.%0{self._padding}d{self.suffix}"

    def batch(self, number: int) -> Sequence[int]:
        """The frame alone, since each has its own file."""
        return (number,)

    def has(self, number: int) -> bool:
        """Whether the frame's file exists and has its format's signature."""
        return has_signature(self.path(number), self.suffix.removeprefix("."))

    def file(self, number: int) -> Path:
        """The file of the frame."""
        return self.path(number)

    def files(self, numbers: Sequence[int]) -> Sequence[Path]:
        """The files of the frames."""
        return [self.path(number) for number in numbers]

    def begin(self, numbers: Sequence[int]) -> None:
        """Create the folder, and remove temporary files that killed runs left for these frames."""
        make_folder(self._folder)
        remove_temporary_files(self.files(numbers))

    def finish(self, times: Mapping[int, Fraction]) -> Sequence[Path]:
        """Does nothing: the files are already complete."""
        return ()

    def close(self) -> None:
        """Does nothing: no file is open."""


class _PngFiles(NumberedFiles):
    """PNG files, encoded whole by ``prepare``."""

    suffix = ".png"

    def write(self, number: int, prepared: bytes) -> Sequence[int]:
        """Write the frame's file."""
        write_atomically(self.path(number), prepared)
        return (number,)

    def _facts(self, bits: int, alpha: str, colour_space: str) -> dict[str, Any]:
        """Description of the files for the sidecar."""
        return {
            "files": self.pattern,
            "container": "png",
            "codec": "png",
            "bits": bits,
            "alpha": alpha,
            "colour_space": colour_space,
        }


class PngSequenceWriter(_PngFiles):
    """Writes PNG files of 8 or 16 ``bits``: sRGB with alpha, or RGB without.

    ``colour`` defines how float32 images become sRGB. RGB is set to 0 where alpha is 0, so that nothing of the
    background remains in the file and the file is several times smaller. Alpha is straight, as the PNG specification
    requires (12.4), unless ``is_premultiplied``: the encoded values are then multiplied by alpha, for programs that
    expect this.
    """

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
        """The image as sRGB, uint8 or uint16; see `StoredColour.store`."""
        return self._colour.store(picture, self.dtype)

    def prepare(self, picture: np.ndarray) -> bytes:
        """The content of the file, from (H, W, 4) straight RGBA or (H, W, 3) RGB."""
        check_shape_and_depth(picture, channels=(3, 4))
        picture = self.to_stored(picture)
        if picture.shape[2] == 4:
            picture = premultiplied(picture) if self._is_premultiplied else without_hidden_colour(picture)
        return encode_png(picture, self._pixel_aspect)

    @property
    def facts(self) -> dict[str, Any]:
        """Description of the files for the sidecar."""
        colour_space = "sRGB" if self._colour == SDR else self._colour.description
        note = {"colour_note": self._colour.note} if self._colour.note else {}
        alpha = "premultiplied" if self._is_premultiplied else "straight"
        return self._facts(8 * self.dtype.itemsize, alpha, colour_space) | note


class FactorSequenceWriter(_PngFiles):
    """Writes factors on linear light, such as a shadow, as 16-bit RGB PNG files, in which 65535 represents 1.

    To be multiplied with the linear light of an image. The values are linear and tagged as linear (gAMA 1). Factors
    above 1 are clipped to 1.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, folder: str | Path, name: str, pixel_aspect: Fraction = Fraction(1), padding: int = 4) -> None:
        super().__init__(Path(folder), name, padding)
        self._pixel_aspect = pixel_aspect

    def to_stored(self, picture: np.ndarray) -> np.ndarray:
        """The factor as uint16."""
        return to_depth(picture, np.uint16)

    def prepare(self, picture: np.ndarray) -> bytes:
        """The content of the file, from (H, W, 3) float32."""
        check_shape_and_depth(picture, channels=(3,))
        return encode_png(self.to_stored(picture), self._pixel_aspect, is_linear=True)

    @property
    def facts(self) -> dict[str, Any]:
        """Description of the files for the sidecar."""
        description = "a factor on linear light, linear itself; 1 is white, factors above 1 are clipped"
        return self._facts(16, "none", description)
