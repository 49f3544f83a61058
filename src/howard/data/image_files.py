"""Reads the image and video files of collections."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from howard.errors import InputError
from howard.operating_system import before_fork

if TYPE_CHECKING:
    from howard.media import Reader

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi"})
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Byte offset of the colour type in a PNG file, and its value for RGBA (ISO/IEC 15948, 11.2.2).
_PNG_COLOUR_TYPE = 25
_PNG_RGBA = b"\x06"
# Open video files per process. Opening a video is slow: its whole index is read.
_OPEN_READERS = 8


def read_image(path: Path, grey: bool = False, longest: int | None = None) -> np.ndarray:
    """Decode an image file.

    Args:
        path: the file.
        grey: decode to one channel.
        longest: largest long side in pixels; larger images are downscaled to it. None keeps the size.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W) uint8 if ``grey``.

    Raises:
        InputError: the file is missing or unreadable.
    """
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"cannot read the image {path}; is it there, and complete?")
    return image if longest is None else downscale(image, longest)


def read_rgba(path: Path) -> np.ndarray:
    """Decode an image with straight alpha, of 8 or 16 bits: (H, W, 4) uint8 RGBA.

    Raises:
        InputError: the file is missing or unreadable, or has no alpha.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        raise InputError(f"cannot read {path} as an image with alpha; is it there, and complete?")
    if image.dtype == np.uint16:
        image = np.rint(image / 257).astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def is_rgba_png(path: Path) -> bool:
    """Whether a file is a PNG with red, green, blue and alpha; only its header is read."""
    if path.suffix.lower() != ".png":
        return False
    with path.open("rb") as file:
        header = file.read(_PNG_COLOUR_TYPE + 1)
    return header[:8] == _PNG_SIGNATURE and header[_PNG_COLOUR_TYPE:] == _PNG_RGBA


def downscale(image: np.ndarray, longest: int) -> np.ndarray:
    """An image with a long side of at most ``longest`` pixels: averaged down if it is larger, else unchanged."""
    scale = longest / max(image.shape[:2])
    return image if scale >= 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def read_video_frame(path: Path, index: int) -> np.ndarray:
    """Frame ``index`` (from 0) of an 8-bit video, (H, W, 3) uint8 RGB. The file stays open for later calls.

    Raises:
        InputError: the video is missing, unreadable, or has too few frames.
    """
    reader = open_video(path)
    if index >= len(reader):
        raise InputError(f"{path} has {len(reader)} frames, not {index + 1}")
    return reader[index].image


@lru_cache(maxsize=_OPEN_READERS)
def open_video(path: Path) -> Reader:
    """A reader of the video, cached; raises InputError if the file cannot be read."""
    # Imported here so that training on still images works without PyAV.
    from howard.media import open_reader

    return open_reader(path)


# A forked process would share its parent's file position.
before_fork(open_video.cache_clear)


def find_files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files with one of these suffixes in a folder and its subfolders, sorted. Hidden files are left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    return sorted(path for path in found if not path.name.startswith("."))
