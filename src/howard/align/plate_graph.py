"""Homography and parallax between pairs of plate frames, which do not depend on the source."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.caches import BoundedMemory
from howard.align.comparison import compare
from howard.align.features import FrameDescriptor, match_features
from howard.align.flow import measure_flow, push_pull
from howard.align.pictures import Size, resizing, size_of
from howard.align.plate_store import PlateStore
from howard.align.two_view import fit_scene
from howard.align.warp import pixel_grid, plate_positions, warp_reduced

# Longest displacement that is stored, as a fraction of the long side: beyond the horizon values are arbitrary.
_LONGEST = 1 / 8


class PlatePair(NamedTuple):
    """Relation of two plate frames, a main frame and another one.

    ``matrix`` (3, 3) maps pixels of the other frame to pixels of the main one; None if they do not show the same place.
    ``parallax`` (h, w, 2) float16, in pixels of the main frame at a quarter of 1080p: the pixel x of the main frame
    corresponds to x + parallax(x) in the other frame warped by ``matrix``.
    """

    matrix: np.ndarray | None
    parallax: np.ndarray


class PlateGraph:
    """Pairs of plate frames, each computed at the first request; safe to use from several threads."""

    def __init__(self, store: PlateStore, capacity: int) -> None:
        """At most ``capacity`` bytes stay in memory."""
        self._store = store
        self._pairs = BoundedMemory[PlatePair](capacity, lambda pair: pair.parallax.nbytes)

    def pair(self, main: int, other: int) -> PlatePair:
        """The relation of two different frames, given by index."""
        return self._pairs.get((main, other), lambda: self._load(main, other))

    def _load(self, main: int, other: int) -> PlatePair:
        if self._store.validity is not None:
            # The names on disk do not say which features a validity mask removed.
            return self._measure(main, other)
        found = self._store.keep(
            (main, other), f"pair{self._store.feature_side}", lambda: _to_arrays(self._measure(main, other))
        )
        matrix = found["matrix"]
        return PlatePair(matrix if matrix.size else None, found["parallax"])

    def _measure(self, main: int, other: int) -> PlatePair:
        here, there = self._store.descriptor(main), self._store.descriptor(other)
        matches = match_features(self._store.features(other), self._store.features(main))
        fit = fit_scene(matches, there.size, here.size)
        if fit is None or not fit.estimate.trusted:
            return PlatePair(None, np.zeros((0, 0, 2), np.float16))
        parallax = _measure_parallax(here, there, fit.estimate.matrix)
        # Half floats resolve a hundredth of a pixel up to 16 pixels.
        return PlatePair(fit.estimate.matrix, parallax.astype(np.float16))


def view_parallax(
    parallax: np.ndarray, matrix: np.ndarray, plate_size: Size, source_size: Size, size: Size
) -> np.ndarray:
    """The parallax of a pair in the view of a source frame, to which ``matrix`` maps the main frame.

    Args:
        parallax: as in `PlatePair`.
        matrix: (3, 3), from pixels of the main plate frame to those of the source.
        plate_size: of the main plate frame, in full pixels.
        source_size: in full pixels.
        size: of the result.

    Returns:
        (h, w, 2) float32, in its own pixels: with both frames warped to the source by their homographies, x in the main
        frame corresponds to x + result(x) in the other one.
    """
    to_parallax = resizing(plate_size, size_of(parallax))
    reduced = resizing(source_size, size) @ matrix @ np.linalg.inv(to_parallax)
    positions = plate_positions(reduced, size)
    shifts = parallax.astype(np.float32)
    there = cv2.remap(shifts, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    moved = cv2.perspectiveTransform(cv2.add(positions, there), reduced) - pixel_grid(size)
    longest = _LONGEST * max(size)
    return np.nan_to_num(moved, nan=0.0).clip(-longest, longest)


def _measure_parallax(main: FrameDescriptor, other: FrameDescriptor, matrix: np.ndarray) -> np.ndarray:
    warped = warp_reduced(other.small, main.small, matrix, other.size, main.size, valid=other.valid)
    photometry = compare(main.small, warped).photometry
    usable = warped.coverage
    if main.valid is not None:
        usable = usable & (cv2.resize(main.valid.astype(np.uint8), size_of(main.small)) > 0)
    return push_pull(*measure_flow(main.small, photometry.apply_rounded(warped.image), usable))


def _to_arrays(pair: PlatePair) -> dict[str, np.ndarray]:
    matrix = np.zeros((0, 3)) if pair.matrix is None else pair.matrix
    return {"matrix": matrix, "parallax": pair.parallax}
