"""Reading EXR files: scene-linear light of 16 or 32 bits, in layers, parts, tiles and windows.

They are read with OpenImageIO, since OpenEXR's own Python module prints all messages to the terminal and cannot read a
single layer. Only luminance/chroma files, which OpenImageIO does not support, are read with OpenEXR's module.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from howard.errors import InputError
from howard.media.frame import WindowOrigin
from howard.media.primaries import ACES_AP0, ACES_AP1, BT709, BT2020, CIE_XYZ, DISPLAY_P3, primaries_from_chromaticities
from howard.media.stills.exr_layers import Layer, LayerError, Part, choose_layer
from howard.media.stills.exr_luminance import read_luminance_chroma
from howard.media.stills.oiio_input import (
    aspect_of,
    frame_windows,
    number_of,
    numbers_of,
    open_image,
    read_error,
    text_of,
    timecode_of,
)
from howard.media.stills.picture import (
    PIXEL_FORMATS,
    SRGB_TAGS,
    StillPicture,
    check_pixel_count,
    damage_error,
    place_in_window,
)
from howard.media.working_space import ColourTags

# Rows per read, few enough to stay in the processor's cache between decoding and copying.
_ROWS = 64
# Frames per second; other values are treated as damage.
_MIN_FRAME_RATE = Fraction(1, 100)
_MAX_FRAME_RATE = 1000
# Standard names of linear colour spaces (Color Interop Forum, 2024), for files without chromaticities.
_INTEROP_PRIMARIES = {
    "lin_rec709_scene": BT709,
    "lin_ap0_scene": ACES_AP0,
    "lin_ap1_scene": ACES_AP1,
    "lin_rec2020_scene": BT2020,
    "lin_p3d65_scene": DISPLAY_P3,
    "lin_ciexyzd65_scene": CIE_XYZ,
}
_INTEROP_SRGB = ("srgb_rec709_scene", "srgb_rec709_display")
_INTEROP_UNSPECIFIED = ("", "unknown", "data")


def read_exr(path: Path, layer: str | None = None) -> StillPicture:
    """Read a layer of an EXR file in its display window; ``layer`` is required if there are several.

    Pixels outside the data window are black. A single channel, or A without colour, is read as a mask, whose values are
    not converted. Raises InputError if the file cannot be read, and DamagedFrameError if its data are damaged.
    """
    try:
        return _read_layer(path, layer)
    except InputError:
        # OpenImageIO does not support subsampled channels, such as chroma.
        picture = read_luminance_chroma(path)
        if picture is None:
            raise
        return picture


def _read_layer(path: Path, layer: str | None) -> StillPicture:
    with open_image(path) as source:
        if source.format_name() != "openexr":
            raise InputError(f"{path} is not an EXR file, but {source.format_name()}; rename it")
        specs = _read_specs(path, source)
        parts = [Part(text_of(spec, "oiio:subimagename"), tuple(spec.channelnames)) for spec in specs]
        try:
            chosen = choose_layer(parts, layer)
        except LayerError as error:
            raise InputError(f"{path} {error}") from error
        number = chosen.channels[0].part
        spec = specs[number]
        source.seek_subimage(number, 0)
        image = _read_channels(path, source, spec, chosen)
        if not chosen.is_colour:
            image = np.nan_to_num(image, copy=False).clip(0, 1)
        data, display = frame_windows(spec)
        return StillPicture(
            image=place_in_window(image, data, display),
            pixel_format=PIXEL_FORMATS["float16" if _sample(spec, chosen.channels[0].name) == "half" else "float32"],
            tags=_colour_of(spec) if chosen.is_colour else SRGB_TAGS,
            pixel_aspect=aspect_of(spec),
            frame_rate=_frame_rate(numbers_of(spec, "framesPerSecond", 2)),
            timecode=timecode_of(spec),
            window_origin=WindowOrigin(display.left, display.top),
        )


def _read_specs(path: Path, source: Any) -> list[Any]:
    """The headers of all parts; raises InputError if one is too large or deep."""
    specs = []
    for number in range(number_of(source.spec(), "oiio:subimages", 1)):
        spec = source.spec(number, 0)
        if spec.deep:
            raise InputError(f"{path} is a deep EXR, with many samples per pixel; flatten it, in Nuke with DeepToImage")
        check_pixel_count(path, spec.width, spec.height)
        check_pixel_count(path, spec.full_width, spec.full_height)
        specs.append(spec)
    return specs


def _read_channels(path: Path, source: Any, spec: Any, layer: Layer) -> np.ndarray:
    """The layer's channels in the data window, (h, w, 3) float32."""
    names = list(spec.channelnames)
    places = [names.index(channel.name) for channel in layer.channels]
    for channel in layer.channels:
        sample = _sample(spec, channel.name)
        if sample not in ("half", "float"):
            raise InputError(f"{path}: channel {channel.name} is {sample}32, not linear light; write half or float")
    first, end = min(places), max(places) + 1
    pixels = _read_rows(path, source, spec, first, end)
    columns = [place - first for place in places]
    return pixels if columns == [0, 1, 2] else np.ascontiguousarray(pixels[..., columns])


