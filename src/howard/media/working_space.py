"""The one colour space that all pictures are brought into, and what is known of a file's own.

The working space is RGB with BT.709 primaries, sRGB-encoded:

* SDR of BT.709, BT.601 or sRGB: the RGB code values as they are; no 709-to-sRGB curve.
* SDR of BT.2020 or P3: the same code values for greys; colours are turned to BT.709 in linear light.
* PQ: light on the display, 203 cd/m2 is 1.0: the reference white of ITU-R BT.2408.
* HLG: light on a display of 1000 cd/m2 (ITU-R BT.2100's gamma of 1.2), then as PQ; a signal of 75 % is 1.0.
* Linear light and log curves: the scene's light, a white reflector is 1.0 and a grey card 0.18.

All but the first are float32. Values above 1 are kept, and so are those below 0, colours that BT.709 cannot show.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from howard import colour
from howard.media.primaries import BT470BG, BT709, SMPTE170M, Primaries, rgb_to_bt709, rgb_to_xyz

_REFERENCE_WHITE = 203.0
_HLG_PEAK = 1000.0
_HLG_GAMMA = 1.2

# Where a curve is defined over the whole code range though the file keeps to the limited one, as cameras do.
WHOLE_RANGE_CURVES = frozenset({"slog3", "vlog", "clog3"})
_SDR_PRIMARIES = (BT709, BT470BG, SMPTE170M)
_CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda signal: signal,
    "smpte2084": lambda signal: colour.pq_to_nits(signal) / _REFERENCE_WHITE,
    "arib-std-b67": colour.hlg_to_scene,
    "slog3": colour.slog3_to_linear,
    "vlog": colour.vlog_to_linear,
    "clog3": colour.canon_log3_to_linear,
    "logc3": colour.logc3_to_linear,
    "logc4": colour.logc4_to_linear,
}


class ColourTags(NamedTuple):
    """How a file's values are to be read: ``matrix`` and ``transfer`` in FFmpeg's names, log curves by their own.

    ``matrix`` is "rgb" where there is none to undo.
    """

    matrix: str
    full_range: bool
    primaries: Primaries
    transfer: str


class WorkingSpace:
    """Brings RGB pictures of one clip into the working space."""

    def __init__(self, tags: ColourTags) -> None:
        self.passes = tags.transfer not in _CURVES and tags.primaries in _SDR_PRIMARIES
        self._curve = _CURVES.get(tags.transfer, colour.srgb_to_linear)
        self._is_hlg = tags.transfer == "arib-std-b67"
        self._luminance = rgb_to_xyz(tags.primaries)[1:2]
        self._to_bt709 = None if tags.primaries in _SDR_PRIMARIES else rgb_to_bt709(tags.primaries)
        self._tables: dict[str, np.ndarray] = {}

    def dtype_of(self, dtype: str) -> str:
        """The type that pictures of ``dtype`` come out as."""
        return dtype if self.passes else "float32"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Convert (H, W, 3) RGB, matrix and range undone: uint8, uint16, or float32 with 1 as full signal."""
        if self.passes:
            return image
        linear = self._linearise(image)
        if self._is_hlg:
            # ITU-R BT.2100, table 5: the display's gamma acts on luminance, so that hues stay.
            luminance = cv2.transform(linear, self._luminance)
            linear = linear * (_HLG_PEAK / _REFERENCE_WHITE * luminance ** (_HLG_GAMMA - 1))[..., None]
        if self._to_bt709 is not None:
            linear = cv2.transform(linear, self._to_bt709)
        return colour.linear_to_srgb(linear)

    def _linearise(self, image: np.ndarray) -> np.ndarray:
        if image.dtype == np.float32:
            return self._curve(image).astype(np.float32, copy=False)
        kind = str(image.dtype)
        if kind not in self._tables:
            peak = np.iinfo(image.dtype).max
            self._tables[kind] = self._curve(np.arange(peak + 1) / peak).astype(np.float32)
        return self._tables[kind][image]
