"""A clip with ground truth: shot, plate, true alpha and true background in one folder."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from howard.errors import InputError
from howard.images import to_depth
from howard.media import read_still

# Subfolders of a clip with ground truth.
_TRUTH_FOLDERS = ("alpha", "clean", "fgr", "shadow")


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

    def foreground(self, index: int) -> NDArray[np.float32] | None:
        """True straight sRGB foreground of a frame, HxWx3 in [0, 1]; None if the clip has no ``fgr/``."""
        folder = self.folder / "fgr"
        return read_colour(folder / f"{index:04d}.jpg") if folder.is_dir() else None

    def shadow(self, index: int, shape: tuple[int, int]) -> NDArray[np.float32] | None:
        """The person's true shadow as a factor on linear light, HxW in [0, 1]; None if the clip has no ``shadow/``.

        ``shape`` is the frame's (H, W); files of another size are enlarged bilinearly.
        """
        folder = self.folder / "shadow"
        if not folder.is_dir():
            return None
        factor = read_factor(folder / f"{index:04d}.png")
        return cv2.resize(factor, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)

    def digest(self) -> str:
        """SHA-256 over the names and contents of shot, plate and ground truth."""
        folders = (self.folder / name for name in _TRUTH_FOLDERS)
        files = [self.shot, self.plate, *(file for folder in folders for file in sorted(folder.glob("*.*")))]
        return files_digest(files, self.folder)

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


def read_colour(path: Path) -> NDArray[np.float32]:
    """Read HxWx3 RGB in [0, 1]; raises InputError if the file is grey or cannot be read."""
    image = read_normalised(path)
    if image.ndim != 3:
        raise InputError(f"{path} is grey; a true foreground has colour")
    return image[..., 2::-1]


def read_factor(path: Path) -> NDArray[np.float32]:
    """Read a factor on linear light, HxW in [0, 1]: the values of a grey file, or the mean of the channels."""
    image = read_normalised(path)
    return image if image.ndim == 2 else image[..., :3].mean(axis=2)


def files_digest(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over the names, relative to ``root``, and the contents of files, in their order.

    Raises:
        InputError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in files:
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def find_clips(folder: Path) -> list[TrueClip]:
    """The clips in the subfolders of a folder, sorted by name, or the clip in the folder itself.

    Raises:
        InputError: there is none.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; give a folder laid out like data/sample, or a folder of such")
    inside = sorted(path for path in folder.iterdir() if (path / "shot.mp4").is_file())
    return [TrueClip(path) for path in inside] if inside else [TrueClip(folder.resolve())]


def find_all_clips(folders: Iterable[Path]) -> list[TrueClip]:
    """The clips of several folders, as :func:`find_clips` finds them.

    Raises:
        InputError: a folder has none, or two clips have the same name.
    """
    clips: dict[str, TrueClip] = {}
    for clip in (each for folder in folders for each in find_clips(folder)):
        name = clip.folder.name
        if name in clips:
            raise InputError(f"{clips[name].folder} and {clip.folder} have the same name; results are listed by name")
        clips[name] = clip
    return list(clips.values())