def _read_rows(path: Path, source: Any, spec: Any, first: int, end: int) -> np.ndarray:
    """The channels from ``first`` to before ``end`` of the part that the reader is at, (h, w, C) float32."""
    if spec.tile_width:
        # Whole: rows of tiles cannot be read one by one.
        return _checked(path, source, source.read_image(0, 0, first, end, "float"))
    step = max(_ROWS, number_of(spec, "oiio:RowsPerChunk", 1))
    image = np.empty((spec.height, spec.width, end - first), np.float32)
    for top in range(0, spec.height, step):
        bottom = min(top + step, spec.height)
        rows = source.read_scanlines(spec.y + top, spec.y + bottom, 0, first, end, "float")
        image[top:bottom] = _checked(path, source, rows).reshape(bottom - top, spec.width, -1)
    return image


def _checked(path: Path, source: Any, pixels: np.ndarray | None) -> np.ndarray:
    reason = read_error(source)
    if pixels is None or reason:
        raise damage_error(path, reason or "its data are incomplete")
    return pixels


def _sample(spec: Any, name: str) -> str:
    formats = spec.channelformats
    return str(formats[list(spec.channelnames).index(name)]) if formats else str(spec.format)


def _colour_of(spec: Any) -> ColourTags:
    """The colour tags: linear light, unless the attribute colorInteropID names another space.

    Without chromaticities the primaries are BT.709's (OpenEXR, Technical Introduction).
    """
    tags = ColourTags("rgb", True, BT709, "linear")
    chromaticities = numbers_of(spec, "chromaticities", 8)
    if chromaticities is not None:
        try:
            return tags._replace(primaries=primaries_from_chromaticities(chromaticities))
        except ValueError:
            listed = ", ".join(f"{value:.3g}" for value in chromaticities)
            return tags._replace(unknown=f"chromaticities of no colour space ({listed})")
    named = text_of(spec, "colorInteropID")
    if named in _INTEROP_PRIMARIES:
        return tags._replace(primaries=_INTEROP_PRIMARIES[named])
    if named in _INTEROP_SRGB:
        return tags._replace(transfer="iec61966-2-1")
    return tags if named in _INTEROP_UNSPECIFIED else tags._replace(unknown=f"the colour space {named!r}")


def _frame_rate(stated: tuple[float, ...] | None) -> Fraction | None:
    """The frame rate of the header; None if it is missing or implausible."""
    if stated is None or stated[1] == 0:
        return None
    rate = Fraction(int(stated[0]), int(stated[1]))
    return rate if _MIN_FRAME_RATE <= rate <= _MAX_FRAME_RATE else None
