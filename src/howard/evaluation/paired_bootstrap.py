"""Ratios of two results on the same items, with confidence intervals by a paired bootstrap."""

import math
import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED = 0
_RESAMPLINGS = 2000
_INTERVAL = (2.5, 97.5)  # percentiles of the 95 % interval


class MetricRatio(NamedTuple):
    """Mean of the second result / mean of the first, and its 95 % interval by a paired bootstrap over items."""

    ratio: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 1."""
        return self.high < 1 or self.low > 1

    @property
    def is_known(self) -> bool:
        """Whether there is a ratio: it is undefined if the first result is 0."""
        return math.isfinite(self.ratio)


def resampled_means(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Means of both results, and of resampled items.

    Args:
        values: (2, n), the values of the items in both results.
        rng: chooses the items, with replacement.

    Returns:
        (2, 1 + resamplings), the means of all items first; None without items.
    """
    count = values.shape[1]
    if not count:
        return None
    chosen = rng.integers(count, size=(_RESAMPLINGS, count))
    return np.column_stack([values.mean(axis=1), values[:, chosen].mean(axis=2)])


def mean_ratio(means: NDArray[np.float64]) -> MetricRatio:
    """The ratio and its interval from :func:`resampled_means`."""
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nanpercentile warns if all ratios are NaN
        ratios = means[1] / means[0]
        low, high = np.nanpercentile(ratios[1:], _INTERVAL)
    return MetricRatio(float(ratios[0]), float(low), float(high))
