"""Decoding the pictures of collections."""

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

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
VIDEOS = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi"})
# PNG's header (ISO/IEC 15948, 11.2.2): where the colour type is, and that of red, green, blue and alpha.
_PNG_SIGNATURE, _PNG_COLOUR_TYPE, _PNG_RGBA = b"\x89PNG\r\n\x1a\n", 25, b"\x06"
# Open files a process keeps; opening a video reads its whole index.
_READERS_KEPT = 8


def read_picture(path: Path, grey: bool = False, longest: int | None = None) -> np.ndarray:
    """Decode a picture: HxWx3 uint8 RGB, or HxW uint8 if grey; shrunk until its long side is at most ``longest``.

    Raises:
        InputError: missing or unreadable.
    """
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"cannot read the picture {path}; is it there, and whole?")
    return image if longest is None else shrink(image, longest)


def read_cut_out(path: Path) -> np.ndarray:
    """Decode a picture with alpha, straight: HxWx4 uint8 RGBA, of 8 or 16 bit; raises InputError as above."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        raise InputError(f"cannot read {path} as a picture with alpha; is it there, and whole?")
    if image.dtype == np.uint16:
        image = np.rint(image / 257).astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def is_cut_out(path: Path) -> bool:
    """Whether a file is a PNG of red, green, blue and alpha, by its header."""
    if path.suffix.lower() != ".png":
        return False
    with path.open("rb") as file:
        header = file.read(_PNG_COLOUR_TYPE + 1)
    return header[:8] == _PNG_SIGNATURE and header[_PNG_COLOUR_TYPE:] == _PNG_RGBA


def shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """A picture whose long side is at most ``longest`` pixels, averaged down where it was more."""
    scale = longest / max(image.shape[:2])
    return image if scale >= 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def read_video_frame(path: Path, index: int) -> np.ndarray:
    """Frame ``index`` of an 8-bit video, HxWx3 uint8 RGB; the file stays open for the next one.

    Raises:
        InputError: the video is missing, unreadable or shorter.
    """
    reader = open_video(path)
    if index >= len(reader):
        raise InputError(f"{path} has {len(reader)} frames, not {index + 1}")
    return reader[index].image


@lru_cache(maxsize=_READERS_KEPT)
def open_video(path: Path) -> Reader:
    """A reader of the video, kept open; raises InputError where it cannot be read."""
    # Stills are read, and trained on, without PyAV.
    from howard.media import open_reader

    return open_reader(path)


# A forked process would read through the same open file as its parent, at a position that both move.
before_fork(open_video.cache_clear)


def pictures_below(folder: Path, kinds: frozenset[str]) -> list[Path]:
    """Files of these kinds in a folder and below, in order; hidden ones, which archives from a Mac bring, left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in kinds and path.is_file())
    return sorted(path for path in found if not path.name.startswith("."))
