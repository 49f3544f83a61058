"""A clip with ground truth: shot, plate, true alpha and true background in one folder."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from howard.errors import InputError
from howard.images import to_depth
from howard.media import read_still


@dataclass(frozen=True)
class TrueClip:
    """A folder laid out like ``data/sample``. Frames are addressed by their zero-based index.

    Raises InputError if the folder has no such clip.
    """

    folder: Path

    def __post_init__(self) -> None:
        for path in (self.shot, self.plate, self._alpha_file(0), self._clean_file(0)):
            if not path.is_file():
                raise InputError(f"{path} does not exist; a clip to score is laid out like data/sample")

    @property
    def shot(self) -> Path:
        """Video of the person in the place."""
        return self.folder / "shot.mp4"

    @property
    def plate(self) -> Path:
        """Video of the empty place, from another camera move."""
        return self.folder / "plate.mp4"

    def alpha(self, index: int) -> NDArray[np.float32]:
        """True alpha of a frame, HxW in [0, 1], from a grey PNG file of 8 or 16 bits."""
        path = self._alpha_file(index)
        image = read_normalised(path)
        if image.ndim != 2:
            raise InputError(f"{path} is not a grey image")
        return image

    def clean(self, index: int) -> NDArray[np.uint8]:
        """The empty place from the exact camera of a shot frame: HxWx3 RGB in [0, 255]."""
        return read_still(self._clean_file(index))

    def _alpha_file(self, index: int) -> Path:
        return self.folder / "alpha" / f"{index:04d}.png"

    def _clean_file(self, index: int) -> Path:
        return self.folder / "clean" / f"{index:04d}.jpg"


def read_normalised(path: Path) -> NDArray[np.float32]:
    """Read an image of 8 or 16 bits: HxW, or HxWxC in OpenCV's channel order, in [0, 1].

    Raises:
        InputError: the file is missing or cannot be read as such an image.
    """
    encoded = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path} cannot be read as an image of 8 or 16 bits")
    return to_depth(image, np.float32)


def find_clips(folder: Path) -> list[TrueClip]:
    """The clips in the subfolders of a folder, sorted by name, or the clip in the folder itself.

    Raises:
        InputError: there is none.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; give a folder laid out like data/sample, or a folder of such")
    inside = sorted(path for path in folder.iterdir() if (path / "shot.mp4").is_file())
    return [TrueClip(path) for path in inside] if inside else [TrueClip(folder.resolve())]
