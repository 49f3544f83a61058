"""Linear light and back, fast, and the axes in which a camera's noise is least entangled."""

import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear

_STEPS = 8192
# Rounded to a step, the darkest values would lose the 8-bit levels they stand for: the table is over the square root.
_ENCODED = linear_to_srgb((np.arange(_STEPS + 1, dtype=np.float64) / _STEPS) ** 2).astype(np.float32)
# Luma, and blue and red less luma (ITU-R BT.709, item 3.3).
_LUMA = np.array((0.2126, 0.7152, 0.0722))
_OPPONENT = np.stack([_LUMA, (np.array((0, 0, 1)) - _LUMA) / 1.8556, (np.array((1, 0, 0)) - _LUMA) / 1.5748])
_BACK = np.linalg.inv(_OPPONENT).astype(np.float32)
_OPPONENT = _OPPONENT.astype(np.float32)


def to_linear(image: np.ndarray) -> np.ndarray:
    """A frame's picture, uint8, uint16 or float32, as linear light, float32, at least 0; above 1 only from HDR."""
    if image.dtype.kind == "f":
        return srgb_to_linear(image.clip(0)).astype(np.float32)
    values = np.iinfo(image.dtype).max
    return srgb_to_linear(np.arange(values + 1, dtype=np.float64) / values).astype(np.float32)[image]


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB-encoded float32, both held to [0, 1]; off by less than a 16-bit level's noise."""
    return _ENCODED[(np.sqrt(linear.clip(0, 1)) * _STEPS + 0.5).astype(np.int32)]


def to_opponent(encoded: np.ndarray) -> np.ndarray:
    """Encoded RGB (..., 3) to luma and two colour differences, (..., 3)."""
    return encoded @ _OPPONENT.T


def from_opponent(opponent: np.ndarray) -> np.ndarray:
    """The way back, (..., 3) to encoded RGB; not held to [0, 1]."""
    return opponent @ _BACK.T
