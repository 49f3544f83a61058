"""Luminance/chroma EXR files (channels Y, RY and BY, chroma at half resolution), converted to RGB."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR

from howard.errors import InputError
from howard.media.frame import WindowOrigin
from howard.media.primaries import BT709, primaries_from_chromaticities, rgb_to_xyz
from howard.media.stills.picture import (
    StillPicture,
    Window,
    check_pixel_count,
    damage_error,
    pixel_aspect,
    place_in_window,
)
from howard.media.working_space import ColourTags

_CHANNELS = ("Y", "RY", "BY")
_STANDARD_ERROR = 2


def read_luminance_chroma(path: Path) -> StillPicture | None:
    """Read the first part in its display window; None if it is not a luminance/chroma image.

    Raises InputError if it is too large, and DamagedFrameError if its data are damaged.
    """
    try:
        header = OpenEXR.File(str(path), header_only=True).parts[0].header
        if not {channel.name for channel in header["channels"]} >= set(_CHANNELS):
            return None
        data, display = _window(header["dataWindow"]), _window(header["displayWindow"])
    except (RuntimeError, ValueError, KeyError, IndexError, ArithmeticError):
        return None
    for window in (data, display):
        check_pixel_count(path, *window.size)
    tags = ColourTags("rgb", True, BT709, "linear")
    try:
        tags = tags._replace(primaries=primaries_from_chromaticities(header["chromaticities"]))
    except KeyError:
        pass
    except ValueError:
        tags = tags._replace(unknown="chromaticities of no colour space")
    luminance, red, blue = _read_planes(path, *data.size)
    image = rebuild_rgb(luminance, red, blue, rgb_to_xyz(tags.primaries)[1])
    return StillPicture(
        image=place_in_window(image, data, display),
        pixel_format="rgbf16le",
        tags=tags,
        pixel_aspect=pixel_aspect(header.get("pixelAspectRatio")),
        window_origin=WindowOrigin(display.left, display.top),
    )


def rebuild_rgb(luminance: np.ndarray, red: np.ndarray, blue: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Linear RGB, (h, w, 3) float32, from luminance (h, w) and chroma planes of a lower resolution.

    Chroma is (R - Y) / Y and (B - Y) / Y, sampled at the top left pixel of its block. ``weights`` are the luminance
    weights of red, green and blue (OpenEXR, Technical Introduction, "Luminance/Chroma Images").
    """
    height, width = luminance.shape
    # Damaged values may be infinite or NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        red_ratio, blue_ratio = (1 + _upsample(chroma, width, height) for chroma in (red, blue))
        green_ratio = (1 - weights[0] * red_ratio - weights[2] * blue_ratio) / weights[1]
        return (np.dstack([red_ratio, green_ratio, blue_ratio]) * luminance[..., None]).astype(np.float32)


def _upsample(chroma: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bilinear upsampling with sample 0 at the centre of pixel 0."""
    rows = np.arange(height, dtype=np.float32) * (chroma.shape[0] / (height + height % 2))
    columns = np.arange(width, dtype=np.float32) * (chroma.shape[1] / (width + width % 2))
    grid = np.meshgrid(columns, rows)
    return cv2.remap(chroma, grid[0], grid[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _read_planes(path: Path, width: int, height: int) -> list[np.ndarray]:
    """The planes of luminance, RY and BY as stored, float32."""
    try:
        with _silenced():
            channels = OpenEXR.File(str(path), separate_channels=True).parts[0].channels
    except (RuntimeError, ValueError, IndexError) as error:
        raise damage_error(path, str(error)) from error
    planes = [channels[name].pixels for name in _CHANNELS]
    if any(plane is None or not getattr(plane, "size", 0) for plane in planes) or planes[0].shape != (height, width):
        raise damage_error(path, "its data are incomplete")
    if any(plane.dtype.kind != "f" for plane in planes):
        raise InputError(f"{path}: its luminance and chroma are integers, not linear light; write half or float")
    return [np.asarray(plane, np.float32) for plane in planes]


@contextmanager
def _silenced() -> Iterator[None]:
    """Discard the messages that OpenEXR prints about damaged data; it has no setting for this."""
    stderr, null = os.dup(_STANDARD_ERROR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, _STANDARD_ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        os.dup2(stderr, _STANDARD_ERROR)
        os.close(stderr)
        os.close(null)


def _window(corners: Any) -> Window:
    (left, top), (right, bottom) = corners
    return Window(int(left), int(top), int(right) + 1, int(bottom) + 1)
