"""A still as a video of one frame."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from howard.errors import InputError
from howard.media.frame import ClipInfo, Frame

STILL_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})


def read_still(path: Path) -> np.ndarray:
    """Read a still, upright: RGB, (H, W, 3) uint8; deeper stills are rounded, an alpha channel is left out."""
    try:
        encoded = np.fromfile(path, dtype=np.uint8)
        # ANYDEPTH, or OpenCV cuts 16 bits to 8 without rounding.
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if encoded.size else None
    except (OSError, cv2.error) as error:
        raise InputError(f"{path} cannot be read as a still ({error})") from error
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path} cannot be read as a still of 8 or 16 bits; save it again as PNG or JPEG")
    if image.dtype == np.uint16:
        image = np.rint(image / 257.0).astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


class StillReader:
    """A still as a reader of one frame; the picture is held, so reading it again costs nothing."""

    def __init__(self, path: Path) -> None:
        image = read_still(path)
        height, width = image.shape[:2]
        self.info = ClipInfo(path, width, height, frame_count=1, frame_rate=Fraction(1), pixel_format="rgb24")
        self._frame = Frame(image, index=0, number=1, time=Fraction(0))

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Frame]:
        yield self._frame

    def __getitem__(self, index: int) -> Frame:
        """The still, for index 0; raises IndexError for any other."""
        if index != 0:
            raise IndexError(f"{self.info.path} is a still and has frame 0 only, not {index}")
        return self._frame

    def __enter__(self) -> "StillReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open; here so that every reader can be closed."""
