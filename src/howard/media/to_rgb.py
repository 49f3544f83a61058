"""From a decoded picture to upright RGB: the YCbCr matrix, the range and the rotation that the file asks for."""

from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from howard.media.colour_names import apply_colour_name
from howard.media.colours.camera_curves import WHOLE_RANGE_CURVES
from howard.media.colours.h273 import UNSPECIFIED, read_code_points
from howard.media.orientation import Orientation, make_upright, read_orientation
from howard.media.primaries import BT709
from howard.media.working_space import ColourTags, WorkingSpace


class _Matrix(NamedTuple):
    """A YCbCr matrix: the scaler's number for it, and what red and blue weigh in luma."""

    scaler: Colorspace
    red: float
    blue: float


MATRICES = {
    "bt709": _Matrix(Colorspace.ITU709, 0.2126, 0.0722),
    "fcc": _Matrix(Colorspace.FCC, 0.30, 0.11),
    "bt470bg": _Matrix(Colorspace.ITU601, 0.299, 0.114),
    "smpte170m": _Matrix(Colorspace.ITU601, 0.299, 0.114),
    "smpte240m": _Matrix(Colorspace.SMPTE240M, 0.212, 0.087),
    "bt2020nc": _Matrix(Colorspace.BT2020, 0.2627, 0.0593),
}
_HIGH_DEFINITION_LINES = 720
# Pixel formats whose matrix tag means nothing.
_GREY = ("gray", "mono", "ya")
# swscale's default rounds down and shares one chroma sample between two pixels; saturated colours then miss the
# standard's formula by up to two levels. These flags agree with the formula exactly.
_QUALITY = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
# In limited range, luma spans 219 levels of 8 bits and chroma 224.
_LUMA_OVER_CHROMA = 219 / 224
# More slices than these cost more than they gain beside the decoder's own threads.
_SCALER_THREADS = 4
_KEPT_BYTES = 31 * 2**20


class RgbConverter:
    """Converts the decoded frames of one stream, all as ``first`` is, into the working space.

    The scaler writes planes, which takes it a third of the time that interleaved pixels do, for the same values.
    """

    def __init__(self, first: av.VideoFrame, tags: ColourTags) -> None:
        self._working_space = WorkingSpace(tags)
        self._layout = _layout(first)
        bits = max(component.bits for component in first.format.components)
        # Curves other than SDR's spread some codes wide; what interpolated chroma adds to 8 bits then shows.
        self._deep = bits > 8 or not self._working_space.passes
        whole_range = tags.transfer in WHOLE_RANGE_CURVES and not tags.full_range and tags.matrix != "rgb"
        self._chroma_gain = chroma_gain(tags.matrix) if whole_range else None
        full_range = tags.full_range or whole_range
        self._missing_bits = bits if full_range else 8
        self._short_bits = _short_bits(first.format)
        self._matrix = _matrix_arguments(tags.matrix, full_range)
        self._reformatter = VideoReformatter()
        self.dtype = self._working_space.dtype_of("uint16" if self._deep else "uint8")
        # Once a block of this size has been freed, glibc keeps what is freed later. Without it, each picture's buffers
        # go back to the system, and getting them again takes as long as the conversion.
        np.empty(_KEPT_BYTES, np.uint8)

    def fits(self, frame: av.VideoFrame) -> bool:
        """Whether ``frame`` has the size, format and orientation that this converter is made for."""
        return _layout(frame) == self._layout

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """Return the upright picture in the working space, (H, W, 3): uint8, or uint16 or float32 as ``dtype`` says."""
        return make_upright(self.as_stored(frame), self._layout.orientation)

    def as_stored(self, frame: av.VideoFrame) -> np.ndarray:
        """The same as the file has it, neither turned nor mirrored."""
        # swscale leaves half of some rows unwritten where it has only the alpha plane to drop.
        is_planar = self._deep and frame.format.name == "gbrap16le"
        planar = frame if is_planar else self._to_planar(frame)
        return self._working_space(self._interleave(planar))

    def _to_planar(self, frame: av.VideoFrame) -> av.VideoFrame:
        return self._reformatter.reformat(
            frame,
            format="gbrp16le" if self._deep else "gbrp",
            interpolation=_QUALITY,
            threads=_SCALER_THREADS,
            **self._matrix,
        )

    def _interleave(self, frame: av.VideoFrame) -> np.ndarray:
        kind = np.uint16 if self._deep else np.uint8
        buffers: Any = frame.planes
        green, blue, red = (
            np.frombuffer(buffer, kind).reshape(frame.height, -1)[:, : frame.width] for buffer in buffers[:3]
        )
        image = np.asarray(cv2.merge([red, green, blue]))
        if self._deep:
            # The scaler shifts values up to 16 bits and so leaves white short of 65535.
            image = cv2.add(image, np.right_shift(image, self._missing_bits))
        elif self._short_bits is not None:
            image = cv2.add(image, np.right_shift(image, self._short_bits))
        return image if self._chroma_gain is None else cv2.transform(image, self._chroma_gain)


