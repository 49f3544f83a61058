"""Writing EXR files as compositing programs expect them: half floats, premultiplied, scene-linear, with layers.

Written with OpenEXR's own Python module, since OpenImageIO takes 1.4 to 2.2 times as long (benchmarks/media.py).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import OpenEXR

from howard.colour import srgb_to_linear
from howard.errors import OutputError
from howard.images import check_shape_and_depth, to_depth
from howard.media.colours.output_colour import OutputColour, choose_output_colour
from howard.media.files import atomic_file
from howard.media.frame import ClipInfo, WindowOrigin
from howard.media.frame_files import NumberedFiles
from howard.media.timecode import parse_timecode, shift_timecode
from howard.media.working_space import LARGEST_HALF

EXR_COMPRESSIONS = {
    "zip": OpenEXR.ZIP_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
    "dwaa": OpenEXR.DWAA_COMPRESSION,
}
LINEAR_BT709 = choose_output_colour(None)
_NO_OFFSET = WindowOrigin()


class _LayerChannels(NamedTuple):
    """The channel letters of a layer, and whether they are colours, which are converted to the output colour space."""

    letters: str
    is_colour: bool = False


_LAYER_CHANNELS = {
    "matte": _LayerChannels("A"),
    "foreground": _LayerChannels("RGB", is_colour=True),
    "plate": _LayerChannels("RGB", is_colour=True),
    "coverage": _LayerChannels("A"),
    "shadow": _LayerChannels("RGB"),
    "confidence": _LayerChannels("A"),
}
EXR_LAYERS = tuple(_LAYER_CHANNELS)


class ExrChannels(NamedTuple):
    """The pixels of an EXR file, float16: ``rgba`` (H, W, 4), and the ``layers``' channels (H, W) by full name."""

    rgba: np.ndarray
    layers: Mapping[str, np.ndarray]


class ExrSequenceWriter(NumberedFiles):
    """Writes EXR files of half floats, one per frame.

    Frame rate, timecode, pixel aspect and the origin of the display window are those of ``clip``. Alpha is
    premultiplied in linear light, as compositing programs expect, unless ``is_straight``.

    Args:
        folder: where the files are written.
        name: the part of the file names before the frame number.
        clip: the source clip.
        compression: zip, piz or dwaa (lossy).
        output_colour: a name for `choose_output_colour`; None is scene-linear with BT.709 primaries.
        is_straight: whether alpha is straight.
        layers: the layers that each file contains in addition to RGBA, some of `EXR_LAYERS`.

    Raises:
        SettingsError: the output colour is unknown.
    """

    suffix = ".exr"
    dtype = np.dtype(np.float32)

    def __init__(
        self,
        folder: str | Path,
        name: str,
        clip: ClipInfo,
        compression: str = "zip",
        output_colour: str | None = None,
        is_straight: bool = False,
        layers: Sequence[str] = (),
    ) -> None:
        super().__init__(Path(folder), name, clip.padding)
        self._layers = tuple(layers)
        self._is_straight = is_straight
        self._clip = clip
        self._compression = compression
        self._colour = choose_output_colour(output_colour)

    def to_stored(self, picture: np.ndarray) -> np.ndarray:
        """The image as float32, still in the working space; `prepare` converts it to the output colour."""
        return to_depth(picture, self.dtype)

    def prepare(self, picture: np.ndarray, layers: Mapping[str, np.ndarray] | None = None) -> ExrChannels:
        """The pixels of the file, from (H, W, 4) straight RGBA and ``layers`` as for :func:`layer_channels`."""
        check_shape_and_depth(picture, channels=(4,))
        pixels = exr_pixels(self.to_stored(picture), self._colour, self._is_straight)
        return ExrChannels(pixels, layer_channels({name: (layers or {})[name] for name in self._layers}, self._colour))

    def write(self, number: int, prepared: ExrChannels) -> Sequence[int]:
        """Write the frame's file."""
        clip, timecode = self._clip, self._clip.timecode
        if timecode is not None:
            timecode = shift_timecode(timecode, number - clip.first_number, clip.frame_rate)
        write_exr(
            self.path(number),
            prepared.rgba,
            prepared.layers,
            compression=self._compression,
            frame_rate=clip.frame_rate,
            pixel_aspect=clip.pixel_aspect,
            timecode=timecode,
            colour=self._colour,
            window_origin=clip.window_origin,
        )
        return (number,)

    @property
    def facts(self) -> dict[str, Any]:
        """Description of the files for the sidecar."""
        return {
            "files": self.pattern,
            "container": "exr",
            "codec": self._compression,
            "bits": 16,
            "alpha": "straight" if self._is_straight else "premultiplied",
            "colour_space": self._colour.description,
            **({"layers": list(self._layers)} if self._layers else {}),
        }


