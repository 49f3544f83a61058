"""The movie formats for output: codec, container and pixel format of each, and the conversion of images to frames."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Interpolation
from av.video.stream import VideoStream
from numpy.typing import DTypeLike

from howard.images import check_shape_and_depth, without_hidden_colour
from howard.media.colours.stored_colour import SDR, StoredColour
from howard.media.to_rgb import MATRICES, SCALER_FLAGS, chroma_gain

# H.273 code point of the identity matrix.
_RGB_MATRIX = 0
# Pixel formats of images by bits and channels.
_IMAGE_FORMATS = {(8, 3): "rgb24", (8, 4): "rgba", (16, 4): "rgba64le"}
# Fixed, since the output of encoders may depend on the number of threads.
_THREADS = 4
# Container options: otherwise Matroska has random identifiers, and all containers name the version of FFmpeg.
REPRODUCIBLE = {"fflags": "+bitexact"}


@dataclass(frozen=True)
class MovieFormat:
    """A movie format; all have packets in presentation order, without B-frames.

    Attributes:
        suffix: of the file name.
        container, codec, pixel_format: FFmpeg's names.
        options: of the encoder.
        dtype: bit depth to which images are converted first.
        bits: significant bits per channel.
        alpha: for the sidecar.
        stored: converts the image, (H, W, ``channels``) of ``dtype``, to the stored RGB or RGBA.
        channels: of the images that are written: 4 for RGBA, 3 for RGB.
        even: whether width and height must be even.
        segment_container: container of segments, in which packets stay as the encoder returns them; ``container`` if
            None.
        keeps_clip_colour: whether HDR and wide gamut are stored with the clip's own curve and primaries.
        contains_colour: False for a matte.
        encodes_opus: whether audio that the container does not accept is encoded as Opus.
    """

    suffix: str
    container: str
    codec: str
    pixel_format: str
    options: Mapping[str, str]
    dtype: DTypeLike
    bits: int
    alpha: str
    stored: Callable[[np.ndarray], np.ndarray]
    channels: int = 4
    even: bool = False
    segment_container: str | None = None
    keeps_clip_colour: bool = False
    contains_colour: bool = True
    encodes_opus: bool = False

    @property
    def is_rgb(self) -> bool:
        """Whether RGB is stored, not YCbCr."""
        return av.VideoFormat(self.pixel_format).is_rgb

    def stored_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the movie for images of this size, made even for subsampled chroma if needed."""
        return (width + width % 2, height + height % 2) if self.even else (width, height)

    def frame(self, picture: np.ndarray, colour: StoredColour = SDR) -> av.VideoFrame:
        """Convert an image, (H, W, ``channels``), to a frame for the encoder, in ``colour`` and tagged so."""
        check_shape_and_depth(picture, channels=(self.channels,))
        image = self.stored(colour.store(picture, np.dtype(self.dtype)))
        if self.even:
            bottom, right = image.shape[0] % 2, image.shape[1] % 2
            image = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        if colour.full_range_codes and not self.is_rgb:
            image = _reduce_chroma(image, colour.matrix_name)
        if image.itemsize == 2 and not self.is_rgb:
            image = _scale_for_swscale(image)
        image_format = _IMAGE_FORMATS[8 * image.itemsize, image.shape[2]]
        source = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=image_format)
        if self.is_rgb:
            converted = source.reformat(format=self.pixel_format)
        else:
            converted = source.reformat(
                format=self.pixel_format,
                dst_colorspace=MATRICES[colour.matrix_name].scaler,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG if colour.full_range_codes else ColorRange.MPEG,
                interpolation=SCALER_FLAGS | Interpolation.FULL_CHR_H_INP,
            )
        self.tag(converted, colour)
        return converted

    def tag(self, target: av.VideoFrame | VideoCodecContext, colour: StoredColour) -> None:
        """Set the colour tags; players treat untagged movies as BT.601."""
        target.colorspace = _RGB_MATRIX if self.is_rgb else colour.matrix
        target.color_primaries = colour.primaries
        target.color_trc = colour.transfer
        target.color_range = ColorRange.JPEG if self.is_rgb else ColorRange.MPEG

    def add_stream(
        self,
        output: OutputContainer,
        width: int,
        height: int,
        rate: Fraction,
        pixel_aspect: Fraction,
        colour: StoredColour = SDR,
    ) -> VideoStream:
        """Add a video stream for images of this size to ``output``."""
        stream = cast(VideoStream, output.add_stream(self.codec, rate=rate, options=dict(self.options)))
        stream.width, stream.height = self.stored_size(width, height)
        stream.pix_fmt = self.pixel_format
        stream.codec_context.thread_count = _THREADS
        stream.codec_context.sample_aspect_ratio = pixel_aspect
        self.tag(stream.codec_context, colour)
        return stream


