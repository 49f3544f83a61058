"""Reading and sampling pictures."""

from pathlib import Path

import cv2
import numpy as np

from howard.errors import InputError


def read_colour(path: Path, reduced: bool = False) -> np.ndarray:
    """An 8-bit picture as (H, W, 3) uint8 RGB, or a quarter of its size; raises InputError where there is none."""
    flags = cv2.IMREAD_REDUCED_COLOR_4 if reduced else cv2.IMREAD_COLOR
    return cv2.cvtColor(_read(path, flags), cv2.COLOR_BGR2RGB)


def read_grey(path: Path, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """A picture of one channel, (H, W) uint8 or uint16; ``flags`` are those of OpenCV's imread."""
    return _read(path, flags)


def sample(
    image: np.ndarray, positions: np.ndarray, method: int = cv2.INTER_CUBIC, border: int = cv2.BORDER_CONSTANT
) -> np.ndarray:
    """``image`` at (h, w, 2) positions, x and y, pixel centres at integers; with OpenCV's methods and borders."""
    # OpenCV's stubs do not know that the second map may be None.
    return np.asarray(cv2.remap(image, positions.astype(np.float32), None, method, borderMode=border))  # type: ignore


def _read(path: Path, flags: int) -> np.ndarray:
    image = cv2.imread(str(path), flags)
    if image is None:
        raise InputError(f"{path} cannot be read as a picture")
    return image
