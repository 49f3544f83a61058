"""The colours in which PNG files and movies are stored: SDR, or the clip's own curve, primaries and tags.

There are three cases:

* The clip is SDR (BT.709, BT.601 or sRGB): code values are stored unchanged.
* The clip's colours are kept: HLG, PQ, log curves and wide gamuts in formats of at least 10 bits, so that a cut-out
  matches its shot in compositing.
* The clip's colours are converted to SDR: HDR is tone-mapped (`tone_mapping`), wide gamuts are clipped to BT.709.

The encoding functions at the end are the inverse of `howard.media.working_space.WorkingSpace`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.images import to_depth
from howard.media.colours import h273, ocio
from howard.media.colours.camera_curves import CAMERA_CURVES, FULL_RANGE_CURVES
from howard.media.colours.tone_mapping import DESCRIPTION, tone_map
from howard.media.frame import ClipInfo
from howard.media.primaries import Primaries, find_primaries, rgb_to_bt709, rgb_to_xyz
from howard.media.working_space import CURVES, HLG_GAMMA, HLG_PEAK, OCIO_PREFIX, REFERENCE_WHITE, SDR_PRIMARIES

_BT709 = h273.primaries_code("bt709")
_NAMES = {"arib-std-b67": "HLG", "smpte2084": "PQ", "bt2020": "BT.2020", "linear": "scene-linear light"}
_BROADCAST_CURVES = ("arib-std-b67", "smpte2084")

# From (N, 3) float32 colours of the working space to signals in [0, 1].
Encoding = Callable[[np.ndarray], np.ndarray]
# Signals of the tables that invert curves: all 16-bit code values.
_SIGNALS = np.arange(65536) / 65535


class StoredColour(NamedTuple):
    """The colour encoding of an output.

    Attributes:
        primaries, transfer: code points of ITU-T H.273 (2: unspecified).
        matrix_name: the YCbCr matrix, by FFmpeg's name.
        full_range_codes: whether code values use the full range although the file is tagged as limited range, as
            cameras record log curves.
        description: for the sidecar.
        note: for the user: how the clip's HDR or wide gamut is stored; empty for SDR.
        convert: from (N, 3) float32 colours of the working space to signals in [0, 1]; None for no conversion.
    """

    primaries: int = _BT709
    transfer: int = _BT709
    matrix_name: str = "bt709"
    full_range_codes: bool = False
    description: str = "the shot's own values (sRGB-encoded), tagged BT.709"
    note: str = ""
    convert: Encoding | None = None

    @property
    def matrix(self) -> int:
        """The H.273 code point of the YCbCr matrix."""
        return h273.matrix_code(self.matrix_name)

    def store(self, picture: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Convert an image, (H, W, 3) or straight (H, W, 4), to the stored values, uint8 or uint16.

        Float32 images are in the working space. Integer images are already in this encoding; only their bit depth is
        converted. The colours of pixels with alpha 0 are not converted.
        """
        if self.convert is None or picture.dtype.kind != "f":
            return to_depth(picture, dtype)
        visible = picture[..., 3] > 0 if picture.shape[2] == 4 else np.ones(picture.shape[:2], bool)
        stored = to_depth(picture, dtype)
        stored[visible, :3] = to_depth(self.convert(picture[visible][:, :3]).astype(np.float32), dtype)
        return stored


SDR = StoredColour()


def choose_stored_colour(clip: ClipInfo, keep_clip_colour: bool) -> StoredColour:
    """The colours in which a format stores ``clip``; with ``keep_clip_colour``, the clip's own colours if possible."""
    primaries = find_primaries(clip.primaries)
    is_hdr = clip.transfer in CURVES or clip.transfer.startswith(OCIO_PREFIX)
    if clip.dtype != "float32" or (not is_hdr and primaries in SDR_PRIMARIES):
        return SDR
    kept = _keep(clip, primaries) if keep_clip_colour and primaries is not None else None
    if kept is not None:
        return kept
    name = _describe(clip)
    if is_hdr:
        return SDR._replace(
            description=f"sRGB-encoded, tagged BT.709; tone-mapped by {DESCRIPTION}",
            note=f"the shot is HDR ({name}): tone-mapped to SDR ({DESCRIPTION}); format=exr keeps all of its light",
            convert=tone_map,
        )
    return SDR._replace(
        description="sRGB-encoded, tagged BT.709; colours outside are clipped",
        note=f"the shot has a wide gamut ({name}): colours outside BT.709 are clipped; format=exr keeps them",
        convert=lambda colours: colours,
    )


