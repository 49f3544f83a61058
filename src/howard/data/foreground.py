"""Foreground colours for people of whom only photo and mask are published, as in P3M-10k and AIM-500."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from howard.data.people import photos_without_foreground
from howard.data.pictures import read_picture
from howard.errors import InputError, SettingsError
from howard.media import write_whole


class ForegroundMaker:
    """Writes ``foreground/NAME.png`` beside the folder of masks, for every photo that has none yet.

    Raises:
        InputError: there is no such folder, or nothing in it has a photo and a mask.
        SettingsError: pymatting is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}; give one that holds photos and masks")
        try:
            # Slow to load, and not needed to train.
            from pymatting import estimate_foreground_ml
        except ImportError as error:
            raise SettingsError("foreground= needs the package pymatting; install howard[train]") from error
        self._estimate = estimate_foreground_ml
        self._pending = photos_without_foreground(folder)

    def __len__(self) -> int:
        """How many are missing."""
        return len(self._pending)

    def __iter__(self) -> Iterator[Path]:
        """Make one after the other; yields what was written. Each file appears whole or not at all."""
        for photo, alpha, foreground in self._pending:
            picture = self.estimate(read_picture(photo), read_picture(alpha, grey=True), photo)
            foreground.parent.mkdir(parents=True, exist_ok=True)
            _, code = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            write_whole(foreground, code.tobytes())
            yield foreground

    def estimate(self, photo: np.ndarray, alpha: np.ndarray, path: Path) -> np.ndarray:
        """Straight colour of the person, everywhere (Germer et al., multi-level foreground estimation, 2020).

        Args:
            photo: HxWx3 uint8 RGB.
            alpha: HxW uint8.
            path: of the photo, for the error.

        Raises:
            InputError: the sizes differ.
        """
        if photo.shape[:2] != alpha.shape:
            raise InputError(f"{path} is {photo.shape[1]}x{photo.shape[0]}, its mask {alpha.shape[1]}x{alpha.shape[0]}")
        estimated = self._estimate(photo / 255, alpha / 255)
        return np.rint(255 * np.clip(estimated, 0, 1)).astype(np.uint8)
