"""Which plate frames look most like a source frame: correlation of small grey pictures over the whole plate."""

from collections.abc import Iterable

import cv2
import numpy as np

_WIDTH, _HEIGHT = 96, 54
_BLOCK = 6
# Grey levels; blocks flatter than this are noise and count little.
_NOISE_LEVEL = 2.0


class PlateIndex:
    """A thumbnail of every plate frame, a few kilobytes each."""

    def __init__(self, images: Iterable[np.ndarray]) -> None:
        """``images`` are (H, W, 3) uint8 RGB, any size, in the plate's order; each is let go of at once."""
        self._thumbnails = np.stack([_thumbnail(image) for image in images])

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of the ``count`` plate frames most like an (H, W, 3) uint8 RGB picture, the likeliest first.

        Each block adds its correlation where that is positive, so a person who hides some of them takes about the
        same from every candidate.
        """
        correlation = np.einsum("fbp,bp->fb", self._thumbnails, _thumbnail(image))
        score = np.maximum(correlation, 0).sum(axis=1)
        return np.argsort(-score, kind="stable")[:count].tolist()


def _thumbnail(image: np.ndarray) -> np.ndarray:
    """Blocks of a small grey picture, each of zero mean and nearly unit length: (144, 36) float32."""
    small = cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = _HEIGHT // _BLOCK, _WIDTH // _BLOCK
    blocks = grey.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows * columns, -1)
    blocks -= blocks.mean(axis=1, keepdims=True)
    return blocks / np.sqrt((blocks**2).sum(axis=1, keepdims=True) + _BLOCK**2 * _NOISE_LEVEL**2)
