"""Pictures of a scored clip: a few frames side by side, with their true and their predicted alpha below them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from howard.evaluation.benchmark.clip_scores import PIPELINE, ScoredFrame

_WIDTH = 240  # pixels of a picture in a strip
_TOO_HIGH, _TOO_LOW = (255, 128, 0), (0, 128, 255)  # colours of errors of alpha by their sign


class StripMaker:
    """Collects the pictures of a clip's frames while they are scored; to be given to ``score_clip`` as ``on_frame``.

    Args:
        indices: zero-based indices of the frames that are shown.
    """

    def __init__(self, indices: Sequence[int]) -> None:
        self.indices = frozenset(indices)
        self._columns: list[NDArray[np.uint8]] = []

    def __call__(self, frame: ScoredFrame) -> None:
        if frame.index in self.indices:
            alpha = frame.alphas[PIPELINE]
            pictures = (frame.source, _grey(frame.true), _grey(alpha), _error(alpha - frame.true))
            self._columns.append(np.concatenate([_shrink(each) for each in pictures], axis=0))

    def strip(self) -> NDArray[np.uint8]:
        """HxWx3 uint8 RGB: a column for each frame; source, true alpha, alpha, and where alpha is too high or low."""
        return np.concatenate(self._columns, axis=1)


def spread_indices(frames: range, count: int) -> list[int]:
    """At most ``count`` indices of a range, evenly spread, its ends among them."""
    places = np.linspace(0, len(frames) - 1, min(count, len(frames)))
    return [frames[round(place)] for place in places]


def _grey(alpha: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.repeat(np.rint(alpha.clip(0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)


def _error(difference: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Orange where alpha is too high, blue where it is too low, black where it is right."""
    high, low = difference.clip(0, 1)[..., None], (-difference).clip(0, 1)[..., None]
    picture = high * np.array(_TOO_HIGH, np.float32) + low * np.array(_TOO_LOW, np.float32)
    return np.rint(picture).astype(np.uint8)


def _shrink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = max(1, round(picture.shape[0] * _WIDTH / picture.shape[1]))
    return cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
