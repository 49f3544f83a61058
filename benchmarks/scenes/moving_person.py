"""The person before the background, scaled so that a given fraction of the frame is covered."""

from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes.camera import Size
from benchmarks.scenes.stock import Cutout

_SEARCH_WIDTH = 160
_ROUNDS = 12
# Largest height of a person in heights of the frame: seen from the waist up.
_LARGEST = 2.4


class Placed(NamedTuple):
    """``colour`` (H, W, 3) uint8, straight, and ``alpha`` (H, W) uint8 in the frame."""

    colour: np.ndarray
    alpha: np.ndarray


class MovingPerson:
    """A person who sways, leans and steps a little during the clip."""

    def __init__(self, cutout: Cutout, size: Size, hidden: float, rng: np.random.Generator) -> None:
        """``hidden`` is the fraction of the frame that the person covers when closest to the camera."""
        self._cutout, self._size = cutout, size
        self._phases = rng.uniform(0, 2 * np.pi, 4)
        self._middle = float(rng.uniform(0.38, 0.62))
        self._headroom = float(rng.uniform(0.03, 0.12))
        self._scale = self._scale_for(hidden)

    def at(self, second: float) -> Placed:
        """The person at a time of the clip, in seconds."""
        waves = np.sin(2 * np.pi * np.array([0.5, 0.9, 0.7, 0.3]) * second + self._phases)
        return self._place(self._size, self._scale * (1 - 0.04 * (1 - waves[3])), waves)

    def _scale_for(self, hidden: float) -> float:
        small = Size(_SEARCH_WIDTH, round(_SEARCH_WIDTH * self._size.height / self._size.width))
        low, high = 0.3, _LARGEST
        for _ in range(_ROUNDS):
            middle = (low + high) / 2
            covered = self._place(small, middle, np.zeros(4)).alpha.mean() / 255
            low, high = (middle, high) if covered < hidden else (low, middle)
        return low

    def _place(self, size: Size, scale: float, waves: np.ndarray) -> Placed:
        """Warp the cut-out into the frame; at ``scale`` 1 it is as tall as the frame."""
        height, width = self._cutout.alpha.shape
        factor = scale * size.height / height
        lean = np.radians(2.5 * waves[1])
        c, s = factor * np.cos(lean), factor * np.sin(lean)
        head = np.array([(width - 1) / 2, 0.0])
        target = np.array(
            [(self._middle + 0.025 * waves[0]) * size.width, (self._headroom + 0.01 * waves[2]) * size.height]
        )
        linear = np.array([[c, -s], [s, c]])
        matrix = np.c_[linear, target - linear @ head]
        # Colour is replicated beyond the edge, so that straight colour can be sampled separately from alpha.
        colour = cv2.warpAffine(
            self._cutout.colour, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        padded = cv2.copyMakeBorder(self._cutout.alpha, 1, 0, 1, 1, cv2.BORDER_CONSTANT, value=0)
        # A cut-out that touches its lower edge continues below it.
        matrix[:, 2] -= linear @ (1.0, 1.0)
        alpha = cv2.warpAffine(padded, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return Placed(np.asarray(colour), np.asarray(alpha))
