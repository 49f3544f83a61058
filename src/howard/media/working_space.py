"""The one colour space that all pictures are brought into, and what is known of a file's own.

The working space is RGB with BT.709 primaries, sRGB-encoded:

* SDR of BT.709, BT.601 or sRGB: the RGB code values as they are; no 709-to-sRGB curve.
* SDR of BT.2020 or P3: the same code values for greys; colours are converted to BT.709 in linear light.
* Stills with an ICC profile: what the profile's curves and primaries say, unless that is sRGB.
* PQ: light on the display, 203 cd/m2 is 1.0: the reference white of ITU-R BT.2408.
* HLG: light on a display of 1000 cd/m2 (ITU-R BT.2100's gamma of 1.2), then as PQ; a signal of 75 % is 1.0.
* Linear light, log curves and OpenColorIO's colour spaces: the scene's light, a white reflector is 1.0 and a grey card
  0.18.

All but the first are float32. Values above 1 are kept, and so are those below 0, colours that BT.709 cannot show; both
end at the largest half float.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from howard import colour
from howard.images import to_depth
from howard.media.colours.camera_curves import CAMERA_CURVES
from howard.media.primaries import (
    BT470BG,
    BT709,
    EBU3213,
    SMPTE170M,
    SMPTE240M,
    Primaries,
    rgb_to_bt709,
    rgb_to_xyz,
)

LARGEST_HALF = 65504.0
# What the transfer of a colour space of OpenColorIO begins with; its name follows.
OCIO_PREFIX = "ocio:"
# cd/m2; HDR reference white of ITU-R BT.2408.
REFERENCE_WHITE = 203.0
# cd/m2; the nominal display of ITU-R BT.2100, whose system gamma is 1.2.
HLG_PEAK = 1000.0
HLG_GAMMA = 1.2
# SMPTE ST 428-1: the largest signal of a digital cinema package is 52.37 cd/m2, and white 48.
_CINEMA_PEAK = 52.37 / 48
_CINEMA_GAMMA = 2.6

SDR_PRIMARIES = (BT709, BT470BG, SMPTE170M, SMPTE240M, EBU3213)
# From signals to linear light, by FFmpeg's name of the transfer or the log curve's own; without the curves of SDR.
CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda signal: signal,
    "smpte2084": lambda signal: colour.pq_to_nits(signal) / REFERENCE_WHITE,
    "arib-std-b67": colour.hlg_to_scene,
    "smpte428": lambda signal: _CINEMA_PEAK * signal.clip(0) ** _CINEMA_GAMMA,
    **CAMERA_CURVES,
}


class ColourTags(NamedTuple):
    """How a file's values are to be read: ``matrix`` and ``transfer`` in FFmpeg's names, log curves by their own.

    ``matrix`` is "rgb" where there is none to undo. ``curve`` is a still's own, from its ICC profile: from (..., 3)
    signals to linear light. ``unknown`` names what the file says and nobody here can read; the other fields then are a
    guess that only a person may confirm.
    """

    matrix: str
    full_range: bool
    primaries: Primaries
    transfer: str
    curve: Callable[[np.ndarray], np.ndarray] | None = None
    unknown: str = ""


class WorkingSpace:
    """Converts RGB pictures of one clip into the working space.

    Raises SettingsError where ``tags`` name a colour space that OpenColorIO does not know.
    """

    def __init__(self, tags: ColourTags) -> None:
        self.passes = _is_plain_sdr(tags)
        self._curve = tags.curve or CURVES.get(tags.transfer, colour.srgb_to_linear)
        self._by_channel = tags.curve is not None
        self._is_hlg = tags.transfer == "arib-std-b67"
        self._luminance = rgb_to_xyz(tags.primaries)[1:2]
        self._to_bt709 = None if tags.primaries in SDR_PRIMARIES else rgb_to_bt709(tags.primaries)
        self._tables: dict[str, np.ndarray] = {}
        self._ocio = None
        if tags.transfer.startswith(OCIO_PREFIX):
            # Only who names such a space waits for OpenColorIO to load.
            from howard.media.colours.ocio import to_linear_bt709

            self._ocio = to_linear_bt709(tags.transfer.removeprefix(OCIO_PREFIX))

    def dtype_of(self, dtype: str) -> str:
        """The type that pictures of ``dtype`` come out as."""
        return dtype if self.passes else "float32"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Convert (H, W, 3) RGB, matrix and range undone: uint8, uint16, or float32 with 1 as full signal."""
        if self.passes:
            return _bounded(image) if image.dtype == np.float32 else image
        if self._ocio is not None:
            return colour.linear_to_srgb(_bounded(self._ocio(to_depth(image, np.float32))))
        linear = self._linearise(image)
        if self._is_hlg:
            # ITU-R BT.2100, table 5: the display's gamma acts on luminance, so that hues stay.
            luminance = cv2.transform(linear, self._luminance)
            linear = linear * (HLG_PEAK / REFERENCE_WHITE * luminance ** (HLG_GAMMA - 1))[..., None]
        if self._to_bt709 is not None:
            linear = cv2.transform(linear, self._to_bt709)
        return colour.linear_to_srgb(linear)

    def _linearise(self, image: np.ndarray) -> np.ndarray:
        if image.dtype == np.float32:
            # Huge floats, as a damaged file has them, leave the range of log curves.
            with np.errstate(over="ignore", invalid="ignore"):
                return _bounded(self._curve(image))
        kind = str(image.dtype)
        if kind not in self._tables:
            peak = np.iinfo(image.dtype).max
            signal = np.arange(peak + 1) / peak
            curve = self._curve(np.repeat(signal[:, None], 3, axis=1) if self._by_channel else signal)
            self._tables[kind] = curve.astype(np.float32)
        table = self._tables[kind]
        if self._by_channel:
            return np.stack([table[:, channel][image[..., channel]] for channel in range(3)], axis=-1)
        return table[image]


def _is_plain_sdr(tags: ColourTags) -> bool:
    has_curve = tags.curve is not None or tags.transfer in CURVES or tags.transfer.startswith(OCIO_PREFIX)
    return not has_curve and tags.primaries in SDR_PRIMARIES


def _bounded(light: np.ndarray) -> np.ndarray:
    """Float32 that a half float can hold; NaN becomes 0."""
    bounded = light.astype(np.float32, copy=False).clip(-LARGEST_HALF, LARGEST_HALF)
    missing = np.isnan(bounded)
    if missing.any():
        bounded[missing] = 0
    return bounded
