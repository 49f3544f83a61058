"""Reading and sampling pictures."""

from pathlib import Path

import cv2
import numpy as np

from howard.errors import InputError


def read_colour(path: Path, reduced: bool = False) -> np.ndarray:
    """Read an 8-bit picture as (H, W, 3) uint8 RGB, at a quarter of its size if ``reduced``; raises InputError."""
    flags = cv2.IMREAD_REDUCED_COLOR_4 if reduced else cv2.IMREAD_COLOR
    return cv2.cvtColor(_read(path, flags), cv2.COLOR_BGR2RGB)


def read_grey(path: Path, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """Read a picture of one channel, (H, W) uint8 or uint16; ``flags`` as of ``cv2.imread``."""
    return _read(path, flags)


def sample(
    image: np.ndarray, positions: np.ndarray, method: int = cv2.INTER_CUBIC, border: int = cv2.BORDER_CONSTANT
) -> np.ndarray:
    """Sample ``image`` at positions (h, w, 2), x and y, pixel centres at integers; methods and borders are OpenCV's."""
    # OpenCV's type stubs do not allow None for the second map.
    return np.asarray(cv2.remap(image, positions.astype(np.float32), None, method, borderMode=border))  # type: ignore


def _read(path: Path, flags: int) -> np.ndarray:
    image = cv2.imread(str(path), flags)
    if image is None:
        raise InputError(f"{path} cannot be read as a picture")
    return image
