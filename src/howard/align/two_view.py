"""Two-view geometry: the homography between a plate frame and a source frame, and when to accept it.

With much parallax no plane contains most of the matches, and a homography cannot decide whether both images show the
same place. A fundamental matrix can, because it holds for rigid scenes of any depth (Hartley & Zisserman, Multiple View
Geometry, ch. 9). The homography is then only the initial value for mesh and flow.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import Matches
from howard.align.pictures import Grid, Size, apply_homography, orient_grid, scale_pixels

# Largest reprojection error of an inlier, in pixels at a long side of 1920; it is scaled with the source, but not below
# ...
INLIER_PX = 3.0
# ... this, in pixels of any source, the precision of keypoints.
_LEAST_INLIER_PX = 1.5
# For landscape sources; portrait ones have 5 x 8.
_GRID = Grid(columns=8, rows=5)
# A plate with less than a third or more than three times the source's scale was not filmed from the same position.
_AREA_RANGE = (1 / 9, 9.0)
# If a plane contains this fraction of the matches, parallax is negligible.
_ONE_PLANE = 0.8
# Seven matches determine a fundamental matrix; with a few more, even wrong matches are consistent with one.
_FEWEST = 16
# Distance from an epipolar line, in pixels at a long side of 1920.
_EPIPOLAR_PX = 2.0
# Upper bound of a match's distance from its position by a plane, as a fraction of the source's long side.
_FAR = 1 / 64


class InlierTest(NamedTuple):
    """Acceptance test of an estimate: least number of ``inliers``, least ratio to all matches, and a fraction of the
    grid's cells that must be exceeded; from ``clear_inlier_ratio`` on, ``clear_grid_coverage`` is enough."""

    inliers: int
    inlier_ratio: float
    grid_coverage: float
    clear_inlier_ratio: float
    clear_grid_coverage: float

    def accepts(self, inliers: int, inlier_ratio: float, grid_coverage: float) -> bool:
        """Whether an estimate with this number of inliers, ratio to all matches and fraction of cells passes."""
        min_coverage = self.clear_grid_coverage if inlier_ratio >= self.clear_inlier_ratio else self.grid_coverage
        return inliers >= self.inliers and inlier_ratio >= self.inlier_ratio and grid_coverage > min_coverage


# In half-blank images fewer cells have matches; a clear majority of inliers compensates for that. Measured: none of 378
# pairs of different rooms with the same furniture reached 0.26 of the grid, while correct pairs in front of a white
# wall had as little as 0.27.
SIFT_TEST = InlierTest(
    inliers=25, inlier_ratio=0.35, grid_coverage=0.32, clear_inlier_ratio=0.6, clear_grid_coverage=0.26
)
# In front of a blank wall with one or two objects the matches are inliers, but in few cells. A plate accepted by this
# test must also resemble the source, and its status is at most weak: the same picture may hang in another room.
SPARSE_TEST = InlierTest(
    inliers=25, inlier_ratio=0.4, grid_coverage=0.06, clear_inlier_ratio=1.0, clear_grid_coverage=0.06
)
# Measured on rendered rooms with a person: for correct plates at least 0.77 of the matches are inliers, in 0.4 of the
# grid unless the walls are blank. For other rooms with the same furniture it is at most 0.7 where they reach 0.35 of
# the grid.
RIGID_TEST = InlierTest(
    inliers=40, inlier_ratio=0.75, grid_coverage=0.37, clear_inlier_ratio=1.0, clear_grid_coverage=0.37
)
# On a smaller area, this many inliers at different depths at least belong to the same objects. About one of five
# hundred pairs of different rooms also passes, because of objects that stand in both: the status of such a plate is at
# most weak.
SPARSE_RIGID_TEST = InlierTest(
    inliers=100, inlier_ratio=0.87, grid_coverage=0.29, clear_inlier_ratio=1.0, clear_grid_coverage=0.29
)


class Plane(NamedTuple):
    """``matrix`` (3, 3) float64 maps plate pixels to source pixels; ``inliers`` (N,) bool marks its inliers."""

    matrix: np.ndarray
    inliers: np.ndarray


class HomographyEstimate(NamedTuple):
    """``matrix`` (3, 3) float64 maps plate pixels to source pixels, pixel centres at integers, y down.

    ``inliers`` is the number of its inliers (with much parallax, of those of a fundamental matrix), ``inlier_ratio``
    their fraction of all matches, ``grid_coverage`` the fraction of the cells of an 8 x 5 grid over the source that
    contain any, and ``error_px`` their median reprojection error in source pixels. ``trusted`` is False if the images
    probably do not show the same place.
    """

    matrix: np.ndarray
    inliers: int
    inlier_ratio: float
    grid_coverage: float
    error_px: float
    trusted: bool


def estimate_homography(
    matches: Matches, plate_size: Size, source_size: Size, gate: InlierTest = SIFT_TEST
) -> HomographyEstimate | None:
    """Fit a homography to matches and test it; None if none can be fitted."""
    plane = fit_plane(matches, source_size)
    if plane is None or plane.inliers.sum() < 4:
        return None
    matrix, kept = plane
    error = reprojection_errors(matrix, matches)[kept]
    inliers, ratio, covered = int(kept.sum()), float(kept.mean()), grid_coverage(matches.source[kept], source_size)
    trusted = gate.accepts(inliers, ratio, covered) and is_plausible_homography(matrix, plate_size, source_size)
    return HomographyEstimate(matrix, inliers, ratio, covered, float(np.median(error)), trusted)


