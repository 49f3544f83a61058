"""Trying one plate frame on a source frame, at a size where that is cheap."""

from typing import NamedTuple

import numpy as np

from howard.align.features import Features, extract_features, match_features
from howard.align.geometry import Size, reduce_to, size_of
from howard.align.homography import HomographyEstimate, estimate_homography
from howard.align.person import find_person
from howard.align.photometric import Photometry, fit_photometry
from howard.align.warp import Warped, warp_reduced

# Long side at which person and exposure are found: 1/8 of 1080p. The plate is warped at twice that and averaged, so
# that it is as soft as the source.
_SMALL_SIDE = 240
# Person and exposure depend on each other; the third round changes next to nothing.
_ROUNDS = 3
# Grey levels that an uncovered pixel costs when candidates are compared: as bad as a clearly wrong one.
_UNCOVERED_COST = 20.0


class View(NamedTuple):
    """A picture prepared for alignment: its ``size``, ``features``, and ``small``, the picture at reduced size."""

    size: Size
    features: Features
    small: np.ndarray


class Comparison(NamedTuple):
    """Source and aligned plate side by side at reduced size: ``person`` and ``coverage`` (h, w) bool.

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
        return self.residual * covered + _UNCOVERED_COST * (1 - covered)


class Candidate(NamedTuple):
    """One plate frame tried on a source frame; ``comparison`` is None where the homography is not believed."""

    index: int
    estimate: HomographyEstimate
    comparison: Comparison | None

    @property
    def cost(self) -> float:
        """What candidates are ranked by: the lower the better, infinite where the homography is not believed."""
        return self.comparison.cost if self.comparison else float("inf")


def prepare(image: np.ndarray) -> View:
    """Find features of an (H, W, 3) uint8 RGB picture and reduce it."""
    return View(size_of(image), extract_features(image), reduce_to(image, 2 * _SMALL_SIDE))


def try_candidate(source: View, plate: View, index: int) -> Candidate | None:
    """Align plate frame ``index`` by its features and compare; None where nothing matches."""
    matches = match_features(plate.features, source.features)
    estimate = estimate_homography(matches, plate.size, source.size)
    if estimate is None or not estimate.trusted:
        return Candidate(index, estimate, None) if estimate else None
    warped = warp_reduced(plate.small, source.small, estimate.matrix, plate.size, source.size)
    return Candidate(index, estimate, compare(source.small, warped))


def compare(source: np.ndarray, warped: Warped) -> Comparison:
    """Find exposure and person together; ``source`` (H, W, 3) uint8 RGB of the warped plate's size, any size."""
    seen = reduce_to(source, _SMALL_SIDE).astype(np.float32)
    empty = reduce_to(warped.image, _SMALL_SIDE).astype(np.float32)
    # A reduced pixel counts as covered only where all that it averages is.
    coverage = reduce_to(warped.coverage.astype(np.float32), _SMALL_SIDE) > 0.999
    person = np.zeros_like(coverage)
    for _ in range(_ROUNDS):
        photometry = fit_photometry(seen, empty, coverage & ~person)
        matched = photometry.apply(empty)
        person = find_person(seen, matched, coverage)
    background = coverage & ~person
    residual = float(np.abs(seen - matched)[background].mean()) if background.any() else float("inf")
    return Comparison(photometry, person, coverage, residual)
