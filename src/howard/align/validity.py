"""Validity masks: which pixels of a plate frame show the place and not a person in front of it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.caches import DiskCache, content_key
from howard.align.comparison import LEAST_DIFFERENCE, compare, shift_tolerant_difference
from howard.align.features import FrameDescriptor, Matches
from howard.align.pictures import size_of
from howard.align.warp import plate_positions, reduced_matrix, sample_plate, sample_valid

# Fraction of an invalid component's pixels that must agree with the source for it to belong to the place. A person who
# stands almost where the plate shows them agrees in the middle, but not along the outline.
_AGREEMENT_FRACTION = 0.95
# Least number of comparable pixels at a quarter of 1080p.
_FEWEST_PIXELS = 16


class ValidityFinder(NamedTuple):
    """Detects the pixels of a plate frame that do not show the place.

    ``find`` returns the validity mask of an (H, W, 3) uint8 RGB image, (h, w) bool of any size, False where the place
    is hidden; it must depend only on the image. With ``keeps_static``, invalid components that the source shows
    unchanged, such as posters of people, become valid again.
    """

    find: Callable[[np.ndarray], np.ndarray]
    keeps_static: bool


def cache_validity(
    find: Callable[[np.ndarray], np.ndarray], name: str, folder: Path
) -> Callable[[np.ndarray], np.ndarray]:
    """Wrap ``find`` such that its results are cached in ``folder`` under its ``name``, also between runs."""
    disk = DiskCache(folder)

    def cached(picture: np.ndarray) -> np.ndarray:
        key = f"{content_key(picture)}-valid-{name}"
        return disk.get(key, lambda: {"valid": find(picture)})["valid"]

    return cached


def restore_static(source: FrameDescriptor, plate: FrameDescriptor, matrix: np.ndarray) -> FrameDescriptor:
    """The plate frame with those invalid components made valid that the source shows unchanged.

    ``matrix`` maps plate pixels to source pixels. Components outside the source's view stay invalid.
    """
    assert plate.valid is not None
    reduced = reduced_matrix(matrix, plate.small, source.small, plate.size, source.size)
    positions = plate_positions(reduced, size_of(source.small))
    whole = sample_plate(plate.small, positions)
    shown = sample_valid(plate.valid, positions, size_of(plate.small))
    visible = whole._replace(coverage=whole.coverage & shown)
    matched = compare(source.small, visible).photometry.apply(whole.image)
    agrees = shift_tolerant_difference(source.small.astype(np.float32), matched) < LEAST_DIFFERENCE
    valid = plate.valid.copy()
    count, labels = cv2.connectedComponents((~valid).astype(np.uint8), connectivity=8)
    for label in range(1, count):
        piece = np.asarray(labels) == label
        there = ~sample_valid(~piece, positions, size_of(plate.small)) & whole.coverage
        if there.sum() >= _FEWEST_PIXELS and agrees[there].mean() >= _AGREEMENT_FRACTION:
            valid[piece] = True
    return plate._replace(valid=None if valid.all() else valid)


def keep_valid(matches: Matches, plate: FrameDescriptor) -> Matches:
    """The matches whose plate points are valid."""
    if plate.valid is None:
        return matches
    kept = sample_valid(plate.valid, matches.plate[None].astype(np.float32), plate.size)[0]
    return Matches(matches.plate[kept], matches.source[kept])
