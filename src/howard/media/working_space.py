"""The working colour space, into which all images are converted, and the colour tags of files.

The working space is RGB with BT.709 primaries, sRGB-encoded. Files are converted as follows:

* SDR of BT.709, BT.601 or sRGB: the RGB code values are used unchanged, without a conversion from BT.709's curve.
* SDR of BT.2020 or P3: code values of greys are unchanged; colours are converted to BT.709 in linear light.
* Stills with an ICC profile other than sRGB: by the profile's curves and primaries.
* PQ: display light; 1.0 is 203 cd/m2, the reference white of ITU-R BT.2408.
* HLG: display light at 1000 cd/m2 (system gamma 1.2 of ITU-R BT.2100), then as PQ; a signal of 75 % is 1.0.
* Linear light, log curves and OpenColorIO's colour spaces: scene light; a white reflector is 1.0, a grey card 0.18.

The result is float32 in all cases but the first. Values above 1 and negative values (colours outside BT.709) are kept,
up to the largest half float.
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
# Prefix of ColourTags.transfer for a colour space of OpenColorIO, followed by its name.
OCIO_PREFIX = "ocio:"
# cd/m2; HDR reference white of ITU-R BT.2408.
REFERENCE_WHITE = 203.0
# cd/m2; the nominal display of ITU-R BT.2100, whose system gamma is 1.2.
HLG_PEAK = 1000.0
HLG_GAMMA = 1.2
# SMPTE ST 428-1: in digital cinema packages signal 1 is 52.37 cd/m2, and white is 48 cd/m2.
_CINEMA_PEAK = 52.37 / 48
_CINEMA_GAMMA = 2.6

SDR_PRIMARIES = (BT709, BT470BG, SMPTE170M, SMPTE240M, EBU3213)
# From signals to linear light, by FFmpeg's name of the transfer or the log curve's name; SDR curves are not included.
CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda signal: signal,
    "smpte2084": lambda signal: colour.pq_to_nits(signal) / REFERENCE_WHITE,
    "arib-std-b67": colour.hlg_to_scene,
    "smpte428": lambda signal: _CINEMA_PEAK * signal.clip(0) ** _CINEMA_GAMMA,
    **CAMERA_CURVES,
}


class ColourTags(NamedTuple):
    """How a file's values are to be interpreted.

    Attributes:
        matrix: the YCbCr matrix, by FFmpeg's name; "rgb" if there is none.
        full_range: whether code values use the full range.
        primaries: chromaticities of the primaries and white.
        transfer: the transfer characteristic, by FFmpeg's name, or a log curve's name in CAMERA_CURVES.
        curve: from an ICC profile: (..., 3) signals to linear light; replaces ``transfer``.
        unknown: unsupported tags of the file, in words; the other fields are then guesses, which the user has to
            confirm or override. Empty if all tags are supported.
    """

    matrix: str
    full_range: bool
    primaries: Primaries
    transfer: str
    curve: Callable[[np.ndarray], np.ndarray] | None = None
    unknown: str = ""


class WorkingSpace:
    """Converts the RGB images of one clip into the working space.

    ``is_identity`` says that code values are unchanged (SDR). Raises SettingsError if ``tags`` name an unknown colour
    space of OpenColorIO.
    """

    def __init__(self, tags: ColourTags) -> None:
        self.is_identity = _is_plain_sdr(tags)
        self._curve = tags.curve or CURVES.get(tags.transfer, colour.srgb_to_linear)
        self._by_channel = tags.curve is not None
        self._is_hlg = tags.transfer == "arib-std-b67"
        self._luminance = rgb_to_xyz(tags.primaries)[1:2]
        self._to_bt709 = None if tags.primaries in SDR_PRIMARIES else rgb_to_bt709(tags.primaries)
        self._tables: dict[str, np.ndarray] = {}
        self._ocio = None
        if tags.transfer.startswith(OCIO_PREFIX):
            # OpenColorIO loads slowly, so it is imported only where it is needed.
            from howard.media.colours.ocio import to_linear_bt709

            self._ocio = to_linear_bt709(tags.transfer.removeprefix(OCIO_PREFIX))

    def dtype_of(self, dtype: str) -> str:
        """The dtype of the result for images of ``dtype``."""
        return dtype if self.is_identity else "float32"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Convert full-range RGB, (H, W, 3): uint8, uint16, or float32 with signal 1 as white."""
        if self.is_identity:
            return _bounded(image) if image.dtype == np.float32 else image
        if self._ocio is not None:
            return colour.linear_to_srgb(_bounded(self._ocio(to_depth(image, np.float32))))
        linear = self._linearise(image)
        if self._is_hlg:
            # ITU-R BT.2100, table 5: the system gamma is applied to luminance, which preserves hue.
            luminance = cv2.transform(linear, self._luminance)
            linear = linear * (HLG_PEAK / REFERENCE_WHITE * luminance ** (HLG_GAMMA - 1))[..., None]
        if self._to_bt709 is not None:
            linear = cv2.transform(linear, self._to_bt709)
        return colour.linear_to_srgb(linear)

    def _linearise(self, image: np.ndarray) -> np.ndarray:
        if image.dtype == np.float32:
            # The huge floats of damaged files overflow in log curves.
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
    """Float32, clipped to the range of half floats; NaN becomes 0."""
    bounded = light.astype(np.float32, copy=False).clip(-LARGEST_HALF, LARGEST_HALF)
    missing = np.isnan(bounded)
    if missing.any():
        bounded[missing] = 0
    return bounded