def alpha_as_grey(rgba: np.ndarray) -> np.ndarray:
    """The matte, from (H, W, 4) RGBA: (H, W, 3) with alpha in each channel."""
    return np.repeat(rgba[..., 3:], 3, axis=2)


def extend_colour(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA uint8 with its colours extended 4 pixels beyond the edge of alpha, and black farther out.

    With subsampled chroma, codecs would otherwise mix black into thin hair.
    """
    weight = rgba[..., 3:].astype(np.float32)
    blurred = cv2.blur(np.dstack([rgba[..., :3] * weight, weight]), (9, 9))
    extended = np.rint(blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-3)).astype(np.uint8)
    return np.dstack([np.where(weight > 0, rgba[..., :3], extended), rgba[..., 3]])


def _scale_for_swscale(rgba: np.ndarray) -> np.ndarray:
    """Scale RGBA uint16 for swscale's conversion to YCbCr, in which white is 65280 (255 x 256), but alpha 65535."""
    excess = np.right_shift(rgba, 8)
    excess[..., 3:] = 0
    return cv2.subtract(rgba, excess)


def _reduce_chroma(image: np.ndarray, matrix: str) -> np.ndarray:
    """Reduce the chroma of RGBA uint16 so that its conversion to full-range YCbCr has limited-range chroma."""
    gain = np.linalg.inv(chroma_gain(matrix))
    return np.dstack([cv2.transform(np.ascontiguousarray(image[..., :3]), gain), image[..., 3]])


def _unchanged(image: np.ndarray) -> np.ndarray:
    return image


# B-frames would delay and reorder the packets of every segment, for little gain in a preview. With its macroblock tree
# x264 reads memory that it has not initialised: of the same images the bits then differ from one render to the next.
_H264 = {"crf": "14", "preset": "medium", "bf": "0", "mbtree": "0"}

MOVIE_FORMATS = {
    "prores": MovieFormat(
        suffix=".mov",
        container="mov",
        codec="prores_ks",
        pixel_format="yuva444p10le",
        options={"profile": "4444", "alpha_bits": "16", "vendor": "apl0"},
        dtype=np.uint16,
        bits=10,
        alpha="straight",
        stored=without_hidden_colour,
        keeps_clip_colour=True,
    ),
    "ffv1": MovieFormat(
        suffix=".mkv",
        container="matroska",
        codec="ffv1",
        pixel_format="gbrap16le",
        options={"level": "3", "g": "1", "slicecrc": "1", "slices": "4"},
        dtype=np.uint16,
        bits=16,
        alpha="straight",
        stored=without_hidden_colour,
        keeps_clip_colour=True,
    ),
    "webm": MovieFormat(
        suffix=".webm",
        container="webm",
        codec="libvpx-vp9",
        pixel_format="yuva420p",
        options={"crf": "15", "b": "0", "auto-alt-ref": "0", "lag-in-frames": "0", "cpu-used": "4"},
        dtype=np.uint8,
        bits=8,
        alpha="straight",
        stored=extend_colour,
        encodes_opus=True,
    ),
    "matte": MovieFormat(
        suffix=".mp4",
        container="mp4",
        codec="libx264",
        pixel_format="yuv420p",
        options=_H264,
        dtype=np.uint8,
        bits=8,
        alpha="as grey",
        stored=alpha_as_grey,
        contains_colour=False,
        even=True,
        segment_container="nut",
    ),
    "composite": MovieFormat(
        suffix=".mp4",
        container="mp4",
        codec="libx264",
        pixel_format="yuv420p",
        options=_H264,
        dtype=np.uint8,
        bits=8,
        alpha="none",
        stored=_unchanged,
        channels=3,
        even=True,
        segment_container="nut",
    ),
}