def fit_plane(matches: Matches, source_size: Size) -> Plane | None:
    """Fit a homography robustly by MAGSAC++ (Barath et al., CVPR 2020); None if none can be fitted."""
    if len(matches.plate) < 4:
        return None
    settings = magsac_settings(max(_LEAST_INLIER_PX, scale_pixels(INLIER_PX, source_size)))
    matrix, mask = cv2.findHomography(matches.plate, matches.source, settings)
    if matrix is None or not np.isfinite(matrix).all():
        return None
    return Plane(matrix, mask.ravel().astype(bool))


def reprojection_errors(matrix: np.ndarray, matches: Matches) -> np.ndarray:
    """Distances between the source points and the plate points mapped by ``matrix``: (N,) in source pixels."""
    return np.linalg.norm(apply_homography(matrix, matches.plate) - matches.source, axis=1)


def is_plausible_homography(matrix: np.ndarray, plate_size: Size, source_size: Size) -> bool:
    """Whether a plate -> source homography keeps the plate's outline convex, unmirrored and of a plausible size."""
    right, bottom = plate_size.width - 1.0, plate_size.height - 1.0
    corners = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float64)
    # A corner behind the camera or on the horizon has no position in the image.
    depth = np.c_[corners, np.ones(4)] @ matrix[2]
    if depth.min() * depth.max() <= 0 or abs(depth).min() < 0.2 * abs(depth).max():
        return False
    outline = apply_homography(matrix, corners)
    edges = np.roll(outline, -1, axis=0) - outline
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    if (turns <= 0).any():
        return False
    area = cv2.contourArea(outline.astype(np.float32)) / (source_size.width * source_size.height)
    return _AREA_RANGE[0] < area < _AREA_RANGE[1]


def magsac_settings(threshold: float) -> cv2.UsacParams:
    """MAGSAC++ for errors of about ``threshold`` pixels."""
    settings = cv2.UsacParams()
    settings.score = cv2.SCORE_METHOD_MAGSAC
    settings.loMethod = cv2.LOCAL_OPTIM_SIGMA
    settings.sampler = cv2.SAMPLING_UNIFORM
    settings.threshold = threshold
    settings.confidence = 0.999
    settings.maxIterations = 5000
    settings.loIterations = 10
    settings.loSampleSize = 50
    settings.isParallel = False
    # A fixed seed: the same matches give the same matrix in every process.
    settings.randomGeneratorState = 0
    return settings


def grid_cells(points: np.ndarray, size: Size) -> np.ndarray:
    """The cell index of each of (N, 2) points in a grid with 8 cells along the long side and 5 along the short one:
    (N,) int."""
    grid = orient_grid(_GRID, size)
    columns = np.clip((points[:, 0] + 0.5) * grid.columns / size.width, 0, grid.columns - 1).astype(int)
    rows = np.clip((points[:, 1] + 0.5) * grid.rows / size.height, 0, grid.rows - 1).astype(int)
    return rows * grid.columns + columns


def grid_coverage(points: np.ndarray, size: Size) -> float:
    """The fraction of the grid's cells that contain any of (N, 2) points."""
    return len(np.unique(grid_cells(points, size))) / (_GRID.columns * _GRID.rows)


class SceneFit(NamedTuple):
    """An ``estimate``, and the ``matches`` for fitting the mesh: if the fundamental matrix decided, only those
    consistent with it."""

    estimate: HomographyEstimate
    matches: Matches


def fit_scene(matches: Matches, plate_size: Size, source_size: Size) -> SceneFit | None:
    """The homography between two images, trusted if they show the same place; None if none can be fitted.

    With much parallax its inliers are the matches consistent with a fundamental matrix.
    """
    planar = estimate_homography(matches, plate_size, source_size)
    if planar is None:
        return None
    if planar.trusted and planar.inlier_ratio >= _ONE_PLANE:
        return SceneFit(planar, matches)
    rigid = filter_epipolar(matches, source_size)
    inliers, covered = len(rigid.plate), grid_coverage(rigid.source, source_size)
    ratio = inliers / len(matches.plate)
    planes = [
        matrix
        for matrix in _planes(rigid, planar, source_size)
        if is_plausible_homography(matrix, plate_size, source_size)
    ]
    trusted = RIGID_TEST.accepts(inliers, ratio, covered)
    narrow = not planar.trusted and SPARSE_RIGID_TEST.accepts(inliers, ratio, covered)
    if not planes or not (trusted or narrow):
        return SceneFit(planar, matches)
    best = min(planes, key=lambda matrix: _distance(matrix, rigid, source_size))
    error = float(np.median(reprojection_errors(best, rigid)))
    return SceneFit(HomographyEstimate(best, inliers, ratio, covered, error, trusted), rigid)


def filter_epipolar(matches: Matches, source_size: Size) -> Matches:
    """The matches consistent with a robustly fitted fundamental matrix; none if none can be fitted."""
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
    """Candidate homographies: of the plane with most matches, and of the one with most of the remaining matches."""
    off = reprojection_errors(planar.matrix, rigid) > scale_pixels(INLIER_PX, source_size)
    second = fit_plane(Matches(rigid.plate[off], rigid.source[off]), source_size)
    return [planar.matrix] if second is None else [planar.matrix, second.matrix]


def _distance(matrix: np.ndarray, matches: Matches, source_size: Size) -> float:
    """Mean distance of matches from their positions by a matrix, with the same weight for every cell of the grid."""
    errors = np.minimum(reprojection_errors(matrix, matches), _FAR * max(source_size))
    cells = grid_cells(matches.source, source_size)
    counts = np.bincount(cells)
    return float((np.bincount(cells, errors)[counts > 0] / counts[counts > 0]).mean())
