"""Two pictures of one place: by a homography if a plane holds their matches, by epipolar geometry if none does.

With much parallax no plane holds most of the matches, and a homography cannot say whether both pictures show one place.
A fundamental matrix can: it holds for every still thing, whatever its depth (Hartley & Zisserman, Multiple View
Geometry, ch. 9). A homography is then only where to start bending from.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import Matches
from howard.align.geometry import Size, scale_pixels
from howard.align.homography import (
    INLIER_PX,
    Gate,
    HomographyEstimate,
    estimate_homography,
    fit_plane,
    grid_cells,
    grid_share,
    is_sane,
    magsac_settings,
    reprojection_errors,
)

# A plane that holds this share of the matches leaves no parallax worth speaking of.
_ONE_PLANE = 0.8
# Seven pairs give a fundamental matrix; with few more anything agrees with one.
_FEWEST = 16
# Distance from an epipolar line, in pixels at a long side of 1920.
_EPIPOLAR_PX = 2.0
# Share of the source's long side: a match this far from where a plane puts it is no worse further off.
_FAR = 1 / 64

# Measured on rendered rooms, somebody before them: right plates keep at least 0.77 of the matches, in 0.4 of the grid
# unless the walls are blank. Plates of other rooms with the same furniture keep 0.7 at most where they reach 0.35.
RIGID_GATE = Gate(inliers=40, inlier_ratio=0.75, grid_share=0.37, clear_inlier_ratio=1.0, clear_grid_share=0.37)


# On less of the picture so many matches at different depths are the same things, at least. About one pair of other
# rooms in five hundred comes as far, for things that stand in both: such a plate is never called more than weak.
NARROW_RIGID_GATE = Gate(inliers=100, inlier_ratio=0.87, grid_share=0.29, clear_inlier_ratio=1.0, clear_grid_share=0.29)


class PlaceFit(NamedTuple):
    """An ``estimate``, and the ``matches`` to bend the plate by: without those that break the epipolar geometry, where
    that was what decided."""

    estimate: HomographyEstimate
    matches: Matches


def fit_place(matches: Matches, plate_size: Size, source_size: Size) -> PlaceFit | None:
    """The homography between two pictures, believed if they show one place; None where there is none at all.

    Where parallax decides, its inliers are the matches that agree with one fundamental matrix.
    """
    planar = estimate_homography(matches, plate_size, source_size)
    if planar is None:
        return None
    if planar.trusted and planar.inlier_ratio >= _ONE_PLANE:
        return PlaceFit(planar, matches)
    rigid = keep_rigid(matches, source_size)
    inliers, share = len(rigid.plate), grid_share(rigid.source, source_size)
    ratio = inliers / len(matches.plate)
    planes = [matrix for matrix in _planes(rigid, planar, source_size) if is_sane(matrix, plate_size, source_size)]
    trusted = RIGID_GATE.admits(inliers, ratio, share)
    narrow = not planar.trusted and NARROW_RIGID_GATE.admits(inliers, ratio, share)
    if not planes or not (trusted or narrow):
        return PlaceFit(planar, matches)
    best = min(planes, key=lambda matrix: _distance(matrix, rigid, source_size))
    error = float(np.median(reprojection_errors(best, rigid)))
    return PlaceFit(HomographyEstimate(best, inliers, ratio, share, error, trusted), rigid)


def keep_rigid(matches: Matches, source_size: Size) -> Matches:
    """The matches that agree with one fundamental matrix; none where there is no such matrix."""
    kept = np.zeros(len(matches.plate), bool)
    if len(kept) >= _FEWEST:
        settings = magsac_settings(scale_pixels(_EPIPOLAR_PX, source_size))
        try:
            _, mask = cv2.findFundamentalMat(matches.plate, matches.source, settings)
        except cv2.error:  # what OpenCV makes of matches whose every sample is degenerate
            mask = None
        kept = kept if mask is None else mask.ravel().astype(bool)
    return Matches(matches.plate[kept], matches.source[kept])


def _planes(rigid: Matches, planar: HomographyEstimate, source_size: Size) -> list[np.ndarray]:
    """Homographies to choose from: of the plane that most matches lie on, and of the next one."""
    off = reprojection_errors(planar.matrix, rigid) > scale_pixels(INLIER_PX, source_size)
    second = fit_plane(Matches(rigid.plate[off], rigid.source[off]), source_size)
    return [planar.matrix] if second is None else [planar.matrix, second.matrix]


def _distance(matrix: np.ndarray, matches: Matches, source_size: Size) -> float:
    """Mean distance of matches from where a matrix puts them, every cell of the grid counting alike."""
    errors = np.minimum(reprojection_errors(matrix, matches), _FAR * max(source_size))
    cells = grid_cells(matches.source, source_size)
    counts = np.bincount(cells)
    return float((np.bincount(cells, errors)[counts > 0] / counts[counts > 0]).mean())
