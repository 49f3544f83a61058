"""The person's colour without the screen's light on it, carried on beyond the edge."""

import numpy as np

from howard.keying.fill import fill
from howard.keying.light import encode, to_linear
from howard.keying.screen import Screen

# How much of the light taken away is given back as grey, so that edges do not darken.
_GIVEN_BACK = 0.2
_KNOWN = 0.5  # alpha from which a colour is believed


def despill(colour: np.ndarray, screen: Screen) -> np.ndarray:
    """Take the screen's light off a colour, encoded (H, W, 3): what its channel has over what the others allow."""
    linear = to_linear(colour)
    spill = screen.spill(linear)[..., None]
    lost = spill * screen.colour
    return encode(linear - lost + _GIVEN_BACK * lost.mean(axis=2, keepdims=True))


def carry_on(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Replace colour, encoded (H, W, 3), where alpha (H, W) is low, by that of the person nearby."""
    weight = ((alpha - _KNOWN) / (1 - _KNOWN)).clip(0, 1)
    filled = fill(colour, weight * weight)
    share = (alpha / _KNOWN).clip(0, 1)[..., None]
    return share * colour + (1 - share) * filled
