"""Trying one plate frame on a source frame, at a size where that is cheap."""

from typing import NamedTuple

import numpy as np

from howard.align.features import Matches
from howard.align.geometry import reduce_to
from howard.align.homography import HomographyEstimate
from howard.align.levels import mean_difference
from howard.align.person import find_person
from howard.align.photometric import Photometry, fit_photometry
from howard.align.view import Look
from howard.align.warp import Warped, warp_reduced

# Long side at which person and exposure are found: 1/8 of 1080p. The plate is warped at twice that and averaged, so
# that it is as soft as the source.
TINY_SIDE = 240
# Person and exposure depend on each other; a third round changes next to nothing.
_ROUNDS = 2
# Grey levels that an uncovered pixel costs when candidates are compared: worse than a clearly wrong one.
_UNCOVERED_COST = 40.0


class Comparison(NamedTuple):
    """Source and aligned plate side by side at 1/8 of 1080p: ``person`` and ``coverage`` (h, w) bool.

    ``residual`` is their mean difference in 8-bit levels outside the person, after ``photometry``.
    """

    photometry: Photometry
    person: np.ndarray
    coverage: np.ndarray
    residual: float

    @property
    def cost(self) -> float:
        """Mean cost of a pixel in 8-bit levels: the residual where covered, a fixed price elsewhere."""
        covered = float(self.coverage.mean())
        return self.residual * covered + _UNCOVERED_COST * (1 - covered) if covered else float("inf")


class Candidate(NamedTuple):
    """One plate frame believed to fit a source frame, by the ``matches`` that ``estimate`` came from.

    ``is_sure`` is False where it is used for want of a better one: its status is then weak. One that ``only_fills``
    is shown where no other is. ``valid`` is the plate frame's validity mask, (h, w) bool of any size; None where all of
    it may be used.
    """

    index: int
    estimate: HomographyEstimate
    matches: Matches
    comparison: Comparison
    is_sure: bool = True
    only_fills: bool = False
    valid: np.ndarray | None = None


def choose_together(candidates: list[Candidate], count: int) -> list[Candidate]:
    """The best of the candidates, and those that add most to it: a good fit, or places that none before covers."""
    left = sorted(candidates, key=lambda candidate: candidate.comparison.cost)
    chosen, covered = [], np.zeros_like(left[0].comparison.coverage)
    while left and len(chosen) < count:
        gains = [_UNCOVERED_COST * float((each.comparison.coverage & ~covered).mean()) for each in left]
        costs = [each.comparison.residual - gain for each, gain in zip(left, gains, strict=True)]
        chosen.append(left.pop(int(np.argmin(costs)) if chosen else 0))
        covered |= chosen[-1].comparison.coverage
    return chosen


def cover_together(candidates: list[Candidate]) -> np.ndarray:
    """Where at least one of the candidates shows something, (h, w) bool at 1/8 of 1080p."""
    return np.any([candidate.comparison.coverage for candidate in candidates], axis=0)


def compare_looks(source: Look, plate: Look, matrix: np.ndarray) -> Comparison:
    """Compare a source with a plate brought to its view by ``matrix``, plate pixels to source pixels."""
    sizes = plate.size, source.size
    return compare(source.small, warp_reduced(plate.small, source.small, matrix, *sizes, valid=plate.valid))


def compare(source: np.ndarray, warped: Warped, person: np.ndarray | None = None) -> Comparison:
    """Find exposure and person together; ``source`` (H, W, 3) uint8 RGB of the warped plate's size, any size.

    A ``person`` that is known already, a mask of 1/8 of 1080p, is kept.
    """
    seen = reduce_to(source, TINY_SIDE).astype(np.float32)
    empty = reduce_to(warped.image, TINY_SIDE).astype(np.float32)
    # A reduced pixel counts as covered only where all that it averages is.
    coverage = reduce_to(warped.coverage.astype(np.float32), TINY_SIDE) > 0.999
    found = np.zeros_like(coverage) if person is None else person
    for _ in range(_ROUNDS if person is None else 1):
        photometry = fit_photometry(seen, empty, coverage & ~found)
        matched = photometry.apply(empty)
        if person is None:
            found = find_person(seen, matched, coverage)
    background = coverage & ~found
    residual = float(mean_difference(seen, matched)[background].mean()) if background.any() else float("inf")
    return Comparison(photometry, found, coverage, residual)