def _keep(clip: ClipInfo, primaries: Primaries) -> StoredColour | None:
    """The clip's own colours; None if they have no code points or are linear light, which needs floats."""
    transfer = clip.transfer
    is_hdr = transfer in _BROADCAST_CURVES or transfer in CAMERA_CURVES
    if is_hdr:
        convert = encode_with_curve(transfer, primaries)
    elif transfer.startswith(OCIO_PREFIX):
        convert, is_hdr = encode_with_ocio(transfer.removeprefix(OCIO_PREFIX)), True
    elif transfer not in CURVES and h273.transfer_code(transfer) != h273.UNSPECIFIED:
        convert = encode_with_primaries(primaries)
    else:
        convert = None
    if convert is None or (not is_hdr and h273.primaries_code(primaries.name) == h273.UNSPECIFIED):
        return None
    matrix = clip.matrix
    if matrix == "rgb":
        matrix = "bt2020nc" if primaries.name == "bt2020" else "bt709"
    name = _describe(clip)
    kind = "is HDR" if is_hdr else "has a wide gamut"
    # Clips in a colour space of OpenColorIO are tagged with the primaries of the working space, not their own.
    is_ocio = transfer.startswith(OCIO_PREFIX)
    return StoredColour(
        primaries=h273.UNSPECIFIED if is_ocio else h273.primaries_code(primaries.name),
        transfer=h273.transfer_code(transfer),
        matrix_name=matrix,
        full_range_codes=transfer in FULL_RANGE_CURVES and not clip.full_range and clip.matrix != "rgb",
        description=f"the shot's own curve and primaries: {name}",
        note=f"the shot {kind} ({name}): kept, with its own curve and tags; format=exr gives it as scene-linear light",
        convert=convert,
    )


def _describe(clip: ClipInfo) -> str:
    if clip.transfer.startswith(OCIO_PREFIX):
        return clip.transfer
    return ", ".join(_NAMES.get(each, each) for each in (clip.transfer, clip.primaries))


def encode_with_curve(transfer: str, primaries: Primaries) -> Encoding:
    """Encoding for HLG, PQ and log curves, by name in `working_space.CURVES`, of a clip with ``primaries``."""
    matrix = _from_bt709(primaries)
    luminance = rgb_to_xyz(primaries)[1]
    light = CURVES[transfer](_SIGNALS)

    def encode(colours: np.ndarray) -> np.ndarray:
        linear = srgb_to_linear(colours.astype(np.float64)) @ matrix.T
        if transfer == "arib-std-b67":
            # ITU-R BT.2100, table 5, inverted: display light is scene light times its luminance^(gamma - 1).
            displayed = (linear @ luminance).clip(0) * (REFERENCE_WHITE / HLG_PEAK)
            gain = np.maximum(displayed, 1e-12) ** (1 / HLG_GAMMA - 1)
            linear *= gain[:, None] * (REFERENCE_WHITE / HLG_PEAK)
        return np.interp(linear, light, _SIGNALS)

    return encode


def encode_with_primaries(primaries: Primaries) -> Encoding:
    """Encoding for SDR of a wide gamut: the sRGB curve with ``primaries``."""
    matrix = _from_bt709(primaries)
    return lambda colours: linear_to_srgb(srgb_to_linear(colours.astype(np.float64)) @ matrix.T)


def encode_with_ocio(name: str) -> Encoding | None:
    """Encoding for a colour space of OpenColorIO; None if it is linear light, which integers cannot store."""
    if ocio.is_linear(ocio.find_space(name)):
        return None
    convert = ocio.from_linear_bt709(name)
    return lambda colours: convert(srgb_to_linear(colours))


def _from_bt709(primaries: Primaries) -> np.ndarray:
    """3x3 matrix from linear BT.709 RGB; SDR primaries are treated as BT.709, see `WorkingSpace`."""
    return np.eye(3) if primaries in SDR_PRIMARIES else np.linalg.inv(rgb_to_bt709(primaries))
