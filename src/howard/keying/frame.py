"""One frame, keyed."""

from typing import NamedTuple

import numpy as np

from howard.keying.alpha import find_regions, unmix
from howard.keying.foreground import carry_on, despill
from howard.keying.garbage import screen_area, without_islands
from howard.keying.light import encode, to_linear, to_opponent
from howard.keying.marks import Marks, unmark
from howard.keying.screen import Screen, screen_light

# Alphas so near the ends are noise.
_NOTHING, _EVERYTHING = 0.03, 0.97


class Keyed(NamedTuple):
    """``alpha`` (H, W) and ``foreground`` (H, W, 3), straight and sRGB-encoded, float32 in [0, 1]."""

    alpha: np.ndarray
    foreground: np.ndarray


def key_frame(image: np.ndarray, screen: Screen, marks: Marks | None = None) -> Keyed:
    """Key a frame's picture, (H, W, 3) as in `Frame`, against its clip's screen and the marks on that."""
    linear = to_linear(image)
    light = screen_light(linear, screen)
    regions = unmark(find_regions(linear, light, screen), linear, marks)
    alpha, colour = unmix(linear, light.colour, screen, regions)
    alpha = ((alpha - _NOTHING) / (_EVERYTHING - _NOTHING)).clip(0, 1)
    alpha = without_islands(alpha, regions.core, screen_area(regions.screen), to_opponent(encode(linear)))
    return Keyed(alpha, carry_on(despill(colour, screen), alpha))
