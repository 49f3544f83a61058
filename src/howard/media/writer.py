"""The interface of all writers, and `open_writer`, which creates the writer of any format."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from howard.errors import SettingsError
from howard.media.colours.stored_colour import choose_stored_colour
from howard.media.exr_writing import EXR_COMPRESSIONS, ExrSequenceWriter
from howard.media.files import shorten_name
from howard.media.frame import ClipInfo
from howard.media.frame_files import PngSequenceWriter
from howard.media.movie_formats import MOVIE_FORMATS
from howard.media.movie_writer import MovieWriter

_PNG_BITS = {"png": 8, "png16": 16}
FORMATS = (*_PNG_BITS, "exr", *MOVIE_FORMATS)


class Writer(Protocol):
    """Writes the frames of a clip, to one or several files.

    Images are straight (unpremultiplied) RGBA, (H, W, 4), or for composites RGB, (H, W, 3), sRGB-encoded: uint8, uint16
    (0 to 65535), or float32, which may exceed 1. Each format converts them to its own encoding. For clips whose images
    are float32 (HDR or wide gamut), integer images must already be in the stored encoding, as `to_stored` returns them.

    A frame is written in two steps: `prepare`, which is thread-safe, and `write`, which must be called from one thread
    in the order of the frame numbers. Nothing is written before `begin`. Files are written atomically.

    Attributes:
        dtype: the least precise dtype of images that loses nothing the format can store.
        facts: description of the files for the sidecar.
    """

    dtype: np.dtype

    @property
    def facts(self) -> dict[str, Any]: ...

    def batch(self, number: int) -> Sequence[int]:
        """The numbers of the frames that are completed together with this one and must be rewritten together."""
        ...

    def has(self, number: int) -> bool:
        """Whether an earlier run completed the file with this frame, and it still has its format's signature."""
        ...

    def file(self, number: int) -> Path:
        """The file that contains this frame at present: a movie's segment until all segments are joined."""
        ...

    def files(self, numbers: Sequence[int]) -> Sequence[Path]:
        """The final files of these frames."""
        ...

    def begin(self, numbers: Sequence[int]) -> None:
        """Prepare for writing these frames; raises OutputError if the folder cannot be created or cleaned up."""
        ...

    def to_stored(self, picture: np.ndarray) -> np.ndarray:
        """The image in the stored encoding and bit depth, which `prepare` also accepts."""
        ...

    def prepare(self, picture: np.ndarray) -> Any:
        """Convert an image to what `write` takes; raises ValueError for another shape or dtype than stated above."""
        ...

    def write(self, number: int, prepared: Any) -> Sequence[int]:
        """Write one frame; returns the numbers of the frames that are now complete on disk. Raises OutputError."""
        ...

    def finish(self, times: Mapping[int, Fraction]) -> Sequence[Path]:
        """Complete the files after all frames are written; returns the files that this call created.

        ``times`` are the frames' times in the clip in seconds, by frame number.
        """
        ...

    def close(self) -> None:
        """Discard incomplete files."""
        ...


def open_writer(
    output_format: str,
    folder: str | Path,
    clip: ClipInfo,
    frames: range,
    *,
    ending: str = "",
    compression: str = "zip",
    output_colour: str | None = None,
    alpha_mode: str = "auto",
    layers: Sequence[str] = (),
) -> Writer:
    """Create the writer of a format; nothing is written yet.

    Args:
        output_format: one of `FORMATS`.
        folder: where the files are written.
        clip: the source clip, whose name, frame numbers, timecode and other metadata the files get.
        frames: zero-based indices of the frames that will be written.
        ending: appended to the clip's name in file names.
        compression: of EXR files: zip, piz or dwaa.
        output_colour: of EXR files: a name for `choose_output_colour`; None is scene-linear BT.709.
        alpha_mode: of PNG and EXR files: one of `howard.choices.ALPHA_MODES`.
        layers: further layers of EXR files, from `EXR_LAYERS`.

    Raises:
        SettingsError: a name is unknown.
    """
    name = shorten_name(clip.name) + ending
    if output_format in _PNG_BITS:
        return PngSequenceWriter(
            folder,
            name,
            _PNG_BITS[output_format],
            clip.pixel_aspect,
            clip.padding,
            alpha_mode == "premultiplied",
            choose_stored_colour(clip, keep_clip_colour=False),
        )
    if output_format == "exr":
        if compression not in EXR_COMPRESSIONS:
            raise SettingsError(f"there is no EXR compression '{compression}'; choose {', '.join(EXR_COMPRESSIONS)}")
        is_straight = alpha_mode == "straight"
        return ExrSequenceWriter(folder, name, clip, compression, output_colour, is_straight, layers)
    if output_format in MOVIE_FORMATS:
        return MovieWriter(folder, name, MOVIE_FORMATS[output_format], clip, frames)
    raise SettingsError(f"there is no format '{output_format}'; choose {', '.join(FORMATS)}")
