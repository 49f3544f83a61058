"""Back from the working space to a clip's own signals: the inverse of `howard.media.working_space.WorkingSpace`."""

from collections.abc import Callable

import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.media.colours import ocio
from howard.media.primaries import Primaries, rgb_to_bt709, rgb_to_xyz
from howard.media.working_space import CURVES, HLG_GAMMA, HLG_PEAK, REFERENCE_WHITE, SDR_PRIMARIES

# From (N, 3) float32 colours of the working space to signals in [0, 1].
Encoding = Callable[[np.ndarray], np.ndarray]
# Steps of the tables by which curves are inverted: each code value of 16 bits is met exactly.
_SIGNALS = np.arange(65536) / 65535


def encode_with_curve(transfer: str, primaries: Primaries) -> Encoding:
    """Inverse for HLG, PQ and log curves, by their name in `working_space.CURVES`, of a clip with ``primaries``."""
    matrix = _from_bt709(primaries)
    luminance = rgb_to_xyz(primaries)[1]
    light = CURVES[transfer](_SIGNALS)

    def encode(colours: np.ndarray) -> np.ndarray:
        linear = srgb_to_linear(colours.astype(np.float64)) @ matrix.T
        if transfer == "arib-std-b67":
            # ITU-R BT.2100, table 5: display light is scene light times its luminance to the power of gamma - 1.
            displayed = (linear @ luminance).clip(0) * (REFERENCE_WHITE / HLG_PEAK)
            gain = np.maximum(displayed, 1e-12) ** (1 / HLG_GAMMA - 1)
            linear *= gain[:, None] * (REFERENCE_WHITE / HLG_PEAK)
        return np.interp(linear, light, _SIGNALS)

    return encode


def encode_with_primaries(primaries: Primaries) -> Encoding:
    """Inverse for SDR of a wide gamut: the working space's own curve, and ``primaries``."""
    matrix = _from_bt709(primaries)
    return lambda colours: linear_to_srgb(srgb_to_linear(colours.astype(np.float64)) @ matrix.T)


def encode_with_ocio(name: str) -> Encoding | None:
    """Inverse for a colour space of OpenColorIO; None where it holds linear light, which integers cannot."""
    if ocio.is_linear(ocio.find_space(name)):
        return None
    convert = ocio.from_linear_bt709(name)
    return lambda colours: convert(srgb_to_linear(colours))


def _from_bt709(primaries: Primaries) -> np.ndarray:
    """3x3 on linear RGB; those of SDR are read as BT.709's, see `WorkingSpace`."""
    return np.eye(3) if primaries in SDR_PRIMARIES else np.linalg.inv(rgb_to_bt709(primaries))
