"""Tone mapping from HDR to SDR: the EETF of ITU-R BT.2390, applied to the largest of R, G and B.

The EETF (BT.2390-11, section 5.4.1) leaves light below a knee unchanged and compresses light above it with a Hermite
spline in PQ code values. Scaling all three channels by the same factor preserves hue and saturation.
"""

import numpy as np

from howard.colour import linear_to_srgb, nits_to_pq, pq_to_nits, srgb_to_linear
from howard.media.working_space import REFERENCE_WHITE

# cd/m2 that become SDR white: the peak of HLG displays and of most PQ masters. Brighter light is clipped to it.
SOURCE_PEAK = 1000.0
# cd/m2 of SDR white on the scale of the source; with this value light below the knee keeps its code values.
TARGET_PEAK = REFERENCE_WHITE
DESCRIPTION = f"ITU-R BT.2390, {SOURCE_PEAK:.0f} to {TARGET_PEAK:.0f} cd/m2"

_SOURCE_PQ = float(nits_to_pq(np.float64(SOURCE_PEAK)))
_MAX_LUMINANCE = float(nits_to_pq(np.float64(TARGET_PEAK))) / _SOURCE_PQ
_KNEE = 1.5 * _MAX_LUMINANCE - 0.5
# The knee in linear light, relative to reference white.
_KNEE_LIGHT = float(pq_to_nits(np.float64(_KNEE * _SOURCE_PQ))) / REFERENCE_WHITE


def tone_map(colours: np.ndarray) -> np.ndarray:
    """Map sRGB-encoded BT.709 colours, (N, 3) float32, of any range, to SDR in [0, 1].

    Colours whose largest channel is below the knee (0.43 of reference white) are only clipped at 0.
    """
    mapped = colours.clip(0)
    bright = mapped.max(axis=1) > linear_to_srgb(np.float64(_KNEE_LIGHT))
    linear = srgb_to_linear(mapped[bright])
    largest = linear.max(axis=1, keepdims=True)
    mapped[bright] = linear_to_srgb(linear * (_compress(largest) / largest))
    return mapped.clip(0, 1)


def _compress(light: np.ndarray) -> np.ndarray:
    """The EETF above its knee: linear light relative to reference white, to [0, 1]."""
    signal = nits_to_pq((light * REFERENCE_WHITE).clip(0, SOURCE_PEAK)) / _SOURCE_PQ
    t = (signal - _KNEE) / (1 - _KNEE)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * _KNEE + (t**3 - 2 * t**2 + t) * (1 - _KNEE) + (3 * t**2 - 2 * t**3) * _MAX_LUMINANCE
    )
    return pq_to_nits(spline * _SOURCE_PQ) / TARGET_PEAK
