"""The difference key: what differs from the plate is the person. No learning: the floor that a matte must beat."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

# Found by tune() on 43 composites: people kept for validation, mixed in linear light over views of two rendered rooms
# kept for validation, each with one plate picture aligned as for the film road. The two halves alone give (24, 29) and
# (22, 24). No clip that figures are reported on was used.
LOW, HIGH = 23, 26

_LEVELS = np.arange(256)


def difference_key(
    source: NDArray[np.uint8],
    plate: NDArray[np.uint8],
    coverage: NDArray[np.floating] | None = None,
    *,
    low: float = LOW,
    high: float = HIGH,
) -> NDArray[np.float32]:
    """Key one frame against its aligned plate.

    Args:
        source: HxWx3 RGB in [0, 255].
        plate: like ``source`` and aligned to it.
        coverage: HxW in [0, 1]; what the plate did not see counts as person. None means everything was seen.
        low: difference, in 8-bit levels, up to which a pixel is background.
        high: difference from which a pixel is person.

    Returns:
        HxW alpha in [0, 1]: smoothstep(low, high, largest channel difference), after a 3x3 median.

    Raises:
        ValueError: the images differ in size or are not of 8 bits, or ``low`` is not below ``high``.
    """
    alpha = _curve(low, high).astype(np.float32)[_difference(source, plate)]
    if coverage is not None:
        alpha[coverage < 0.5] = 1.0
    return alpha


def tune(samples: Iterable[tuple[NDArray, NDArray, NDArray | None, NDArray]]) -> tuple[int, int]:
    """Find the whole-numbered ``low`` and ``high`` with the smallest MAD over samples that nothing is reported on.

    ``samples`` yields (source, plate, coverage, true alpha) as for :func:`difference_key`; each counts the same,
    whatever its size. Pixels without coverage are 1 at any setting and are left out.
    """
    weights = np.zeros((256, 256))
    for source, plate, coverage, true in samples:
        seen = np.ones(true.shape, bool) if coverage is None else coverage >= 0.5
        cells = _difference(source, plate)[seen] * 256 + np.rint(true[seen] * 255).astype(int)
        # The key only looks a difference up: pixels alike in difference and truth are one cell for every setting.
        weights += np.bincount(cells, minlength=256 * 256).reshape(256, 256) / true.size
    # What it costs to give a difference (row) this alpha (column): linear between neighbouring 8-bit alphas.
    costs = weights @ np.abs(_LEVELS[:, None] - _LEVELS)
    settings = [(low, high) for low in range(255) for high in range(low + 1, 256)]
    return min(settings, key=lambda pair: _cost(costs, *pair))


def _cost(costs: NDArray, low: int, high: int) -> float:
    alpha = _curve(low, high) * 255
    below = np.minimum(alpha.astype(int), 254)
    return float((costs[_LEVELS, below] * (below + 1 - alpha) + costs[_LEVELS, below + 1] * (alpha - below)).sum())


def _curve(low: float, high: float) -> NDArray[np.float64]:
    """Alpha for each of the 256 differences."""
    if not low < high:
        raise ValueError(f"low={low} must be below high={high}")
    t = np.clip((_LEVELS - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _difference(source: NDArray[np.uint8], plate: NDArray[np.uint8]) -> NDArray[np.intp]:
    """HxW largest channel difference in [0, 255], after the median: as good as the key's median, the curve rises."""
    if source.dtype != np.uint8 or plate.dtype != np.uint8 or source.shape != plate.shape:
        raise ValueError(
            f"expected two 8-bit images of one size, got {source.dtype} {source.shape} and {plate.dtype} {plate.shape}"
        )
    return cv2.medianBlur(cv2.absdiff(source, plate).max(axis=2), 3).astype(np.intp)
