"""Which plate frames look most like a source frame: small grey pictures of all, then keypoints of the likeliest."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import match_quick_features
from howard.align.geometry import Grid, Size, apply_homography, orient_grid, scale_pixels
from howard.align.homography import is_sane
from howard.align.view import Look
from howard.align.warp import sample_valid

# Cells of landscape pictures; upright ones have 54 x 96. Thumbnails have a pixel a cell, ...
_GRID = Grid(columns=96, rows=54)
# ... in blocks of this side.
_BLOCK = 6
# Grey levels; blocks flatter than this are noise and count little.
_NOISE_LEVEL = 2.0
# Thumbnails are kept as signed bytes, so that an hour of plate still fits: a block of unit length holds nothing above.
_SCALE = 127.0
_CHUNK = 512
# Pixels at a long side of 1920.
_QUICK_THRESHOLD = 6.0
_FEWEST = 8


class PlateIndex:
    """A thumbnail of every plate frame, five kilobytes each."""

    def __init__(self, images: Iterable[np.ndarray]) -> None:
        """``images`` are (H, W, 3) uint8 RGB, any size, in the plate's order; each is let go of at once.

        Thumbnails of all have the orientation of the first.
        """
        thumbnails: list[np.ndarray] = []
        self._upright = False
        for image in images:
            self._upright = is_upright(image) if not thumbnails else self._upright
            thumbnails.append(thumbnail(image, self._upright))
        self._thumbnails = np.stack(thumbnails)

    def __len__(self) -> int:
        return len(self._thumbnails)

    def closest(self, image: np.ndarray, count: int) -> list[int]:
        """Indices of the ``count`` plate frames most like an (H, W, 3) uint8 RGB picture, the likeliest first.

        See :func:`similarity`.
        """
        scores = similarity(self._thumbnails, image, self._upright)
        return np.argsort(-scores, kind="stable")[:count].tolist()

    def between(self, ranked: Sequence[int]) -> list[int]:
        """Nothing: all frames have been compared; see `SparsePlateIndex`."""
        return []


def is_upright(image: np.ndarray) -> bool:
    """Whether a picture, (H, W, C), is higher than wide."""
    return image.shape[0] > image.shape[1]


def thumbnail(image: np.ndarray, upright: bool) -> np.ndarray:
    """The thumbnail of an (H, W, 3) uint8 RGB picture of any size, in portrait where ``upright``: (144, 36) int8."""
    return np.rint(_SCALE * _thumbnail(image, upright)).astype(np.int8)


def similarity(thumbnails: np.ndarray, image: np.ndarray, upright: bool) -> np.ndarray:
    """How much each of some thumbnails, (F, 144, 36) int8, resembles an (H, W, 3) uint8 RGB picture: (F,) float32.

    All of them are in portrait where ``upright``.

    Each block adds its correlation where that is positive, so a person who hides some of them takes about the same
    from every candidate.
    """
    wanted = _thumbnail(image, upright)
    chunks = (thumbnails[first : first + _CHUNK].astype(np.float32) for first in range(0, len(thumbnails), _CHUNK))
    return np.concatenate([np.maximum(np.einsum("fbp,bp->fb", chunk, wanted), 0).sum(axis=1) for chunk in chunks])


def shown_grid(size: Size) -> Grid:
    """The points at which it is judged what a plate frame shows of a source of ``size``."""
    return orient_grid(_GRID, size)


class RankedLook(NamedTuple):
    """Plate frame ``index`` and its ``score``; ``shown`` (rows, columns) bool is the part of the source that it shows,
    on `shown_grid`."""

    index: int
    score: float
    shown: np.ndarray


def rank_looks(source: Look, plates: dict[int, Look]) -> list[RankedLook]:
    """Plate frames by how many ORB keypoints agree times how much of the source is covered, best first.

    ``plates`` are by index, the likeliest first, an order kept among equals.
    """
    if len(plates) == 1:
        return [RankedLook(index, 0.0, _nothing_shown(source)) for index in plates]
    looks = [RankedLook(index, *_agreement(source, look)) for index, look in plates.items()]
    return sorted(looks, key=lambda look: -look.score)


def _agreement(source: Look, plate: Look) -> tuple[float, np.ndarray]:
    matches = match_quick_features(plate.quick, source.quick)
    if len(matches.plate) < _FEWEST:
        return 0.0, _nothing_shown(source)
    threshold = scale_pixels(_QUICK_THRESHOLD, source.size)
    matrix, mask = cv2.findHomography(matches.plate, matches.source, cv2.USAC_MAGSAC, threshold)
    if matrix is None or not is_sane(matrix, plate.size, source.size):
        return 0.0, _nothing_shown(source)
    shown = _shown(matrix, plate, source)
    return float(mask.sum() * shown.mean()), shown


def _nothing_shown(source: Look) -> np.ndarray:
    columns, rows = shown_grid(source.size)
    return np.zeros((rows, columns), bool)


def _shown(matrix: np.ndarray, plate: Look, source: Look) -> np.ndarray:
    """Which points of a grid over the source lie inside the plate."""
    columns, rows = shown_grid(source.size)
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    points = np.stack([x.ravel(), y.ravel()], axis=1) * np.array(source.size)
    seen = apply_homography(np.linalg.inv(matrix), points)
    inside = ((seen >= 0) & (seen <= np.array(plate.size) - 1)).all(axis=1)
    if plate.valid is not None:
        inside &= sample_valid(plate.valid, seen.astype(np.float32)[None], plate.size)[0]
    return np.asarray(inside.reshape(rows, columns))


def _thumbnail(image: np.ndarray, upright: bool) -> np.ndarray:
    """Blocks of a small grey picture, each of zero mean and nearly unit length: (144, 36) float32."""
    size = Grid(_GRID.rows, _GRID.columns) if upright else _GRID
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = size.rows // _BLOCK, size.columns // _BLOCK
    blocks = grey.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows * columns, -1)
    blocks -= blocks.mean(axis=1, keepdims=True)
    return blocks / np.sqrt((blocks**2).sum(axis=1, keepdims=True) + _BLOCK**2 * _NOISE_LEVEL**2)
