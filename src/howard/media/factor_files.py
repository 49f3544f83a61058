"""A factor on light, such as a shadow, as PNG files: one a frame, NAME.0001.png, in the shot's own numbers."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from howard.images import check_picture, to_depth
from howard.media.files import write_atomically
from howard.media.frame_files import NumberedFiles
from howard.media.png_encoding import encode_png


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
