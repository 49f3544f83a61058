"""The movies that can be written: how each is encoded, and what it stores of a picture."""

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

from howard.images import check_picture, without_hidden_colour
from howard.media.colours.stored_colour import SDR, StoredColour
from howard.media.to_rgb import MATRICES, chroma_gain

# H.273 code point.
_NO_MATRIX = 0
# As in reading: with swscale's own defaults saturated colours miss the standard's formula by up to two levels.
_QUALITY = (
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)
_LAYOUTS = {(8, 3): "rgb24", (8, 4): "rgba", (16, 4): "rgba64le"}
# Encoders may give other bytes with another number of threads, and machines have different numbers.
_THREADS = 4
# Of containers: without it Matroska gets random identifiers, and all name the version of FFmpeg.
REPRODUCIBLE = {"fflags": "+bitexact"}


@dataclass(frozen=True)
class MovieFormat:
    """One way of writing a movie.

    ``container`` and ``codec`` are FFmpeg's names, ``pixel_format`` is what is stored, and ``bits`` how many of each
    channel mean something. ``dtype`` is what pictures are converted to first; ``stored`` then makes of (H, W,
    ``channels``) what the movie shows, RGB or RGBA. ``alpha`` is said in the sidecar. Segments are
    kept in ``segment_container``, or else ``container``, in which packets lie as the encoder gives them. Packets are in
    the order shown: no frame hangs on a later one. Sound that the container does not take is encoded as Opus where
    the format ``encodes_opus``.
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
        """Whether RGB itself is stored, and no YCbCr matrix comes in."""
        return av.VideoFormat(self.pixel_format).is_rgb

    def stored_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the movie for pictures of this size: chroma at half size needs even numbers."""
        return (width + width % 2, height + height % 2) if self.even else (width, height)

    def frame(self, picture: np.ndarray, colour: StoredColour = SDR) -> av.VideoFrame:
        """The movie's frame of a picture, (H, W, ``channels``), converted to ``colour`` and tagged."""
        check_picture(picture, channels=(self.channels,))
        image = self.stored(colour.store(picture, np.dtype(self.dtype)))
        if self.even:
            bottom, right = image.shape[0] % 2, image.shape[1] % 2
            image = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        if colour.whole_range and not self.is_rgb:
            image = _with_small_chroma(image, colour.matrix_name)
        if image.itemsize == 2 and not self.is_rgb:
            image = _for_scaler(image)
        layout = _LAYOUTS[8 * image.itemsize, image.shape[2]]
        given = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=layout)
        if self.is_rgb:
            converted = given.reformat(format=self.pixel_format)
        else:
            converted = given.reformat(
                format=self.pixel_format,
                dst_colorspace=MATRICES[colour.matrix_name].scaler,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG if colour.whole_range else ColorRange.MPEG,
                interpolation=_QUALITY,
            )
        self.tag(converted, colour)
        return converted

    def tag(self, target: av.VideoFrame | VideoCodecContext, colour: StoredColour) -> None:
        """Say what the values mean: untagged movies are taken for BT.601."""
        target.colorspace = _NO_MATRIX if self.is_rgb else colour.matrix
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
        """Begin a movie of pictures of this size in ``output``."""
        stream = cast(VideoStream, output.add_stream(self.codec, rate=rate, options=dict(self.options)))
        stream.width, stream.height = self.stored_size(width, height)
        stream.pix_fmt = self.pixel_format
        stream.codec_context.thread_count = _THREADS
        stream.codec_context.sample_aspect_ratio = pixel_aspect
        self.tag(stream.codec_context, colour)
        return stream


def alpha_as_grey(rgba: np.ndarray) -> np.ndarray:
    """The matte alone: (H, W, 4) to (H, W, 3), alpha in each channel."""
    return np.repeat(rgba[..., 3:], 3, axis=2)


def with_colour_carried_on(rgba: np.ndarray) -> np.ndarray:
    """Straight RGBA uint8 with its colour carried on a few pixels beyond the edge, and black farther out.

    Codecs that store colour at half size would otherwise mix black into thin hair.
    """
    weight = rgba[..., 3:].astype(np.float32)
    around = cv2.blur(np.dstack([rgba[..., :3] * weight, weight]), (9, 9))
    carried = np.rint(around[..., :3] / np.maximum(around[..., 3:], 1e-3)).astype(np.uint8)
    return np.dstack([np.where(weight > 0, rgba[..., :3], carried), rgba[..., 3]])


def _for_scaler(rgba: np.ndarray) -> np.ndarray:
    """RGBA uint16 as swscale takes it to YCbCr: it counts colours, but not alpha, to 65280 (255 x 256)."""
    excess = np.right_shift(rgba, 8)
    excess[..., 3:] = 0
    return cv2.subtract(rgba, excess)


def _with_small_chroma(image: np.ndarray, matrix: str) -> np.ndarray:
    """RGBA uint16 whose chroma, converted to YCbCr as full range, gets the size that it has in limited range."""
    gain = np.linalg.inv(chroma_gain(matrix))
    return np.dstack([cv2.transform(np.ascontiguousarray(image[..., :3]), gain), image[..., 3]])


def _unchanged(image: np.ndarray) -> np.ndarray:
    return image


# B-frames would shift and reorder the packets of every segment; for a quick look they are not worth it.
_H264 = {"crf": "14", "preset": "medium", "bf": "0"}

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
        stored=with_colour_carried_on,
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
