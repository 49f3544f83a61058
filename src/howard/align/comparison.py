"""Comparison of a warped plate frame with the source: person mask, exposure and residual."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import FrameDescriptor, Matches
from howard.align.photometric import Photometry, fit_photometry
from howard.align.pictures import mean_difference, reduce_to
from howard.align.two_view import HomographyEstimate
from howard.align.warp import Warped, warp_reduced

# Threshold of the difference in grey levels, and in multiples of the picture's noise; the larger one applies.
LEAST_DIFFERENCE = 12.0
_NOISE_FACTOR = 4.0
# Fraction of the picture; smaller components are misalignment, leaves or noise.
_LEAST_PIECE = 0.002
# Diameter of the dilation disc in reduced pixels: hair and motion blur extend beyond the thresholded area.
_GROWTH = 5
# Long side at which person and exposure are estimated: 1/8 of 1080p. The plate is warped at twice that size and
# averaged down, so that it is as soft as the source.
TINY_SIDE = 240
# Person and exposure are estimated alternately; a third iteration has almost no effect.
_ROUNDS = 2
# Cost of an uncovered pixel in grey levels when candidates are compared: higher than that of a clearly wrong one.
_UNCOVERED_COST = 40.0
# A plate with few feature matches or none is accepted if it covers at least this fraction of the source, differs over
# at most this fraction of the covered area, and by at most this many 8-bit levels elsewhere. Measured on rendered
# rooms: by 2 to 6 levels for right plates, by 21 and more for wrong ones that share furniture.
_LEAST_COVERAGE = 0.3
_MOST_PERSON = 0.7
_MOST_RESIDUAL = 15.0


def find_person(source: np.ndarray, plate: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Mask of what is in the source and not in the plate, (h, w) bool; rather too large than too small.

    ``source`` and ``plate`` are (h, w, 3) float32 in 8-bit levels, reduced (about 1/8 of 1080p), aligned and of one
    exposure; ``coverage`` (h, w) bool.
    """
    difference = shift_tolerant_difference(source, plate)
    difference[~coverage] = 0
    noise = 1.4826 * np.median(difference[coverage]) if coverage.any() else 0.0
    changed = (difference > max(LEAST_DIFFERENCE, _NOISE_FACTOR * noise)).astype(np.uint8)
    for operation in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):
        changed = cv2.morphologyEx(changed, operation, _disc(3))
    return cv2.dilate(_fill(_large_pieces(changed)), _disc(_GROWTH)).astype(bool)


def _disc(diameter: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))


def shift_tolerant_difference(source: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """Largest channel of |source - plate|, minimised over shifts of the plate by up to one (reduced) pixel."""
    padded = cv2.copyMakeBorder(plate, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    height, width = source.shape[:2]
    least = np.full((height, width), np.inf, np.float32)
    for y in range(3):
        for x in range(3):
            red, green, blue = cv2.split(cv2.absdiff(source, padded[y : y + height, x : x + width]))
            least = cv2.min(least, cv2.max(cv2.max(red, green), blue))
    return np.asarray(least)


def _large_pieces(mask: np.ndarray) -> np.ndarray:
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    large = statistics[:, cv2.CC_STAT_AREA] >= _LEAST_PIECE * mask.size
    large[0] = False
    return large[np.asarray(labels, np.intp)].astype(np.uint8)


def _fill(mask: np.ndarray) -> np.ndarray:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 1, thickness=cv2.FILLED)


class Comparison(NamedTuple):
    """Comparison of source and aligned plate at 1/8 of 1080p: ``person`` and ``coverage`` (h, w) bool.

    ``residual`` is the mean absolute difference in 8-bit levels outside the person, after ``photometry``.
    """

    photometry: Photometry
    person: np.ndarray
    coverage: np.ndarray
    residual: float

    @property
    def cost(self) -> float:
        """Mean cost of a pixel in 8-bit levels: the residual where covered, a constant elsewhere."""
        covered = float(self.coverage.mean())
        return self.residual * covered + _UNCOVERED_COST * (1 - covered) if covered else float("inf")

    @property
    def is_plausible(self) -> bool:
        """Whether source and plate are similar enough to accept a plate with few feature matches or none."""
        coverage = float(self.coverage.mean())
        return (
            coverage >= _LEAST_COVERAGE
            and float(self.person.mean()) <= _MOST_PERSON * coverage
            and self.residual <= _MOST_RESIDUAL
        )


class Candidate(NamedTuple):
    """An accepted plate frame for a source frame, with the ``matches`` from which ``estimate`` was computed.

    ``is_sure`` is False for a fallback: its status is then weak. A filler (``is_filler``) is only used where no other
    candidate covers the source. ``valid`` is the plate frame's validity mask, (h, w) bool of any size; None if all of
    it is valid.
    """

    index: int
    estimate: HomographyEstimate
    matches: Matches
    comparison: Comparison
    is_sure: bool = True
    is_filler: bool = False
    valid: np.ndarray | None = None


def choose_complementary(candidates: list[Candidate], count: int) -> list[Candidate]:
    """Greedy selection: the best candidate, then those of the lowest residual minus the gain in covered area."""
    left = sorted(candidates, key=lambda candidate: candidate.comparison.cost)
    chosen, covered = [], np.zeros_like(left[0].comparison.coverage)
    while left and len(chosen) < count:
        gains = [_UNCOVERED_COST * float((each.comparison.coverage & ~covered).mean()) for each in left]
        costs = [each.comparison.residual - gain for each, gain in zip(left, gains, strict=True)]
        chosen.append(left.pop(int(np.argmin(costs)) if chosen else 0))
        covered |= chosen[-1].comparison.coverage
    return chosen


def union_coverage(candidates: list[Candidate]) -> np.ndarray:
    """Union of the candidates' coverage, (h, w) bool at 1/8 of 1080p."""
    return np.any([candidate.comparison.coverage for candidate in candidates], axis=0)


def compare_frames(source: FrameDescriptor, plate: FrameDescriptor, matrix: np.ndarray) -> Comparison:
    """Compare a source with a plate warped by ``matrix``, which maps plate pixels to source pixels."""
    sizes = plate.size, source.size
    return compare(source.small, warp_reduced(plate.small, source.small, matrix, *sizes, valid=plate.valid))


def compare(source: np.ndarray, warped: Warped, person: np.ndarray | None = None) -> Comparison:
    """Estimate exposure and person mask alternately; ``source`` (H, W, 3) uint8 RGB has the size of the warped plate.

    A given ``person`` mask at 1/8 of 1080p is used as it is.
    """
    seen = reduce_to(source, TINY_SIDE).astype(np.float32)
    empty = reduce_to(warped.image, TINY_SIDE).astype(np.float32)
    # A reduced pixel is covered only if all pixels averaged into it are.
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
