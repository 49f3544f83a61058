"""What every writer can do, and the one function that opens them all."""

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
    """Writes the pictures of a clip, in any number of files.

    A picture is straight (unpremultiplied) RGBA, (H, W, 4), sRGB-encoded: uint8, uint16 (0 to 65535), or float32, whose
    curve goes on above 1. Each format converts it to what it stores. Composites are RGB, (H, W, 3). Of a clip whose
    pictures are float32, HDR or wide gamut, integer pictures are in the colours that are stored, as `to_stored` makes
    them.

    Pictures go two steps: `prepare`, which any threads may call side by side, and `write`, which one thread calls in
    the order of the numbers. Nothing is written before `begin`. A file never appears in part.

    Attributes:
        dtype: the depth in which pictures lose nothing that the format could hold.
        facts: what the files are, for the sidecar.
    """

    dtype: np.dtype

    @property
    def facts(self) -> dict[str, Any]: ...

    def batch(self, number: int) -> Sequence[int]:
        """The frames that are finished together with this one, and must be written anew together."""
        ...

    def has(self, number: int) -> bool:
        """Whether an earlier run finished the file that holds this frame, and it still is one of its format."""
        ...

    def file(self, number: int) -> Path:
        """The finished file that holds this frame at present; a movie's segment until all of them are joined."""
        ...

    def files(self, numbers: Sequence[int]) -> Sequence[Path]:
        """The finished files that hold these frames."""
        ...

    def begin(self, numbers: Sequence[int]) -> None:
        """Get ready to write these frames; raises OutputError where that cannot be."""
        ...

    def to_stored(self, picture: np.ndarray) -> np.ndarray:
        """The picture in the colours and the depth in which it is stored; `prepare` takes it like any other."""
        ...

    def prepare(self, picture: np.ndarray) -> Any:
        """The picture as it will be stored; raises ValueError for a shape or type that is none of the above."""
        ...

    def write(self, number: int, prepared: Any) -> Sequence[int]:
        """Write one frame; return the numbers of the frames that are now safe on disk. Raises OutputError."""
        ...

    def finish(self, times: Mapping[int, Fraction]) -> Sequence[Path]:
        """Complete the files when all frames are written; ``times`` are the frames' in the clip, by number.

        Returns the files that this call made.
        """
        ...

    def close(self) -> None:
        """Let go of what is not finished; half files are removed."""
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
    """A writer of one of `FORMATS` for the ``frames`` of a clip, by index.

    Files are called after the clip, with ``ending`` behind its name. ``compression`` is EXR's: zip, piz or dwaa;
    ``output_colour`` too: scene-linear BT.709 if left out, or a name that `choose_output_colour` knows. ``alpha_mode``
    is of PNG and EXR, one of `howard.choices.ALPHA_MODES`. ``layers``, some of `EXR_LAYERS`, are what EXR files hold
    beside RGBA. Nothing is written yet. Raises SettingsError for names that are not known.
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
            choose_stored_colour(clip, keeps=False),
        )
    if output_format == "exr":
        if compression not in EXR_COMPRESSIONS:
            raise SettingsError(f"there is no EXR compression '{compression}'; choose {', '.join(EXR_COMPRESSIONS)}")
        is_straight = alpha_mode == "straight"
        return ExrSequenceWriter(folder, name, clip, compression, output_colour, is_straight, layers)
    if output_format in MOVIE_FORMATS:
        return MovieWriter(folder, name, MOVIE_FORMATS[output_format], clip, frames)
    raise SettingsError(f"there is no format '{output_format}'; choose {', '.join(FORMATS)}")