def exr_pixels(rgba: np.ndarray, colour: OutputColour = LINEAR_BT709, is_straight: bool = False) -> np.ndarray:
    """Convert straight sRGB-encoded RGBA, (H, W, 4) float32, to the float16 pixels of an EXR file in ``colour``.

    Alpha is premultiplied unless ``is_straight``. Pixels with alpha 0 are black in both cases.
    """
    alpha = rgba[..., 3]
    visible = alpha > 0
    pixels = np.zeros(rgba.shape, np.float16)
    # Most pixels of a cut-out have alpha 0, and the transfer curve is slow.
    values = colour(srgb_to_linear(rgba[visible][:, :3]))
    if not is_straight:
        values = values * alpha[visible][:, None]
    pixels[visible, :3] = values.clip(-LARGEST_HALF, LARGEST_HALF)
    pixels[..., 3] = alpha
    return pixels


def layer_channels(layers: Mapping[str, np.ndarray], colour: OutputColour) -> dict[str, np.ndarray]:
    """The channels of ``layers`` by full name, such as "plate.R", each (H, W) float16.

    ``layers`` are some of `EXR_LAYERS`, float32. Colour layers, (H, W, 3), sRGB-encoded and straight, are converted to
    linear light in ``colour``; other layers are stored unchanged.
    """
    channels = {}
    for name, values in layers.items():
        kind = _LAYER_CHANNELS[name]
        if kind.is_colour:
            values = colour(srgb_to_linear(values))
        values = values.clip(-LARGEST_HALF, LARGEST_HALF).astype(np.float16)
        for position, letter in enumerate(kind.letters):
            plane = values if values.ndim == 2 else values[..., position]
            channels[f"{name}.{letter}"] = np.ascontiguousarray(plane)
    return channels


def write_exr(
    path: Path,
    pixels: np.ndarray,
    layers: Mapping[str, np.ndarray] | None = None,
    *,
    compression: str = "zip",
    frame_rate: Fraction | None = None,
    pixel_aspect: Fraction = Fraction(1),
    timecode: str | None = None,
    colour: OutputColour = LINEAR_BT709,
    window_origin: WindowOrigin = _NO_OFFSET,
) -> None:
    """Write an EXR file of one part atomically.

    Args:
        path: the file.
        pixels: RGBA, (H, W, 4) float16, in the colour space ``colour``.
        layers: further channels, (H, W) float16, by full name.
        compression: one of EXR_COMPRESSIONS.
        frame_rate: frames per second; not stored if None.
        pixel_aspect: width of a pixel over its height.
        timecode: of this frame; not stored if None or invalid.
        colour: stored as chromaticities and colorInteropID.
        window_origin: top left corner of the data window and the display window, which are both the whole image.

    Raises:
        OutputError: the file cannot be written.
    """
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width - 1, height - 1]], np.int32) + np.array(window_origin, np.int32)
    header = {
        "type": OpenEXR.scanlineimage,
        "compression": EXR_COMPRESSIONS[compression],
        "pixelAspectRatio": float(pixel_aspect),
        "dataWindow": tuple(corners),
        "displayWindow": tuple(corners),
        **_optional_attributes(frame_rate, timecode, colour),
    }
    with atomic_file(path) as temporary:
        try:
            OpenEXR.File(header, {"RGBA": pixels, **(layers or {})}).write(str(temporary))
        except RuntimeError as error:
            # The message begins with the temporary file name.
            reason = str(error).rpartition('". ')[2].rstrip(".")
            raise OutputError(f"{path} cannot be written ({reason}); check space and permissions") from error


def _optional_attributes(frame_rate: Fraction | None, timecode: str | None, colour: OutputColour) -> dict[str, Any]:
    """The header attributes that are only written if their values are known."""
    header: dict[str, Any] = {}
    if colour.primaries is not None:
        header["chromaticities"] = tuple(float(value) for value in np.ravel(colour.primaries[1:]))
    if colour.interop_id:
        header["colorInteropID"] = colour.interop_id
    if frame_rate is not None:
        header["framesPerSecond"] = frame_rate
    parsed = parse_timecode(timecode) if timecode else None
    if parsed:
        header["timeCode"] = OpenEXR.TimeCode(
            parsed.hours, parsed.minutes, parsed.seconds, parsed.frames, parsed.drop, *[False] * 5, *[0] * 8
        )
    return header
