"""One picture as its file holds it."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from howard.media.working_space import ColourTags


class StillPicture(NamedTuple):
    """A picture as its file holds it, upright: RGB, (H, W, 3), uint8, uint16 or float32, read as ``tags`` says.

    ``frame_rate`` and ``timecode`` are None where the file does not say.
    """

    image: np.ndarray
    pixel_format: str
    tags: ColourTags
    pixel_aspect: Fraction = Fraction(1)
    frame_rate: Fraction | None = None
    timecode: str | None = None
