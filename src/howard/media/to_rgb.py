"""Conversion of decoded video frames to upright RGB, by their colour tags, YCbCr matrix, range and rotation."""

from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from howard.media.colour_names import apply_colour_name
from howard.media.colours.camera_curves import FULL_RANGE_CURVES
from howard.media.colours.h273 import UNSPECIFIED, read_code_points
from howard.media.orientation import Orientation, make_upright, read_orientation
from howard.media.primaries import BT709
from howard.media.working_space import ColourTags, WorkingSpace


class _Matrix(NamedTuple):
    """A YCbCr matrix: swscale's constant, and the weights of red and blue in luma."""

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
# Prefixes of pixel formats without chroma, whose matrix tag is meaningless.
_GREY = ("gray", "mono", "ya")
# By default swscale rounds down and uses one chroma sample for two pixels, which makes saturated colours deviate from
# the standard's formula by up to two levels. With these flags the result agrees with the formula exactly.
SCALER_FLAGS = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
# Ratio of the ranges of luma (219 codes of 8 bits) and chroma (224 codes) in limited range.
_LUMA_OVER_CHROMA = 219 / 224
# With more threads, the overhead exceeds the gain, since the decoder has threads of its own.
_SCALER_THREADS = 4
_MALLOC_THRESHOLD_BYTES = 31 * 2**20


class RgbConverter:
    """Converts the decoded frames of one stream, of the format of ``first``, to the working space.

    swscale writes planar RGB, which takes a third of the time of interleaved RGB and gives the same values.
    """

    def __init__(self, first: av.VideoFrame, tags: ColourTags) -> None:
        self._working_space = WorkingSpace(tags)
        self._layout = _layout(first)
        bits = max(component.bits for component in first.format.components)
        # HDR curves amplify some 8-bit steps, so the additional precision of interpolated chroma becomes visible.
        self._deep = bits > 8 or not self._working_space.is_identity
        full_range_codes = tags.transfer in FULL_RANGE_CURVES and not tags.full_range and tags.matrix != "rgb"
        self._chroma_gain = chroma_gain(tags.matrix) if full_range_codes else None
        full_range = tags.full_range or full_range_codes
        self._missing_bits = bits if full_range else 8
        self._short_bits = _short_bits(first.format)
        self._matrix = _matrix_arguments(tags.matrix, full_range)
        self._reformatter = VideoReformatter()
        self.dtype = self._working_space.dtype_of("uint16" if self._deep else "uint8")
        # Freeing a block of this size raises glibc's dynamic mmap threshold, so that the buffers of frames are reused.
        # Otherwise they return to the system, and allocating them again takes as long as the conversion.
        np.empty(_MALLOC_THRESHOLD_BYTES, np.uint8)

    def fits(self, frame: av.VideoFrame) -> bool:
        """Whether ``frame`` has the size, pixel format and orientation that this converter expects."""
        return _layout(frame) == self._layout

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """The upright image in the working space, (H, W, 3) of ``dtype``: uint8, uint16 or float32."""
        return make_upright(self.as_stored(frame), self._layout.orientation)

    def as_stored(self, frame: av.VideoFrame) -> np.ndarray:
        """The image in the working space as stored, without the rotation and mirroring."""
        # swscale leaves parts of some rows unwritten if it only has to drop the alpha plane.
        is_planar = self._deep and frame.format.name == "gbrap16le"
        planar = frame if is_planar else self._to_planar(frame)
        return self._working_space(self._interleave(planar))

    def _to_planar(self, frame: av.VideoFrame) -> av.VideoFrame:
        return self._reformatter.reformat(
            frame,
            format="gbrp16le" if self._deep else "gbrp",
            interpolation=SCALER_FLAGS,
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
            # swscale expands to 16 bits by shifting, so white is less than 65535.
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
    """Bits of red, green and blue in RGB formats of 4 to 6 bits, which swscale also shifts; None for other formats."""
    bits = np.array([component.bits for component in pixel_format.components], np.uint8)
    is_short = pixel_format.is_rgb and len(bits) == 3 and bits.min() >= 4 and bits.max() <= 6
    return bits if is_short else None


def _matrix_arguments(matrix: str, full_range: bool) -> dict[str, Any]:
    """swscale's arguments for the conversion from ``matrix`` to RGB."""
    if matrix == "rgb":
        return {}
    return {
        "src_colorspace": MATRICES[matrix].scaler,
        "src_color_range": ColorRange.JPEG if full_range else ColorRange.MPEG,
        "dst_color_range": ColorRange.JPEG,
    }


def chroma_gain(name: str) -> np.ndarray:
    """3x3 matrix that corrects the chroma of RGB converted from limited-range YCbCr as if it were full range.

    Greys are unchanged. ``name`` is FFmpeg's name of the YCbCr matrix.
    """
    matrix = MATRICES[name]
    # In full range, luma and chroma have the same scale; in limited range they do not.
    weights = np.array([matrix.red, 1 - matrix.red - matrix.blue, matrix.blue])
    return _LUMA_OVER_CHROMA * np.eye(3) + (1 - _LUMA_OVER_CHROMA) * np.tile(weights, (3, 1))


def read_colour_tags(path: Path, frame: av.VideoFrame, colour: str | None = None) -> ColourTags:
    """The colour tags of a decoded frame, overridden by ``colour``, one of COLOUR_NAMES, if it is given.

    Raises InputError for unsupported tags without an override, and SettingsError if ``colour`` is unknown.
    """
    return apply_colour_name(frame_colour_tags(frame), colour, path)


def frame_colour_tags(frame: av.VideoFrame) -> ColourTags:
    """The colour tags of a decoded frame; unsupported ones are named in ``unknown``.

    Missing tags are filled in as players do: without a matrix tag, frames of less than 720 lines are BT.601 and others
    BT.709; without a range tag, YCbCr is limited range.
    """
    name, is_rgb = frame.format.name, frame.format.is_rgb
    if name.startswith("xyz"):
        # swscale converts the XYZ of digital cinema to RGB with BT.709 primaries and a display curve.
        return ColourTags("rgb", True, BT709, "iec61966-2-1")
    has_matrix = not is_rgb and not name.startswith(_GREY)
    matrix = int(frame.colorspace) if has_matrix else UNSPECIFIED
    points = read_code_points(int(frame.color_primaries), int(frame.color_trc), matrix)
    tags = ColourTags("rgb", True, points.primaries or BT709, points.transfer or "bt709", unknown=points.unknown)
    if is_rgb:
        return tags
    is_high_definition = max(frame.height, frame.width * 9 // 16) >= _HIGH_DEFINITION_LINES
    guessed = "bt709" if is_high_definition else "smpte170m"
    # YCbCr that is tagged as RGB is treated as untagged.
    stated = points.matrix if points.matrix != "rgb" else None
    return tags._replace(matrix=stated or guessed, full_range=int(frame.color_range) == ColorRange.JPEG)
