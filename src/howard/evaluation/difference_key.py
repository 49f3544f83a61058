"""The difference key, a baseline without learning: pixels that differ from the plate are the person."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

# Found by tune_thresholds() on 43 composites: validation people, mixed in linear light over views of two rendered
# validation rooms, each with one plate image aligned as in the inference pipeline. The two halves of the composites
# give (24, 29) and (22, 24). No clip with reported scores was used.
LOW = 23
HIGH = 26

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
        coverage: HxW in [0, 1]; pixels that the plate does not cover count as person. None means full coverage.
        low: largest difference of background pixels, in 8-bit levels.
        high: smallest difference of pixels that are fully person, in 8-bit levels.

    Returns:
        HxW alpha in [0, 1]: smoothstep(low, high, largest channel difference), after a 3x3 median.

    Raises:
        ValueError: the images differ in size or are not 8-bit, or ``low`` is not below ``high``.
    """
    alpha = _curve(low, high).astype(np.float32)[_difference(source, plate)]
    if coverage is not None:
        alpha[coverage < 0.5] = 1.0
    return alpha


def tune_thresholds(samples: Iterable[tuple[NDArray, NDArray, NDArray | None, NDArray]]) -> tuple[int, int]:
    """Find the integers ``low`` and ``high`` with the smallest mean MAD over samples.

    Pixels without coverage have alpha 1 with any thresholds and are left out.

    Args:
        samples: (source, plate, coverage, true alpha) as for :func:`difference_key`, all with equal weight. They
            should not be among those that scores are reported on.
    """
    weights = np.zeros((256, 256))
    for source, plate, coverage, true in samples:
        seen = np.ones(true.shape, bool) if coverage is None else coverage >= 0.5
        cells = _difference(source, plate)[seen] * 256 + np.rint(true[seen] * 255).astype(int)
        # Alpha depends on the difference alone, so counting pixels by (difference, true alpha) is enough.
        weights += np.bincount(cells, minlength=256 * 256).reshape(256, 256) / true.size
    # Error of assigning an 8-bit alpha (column) to a difference (row); it is linear between neighbouring columns.
    costs = weights @ np.abs(_LEVELS[:, None] - _LEVELS)
    thresholds = [(low, high) for low in range(255) for high in range(low + 1, 256)]
    return min(thresholds, key=lambda pair: _total_cost(costs, *pair))


def _total_cost(costs: NDArray, low: int, high: int) -> float:
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
    """HxW largest channel difference in [0, 255] after the 3x3 median.

    The median of the differences gives the same alpha as the median of alpha would, because the curve is monotonic.
    """
    if source.dtype != np.uint8 or plate.dtype != np.uint8 or source.shape != plate.shape:
        raise ValueError(
            f"expected two 8-bit images of one size, got {source.dtype} {source.shape} and {plate.dtype} {plate.shape}"
        )
    return cv2.medianBlur(cv2.absdiff(source, plate).max(axis=2), 3).astype(np.intp)
