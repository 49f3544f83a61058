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

# Share of an invalid piece's pixels that must agree with the source for the piece to be part of the place. Somebody who
# stands almost where the plate showed them agrees in the middle, not along the outline.
_AGREEMENT_FRACTION = 0.95
# Pixels at a quarter of 1080p; of fewer nothing can be said.
_FEWEST_PIXELS = 16


class ValidityFinder(NamedTuple):
    """Finds what in a plate frame does not belong to the place.

    ``find`` gives the validity mask of an (H, W, 3) uint8 RGB picture, (h, w) bool of any size, False on what does not
    belong; it must depend on the picture alone. Of what was found ``keeps_static`` uses the pieces that the source
    shows just as the plate does, such as posters of people.
    """

    find: Callable[[np.ndarray], np.ndarray]
    keeps_static: bool


def cache_validity(
    find: Callable[[np.ndarray], np.ndarray], name: str, folder: Path
) -> Callable[[np.ndarray], np.ndarray]:
    """A finder of validity masks whose results are kept in ``folder`` from run to run, under its ``name``."""
    disk = DiskCache(folder)

    def cached(picture: np.ndarray) -> np.ndarray:
        key = f"{content_key(picture)}-valid-{name}"
        return disk.get(key, lambda: {"valid": find(picture)})["valid"]

    return cached


def restore_static(source: FrameDescriptor, plate: FrameDescriptor, matrix: np.ndarray) -> FrameDescriptor:
    """The plate frame with those invalid pieces made valid that the source shows as well; of the others, no change.

    ``matrix`` maps plate pixels to source pixels. What is not in the source's view stays invalid.
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
    """The matches whose plate points lie where the plate frame shows the place."""
    if plate.valid is None:
        return matches
    kept = sample_valid(plate.valid, matches.plate[None].astype(np.float32), plate.size)[0]
    return Matches(matches.plate[kept], matches.source[kept])
