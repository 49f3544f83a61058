"""Two-view geometry: the homography between a plate frame and a source frame, and when to accept it.

With much parallax no plane holds most of the matches, and a homography cannot say whether both pictures show one place.
A fundamental matrix can: it holds for every rigid scene, whatever its depth (Hartley & Zisserman, Multiple View
Geometry, ch. 9). A homography is then only the start of mesh and flow.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import Matches
from howard.align.pictures import Grid, Size, apply_homography, orient_grid, scale_pixels

# Reprojection error of an inlier, in pixels at a long side of 1920; in smaller sources it shrinks, but not below ...
INLIER_PX = 3.0
# ... the least, in pixels of any source: the precision of keypoints.
_LEAST_INLIER_PX = 1.5
# Of landscape sources; upright ones have 5 x 8.
_GRID = Grid(columns=8, rows=5)
# A plate shown at less than a third or more than three times the source's scale was not filmed from the same place.
_AREA_RANGE = (1 / 9, 9.0)
# A plane that holds this fraction of the matches leaves no parallax worth speaking of.
_ONE_PLANE = 0.8
# Seven pairs give a fundamental matrix; with few more anything agrees with one.
_FEWEST = 16
# Distance from an epipolar line, in pixels at a long side of 1920.
_EPIPOLAR_PX = 2.0
# Share of the source's long side: a match this far from where a plane puts it is no worse further off.
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
        """Whether so many inliers, with this ratio to all matches and this fraction of cells, pass."""
        min_coverage = self.clear_grid_coverage if inlier_ratio >= self.clear_inlier_ratio else self.grid_coverage
        return inliers >= self.inliers and inlier_ratio >= self.inlier_ratio and grid_coverage > min_coverage


# Half-blank pictures hold fewer cells; a clear majority of matches makes up for it. Measured: of 378 pairs of different
# rooms, full of the same furniture, none reached 0.26 of the grid, while right ones before a white wall fell to 0.27.
SIFT_TEST = InlierTest(
    inliers=25, inlier_ratio=0.35, grid_coverage=0.32, clear_inlier_ratio=0.6, clear_grid_coverage=0.26
)
# Before a blank wall with one or two things on it the matches agree, but in a few cells. A plate admitted here must
# look right as well, and is never called more than weak: the same picture may hang in another room.
SPARSE_TEST = InlierTest(
    inliers=25, inlier_ratio=0.4, grid_coverage=0.06, clear_inlier_ratio=1.0, clear_grid_coverage=0.06
)
# Measured on rendered rooms, somebody before them: right plates keep at least 0.77 of the matches, in 0.4 of the grid
# unless the walls are blank. Plates of other rooms with the same furniture keep 0.7 at most where they reach 0.35.
RIGID_TEST = InlierTest(
    inliers=40, inlier_ratio=0.75, grid_coverage=0.37, clear_inlier_ratio=1.0, clear_grid_coverage=0.37
)
# On less of the picture so many matches at different depths are the same things, at least. About one pair of other
# rooms in five hundred comes as far, for things that stand in both: such a plate is never called more than weak.
SPARSE_RIGID_TEST = InlierTest(
    inliers=100, inlier_ratio=0.87, grid_coverage=0.29, clear_inlier_ratio=1.0, clear_grid_coverage=0.29
)


class Plane(NamedTuple):
    """``matrix`` (3, 3) float64 maps plate pixels to source pixels; ``inliers`` (N,) bool, the matches that agree."""

    matrix: np.ndarray
    inliers: np.ndarray


class HomographyEstimate(NamedTuple):
    """``matrix`` (3, 3) float64 maps plate pixels to source pixels, pixel centres at integers, y down.

    ``inliers`` and ``inlier_ratio`` count the matches that agree with it (with much parallax, those that agree with one
    fundamental matrix), ``grid_coverage`` is the fraction of the cells of an 8 x 5 grid over the source that hold any,
    ``error_px`` their median reprojection error in source pixels. ``trusted`` is False where these cannot be those of
    two pictures of one place.
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
    """Fit a homography to matches and judge it; None where there is none at all."""
    plane = fit_plane(matches, source_size)
    if plane is None or plane.inliers.sum() < 4:
        return None
    matrix, kept = plane
    error = reprojection_errors(matrix, matches)[kept]
    inliers, ratio, covered = int(kept.sum()), float(kept.mean()), grid_coverage(matches.source[kept], source_size)
    trusted = gate.accepts(inliers, ratio, covered) and is_plausible_homography(matrix, plate_size, source_size)
    return HomographyEstimate(matrix, inliers, ratio, covered, float(np.median(error)), trusted)


def fit_plane(matches: Matches, source_size: Size) -> Plane | None:
    """The homography that most matches agree with, by MAGSAC++ (Barath et al., CVPR 2020); None where there is none."""
    if len(matches.plate) < 4:
        return None
    settings = magsac_settings(max(_LEAST_INLIER_PX, scale_pixels(INLIER_PX, source_size)))
    matrix, mask = cv2.findHomography(matches.plate, matches.source, settings)
    if matrix is None or not np.isfinite(matrix).all():
        return None
    return Plane(matrix, mask.ravel().astype(bool))


def reprojection_errors(matrix: np.ndarray, matches: Matches) -> np.ndarray:
    """How far from their source points a plate -> source matrix puts the plate's: (N,) in source pixels."""
    return np.linalg.norm(apply_homography(matrix, matches.plate) - matches.source, axis=1)


def is_plausible_homography(matrix: np.ndarray, plate_size: Size, source_size: Size) -> bool:
    """Whether a plate -> source homography keeps the plate's outline convex, unmirrored and of a plausible size."""
    right, bottom = plate_size.width - 1.0, plate_size.height - 1.0
    corners = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float64)
    # Behind the camera or on the horizon: the outline would be torn.
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
    # The same matches give the same matrix, in every process.
    settings.randomGeneratorState = 0
    return settings


def grid_cells(points: np.ndarray, size: Size) -> np.ndarray:
    """The cell of a grid of 8 cells along a picture's long side and 5 along the short one that each of (N, 2) points
    lies in: (N,) int from 0."""
    grid = orient_grid(_GRID, size)
    columns = np.clip((points[:, 0] + 0.5) * grid.columns / size.width, 0, grid.columns - 1).astype(int)
    rows = np.clip((points[:, 1] + 0.5) * grid.rows / size.height, 0, grid.rows - 1).astype(int)
    return rows * grid.columns + columns


def grid_coverage(points: np.ndarray, size: Size) -> float:
    """The fraction of the grid's cells that hold any of (N, 2) points."""
    return len(np.unique(grid_cells(points, size))) / (_GRID.columns * _GRID.rows)


class SceneFit(NamedTuple):
    """An ``estimate``, and the ``matches`` to bend the plate by: without those that break the epipolar geometry, where
    that was what decided."""

    estimate: HomographyEstimate
    matches: Matches


def fit_scene(matches: Matches, plate_size: Size, source_size: Size) -> SceneFit | None:
    """The homography between two pictures, trusted if they show the same place; None where there is none at all.

    Where parallax decides, its inliers are the matches that agree with one fundamental matrix.
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
