"""The background layer and the foreground layers of a sample as a worker prepares them."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.placement import enlargement


class Occluder(NamedTuple):
    """A near object in front of the persons: canvas (4, side, side) uint8, straight colour and alpha.

    ``maps`` (T, 3, 3) from frame to canvas pixels.
    """

    canvas: np.ndarray
    maps: np.ndarray


class Stage(NamedTuple):
    """Canvases (4, side, side) uint8 of the place and of the plate, and the 3x3 map from frame to canvas pixels.

    ``distractor`` (side, side) uint8 is where, on the canvas of the place, a distractor is in the shot or in the plate;
    None where there is none. ``occluder`` is in front of the persons.
    """

    place: np.ndarray
    plate: np.ndarray
    matrix: np.ndarray
    distractor: np.ndarray | None = None
    occluder: Occluder | None = None


class Actor(NamedTuple):
    """A foreground layer's canvases (T, 4, side, side) uint8, and 3x3 maps from frame to canvas pixels, (T, 3, 3)."""

    canvases: np.ndarray
    maps: np.ndarray

    @property
    def area(self) -> float:
        """About how much of the frame the layer covers, in pixels."""
        return float(self.canvases[0, 3].sum(dtype=np.int64)) / 255 / enlargement(self.maps[0]) ** 2