class _Layout(NamedTuple):
    width: int
    height: int
    pixel_format: str
    orientation: Orientation


def _layout(frame: av.VideoFrame) -> _Layout:
    return _Layout(frame.width, frame.height, frame.format.name, read_orientation(frame))


def _short_bits(pixel_format: av.VideoFormat) -> np.ndarray | None:
    """Bits of red, green and blue in RGB of 4 to 6 bits, which the scaler shifts up too; None for other formats."""
    bits = np.array([component.bits for component in pixel_format.components], np.uint8)
    is_short = pixel_format.is_rgb and len(bits) == 3 and bits.min() >= 4 and bits.max() <= 6
    return bits if is_short else None


def _matrix_arguments(matrix: str, full_range: bool) -> dict[str, Any]:
    """What the scaler must be told to undo ``matrix``."""
    if matrix == "rgb":
        return {}
    return {
        "src_colorspace": MATRICES[matrix].scaler,
        "src_color_range": ColorRange.JPEG if full_range else ColorRange.MPEG,
        "dst_color_range": ColorRange.JPEG,
    }


def chroma_gain(name: str) -> np.ndarray:
    """3x3 on RGB made of limited-range YCbCr as if it were full range: greys stay, chroma gets its true size.

    ``name`` is that of the YCbCr matrix, in FFmpeg's words.
    """
    matrix = MATRICES[name]
    # Luma and chroma were divided alike, though the file keeps them at different scales.
    weights = np.array([matrix.red, 1 - matrix.red - matrix.blue, matrix.blue])
    return _LUMA_OVER_CHROMA * np.eye(3) + (1 - _LUMA_OVER_CHROMA) * np.tile(weights, (3, 1))


def read_colour_tags(path: Path, frame: av.VideoFrame, colour: str | None = None) -> ColourTags:
    """Read a decoded frame's tags, or what ``colour``, one of COLOUR_NAMES, says in their place.

    Raises InputError, naming the tag, for one that is there but cannot be read; SettingsError where ``colour`` is
    unknown.
    """
    return apply_colour_name(frame_colour_tags(frame), colour, path)


def frame_colour_tags(frame: av.VideoFrame) -> ColourTags:
    """What a frame's tags say; those that cannot be read are named in ``unknown``.

    What is missing is filled in as players do: without a matrix tag, pictures below 720 lines are BT.601 and all others
    BT.709; without a range tag, YCbCr is limited range.
    """
    name, is_rgb = frame.format.name, frame.format.is_rgb
    if name.startswith("xyz"):
        # The scaler turns the XYZ of digital cinema into RGB with BT.709's primaries and a display's curve.
        return ColourTags("rgb", True, BT709, "iec61966-2-1")
    has_matrix = not is_rgb and not name.startswith(_GREY)
    matrix = int(frame.colorspace) if has_matrix else UNSPECIFIED
    said = read_code_points(int(frame.color_primaries), int(frame.color_trc), matrix)
    tags = ColourTags("rgb", True, said.primaries or BT709, said.transfer or "bt709", unknown=said.unknown)
    if is_rgb:
        return tags
    is_high_definition = max(frame.height, frame.width * 9 // 16) >= _HIGH_DEFINITION_LINES
    guessed = "bt709" if is_high_definition else "smpte170m"
    # YCbCr that claims to be RGB is taken for untagged.
    stated = said.matrix if said.matrix != "rgb" else None
    return tags._replace(matrix=stated or guessed, full_range=int(frame.color_range) == ColorRange.JPEG)
