"""What is not the person although it is not the screen either: the set beside it, markers on it, specks."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

# The set's edges are mostly upright or level; a slanted side may be a shoulder in a corner, unless it is long.
_SIDE_SHARE, _SLANTED_SHARE, _SLANT = 0.06, 0.25, 0.3  # of height + width, twice; sine of the angle
# Between two people, say, a short side shows a skirting board along the picture's border, at most so far from it.
_SHORT_SHARE, _LEDGE = 0.02, 0.05  # of height + width; of the shorter side of the picture
_SUPPORTED = 0.4  # of a side: with screen along it
# Of the shorter side of the picture: how near is along, corners of the hull that do not count, and by how much the
# area is drawn in.
_REACH, _CORNER, _INWARD = 0.012, 0.01, 0.008
_SEEN = 0.1  # alpha from which something is there
_LEAST_SHARE = 0.06  # of the largest piece
_LEAST_PERSON = 0.003  # of the picture
_LEAST_INSIDE = 0.3  # of a piece
_LARGE_SCREEN = 0.1  # of the largest piece of screen
# People are shaded and of many colours; walls and cupboards are not. Range of 90 % of a piece's opponent values, and
# the share of the largest piece below which that counts: somebody leaving the picture may show no more than a sleeve.
_FLAT, _SIDE_PIECE = 0.13, 0.4


class _Side(NamedTuple):
    """A side of the screen's hull, (2,) each, in pixels; ``normal`` has length 1 and points into the hull."""

    start: np.ndarray
    end: np.ndarray
    normal: np.ndarray

    @property
    def length(self) -> float:
        return float(np.hypot(*(self.end - self.start)))

    @property
    def is_slanted(self) -> bool:
        return float(np.abs(self.normal).min()) > _SLANT

    def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """How far points, ``x`` and ``y`` of one shape, are inside, in pixels."""
        return (x - self.start[0]) * self.normal[0] + (y - self.start[1]) * self.normal[1]

    def is_beside(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Whether the feet of the perpendiculars through points are between the ends, bool."""
        along = (self.end - self.start) / self.length
        place = (x - self.start[0]) * along[0] + (y - self.start[1]) * along[1]
        return (place >= 0) & (place <= self.length)


def screen_area(is_screen: np.ndarray) -> np.ndarray:
    """The convex part of the picture that the screen fills, person included, from its pixels (H, W): a mask, bool.

    Of the convex hull only those sides count along which there is screen: the others are where a person hides its
    corner. All of the picture where there is no screen.
    """
    height, width = is_screen.shape
    large = _large(is_screen)
    area = np.ones((height, width), bool)
    y, x = np.mgrid[:height, :width]
    reach = max(2.0, _REACH * min(height, width))
    ledge = _LEDGE * min(height, width)
    for side in _sides(large):
        share = side.length / (height + width)
        is_long = share >= (_SLANTED_SHARE if side.is_slanted else _SIDE_SHARE)
        is_ledge = share >= _SHORT_SHARE and not side.is_slanted and _runs_along_border(side, area.shape, ledge)
        if not (is_long or is_ledge) or _runs_along_border(side, area.shape, reach):
            continue
        if _support(large, side, reach) > _SUPPORTED:
            beyond = side.depth(x, y) < _INWARD * min(height, width)
            # Of people to the left and right of a short side it says nothing.
            area &= ~(beyond if is_long else beyond & side.is_beside(x, y))
    return area


def _sides(large: np.ndarray) -> Iterator[_Side]:
    """Sides of the convex hull of a mask (H, W) bool, small corners cut; none of an empty one or a line."""
    points = cv2.findNonZero(large.astype(np.uint8))
    if points is None:
        return
    hull = cv2.approxPolyDP(cv2.convexHull(points), _CORNER * min(large.shape), True)[:, 0].astype(np.float64)
    if len(hull) < 3:
        return
    middle = hull.mean(axis=0)
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        along = end - start
        normal = np.array((-along[1], along[0])) / np.hypot(*along)
        yield _Side(start, end, normal * np.sign(normal @ (middle - start)))


def without_islands(alpha: np.ndarray, core: np.ndarray, area: np.ndarray, opponent: np.ndarray) -> np.ndarray:
    """Keep of alpha (H, W) what lies in ``area`` and hangs together with enough core there to be a person.

    ``core`` and ``area`` are (H, W) bool, ``opponent`` (H, W, 3) the picture's luma and colour differences. A piece
    most of which is outside the area is the set's, and so is a smaller piece inside that is of a single flat colour.
    """
    seen = (alpha > _SEEN) | core
    count, labels = _pieces(seen)
    whole = np.bincount(labels[core], minlength=count)
    inside = np.bincount(labels[core & area], minlength=count)
    persons = area & (_large_enough(inside, alpha.size) & (inside >= _LEAST_INSIDE * whole))[labels]
    # Beyond the area what is apart inside may hang together.
    count, labels = _pieces(seen & persons)
    inside = np.bincount(labels[core & persons], minlength=count)
    kept = _large_enough(inside, alpha.size)
    for piece in np.flatnonzero(kept & (inside < _SIDE_PIECE * inside.max())):
        kept[piece] = not _is_flat(opponent[core & (labels == piece)])
    return np.where(persons & kept[labels], alpha, 0)


def _large_enough(sizes: np.ndarray, picture: int) -> np.ndarray:
    """Which pieces, of so many core pixels each, (N,), could be a person in a picture of so many, bool."""
    return sizes >= max(_LEAST_SHARE * sizes.max(), _LEAST_PERSON * picture)


def _is_flat(opponent: np.ndarray) -> bool:
    """Whether opponent values (N, 3) are one colour, but for a few."""
    low, high = np.percentile(opponent, (5, 95), axis=0)
    return bool((high - low).max() < _FLAT)


def _pieces(seen: np.ndarray) -> tuple[int, np.ndarray]:
    """How many pieces a mask (H, W) bool has, across narrow gaps, and which each pixel is of, (H, W); 0 is of none."""
    gap = max(3, 2 * round(0.004 * min(seen.shape)) + 1)
    joined = cv2.dilate(seen.astype(np.uint8), np.ones((gap, gap), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    return count, labels.astype(np.intp)


def _large(is_screen: np.ndarray) -> np.ndarray:
    """Without the pieces that are small beside the largest."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(is_screen.astype(np.uint8), connectivity=8)
    areas = statistics[:count, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return ((areas > 0) & (areas >= _LARGE_SCREEN * areas.max()))[labels]


def _runs_along_border(side: _Side, shape: tuple[int, ...], reach: float) -> bool:
    """Whether a side runs along the border of a picture of shape (H, W), at most ``reach`` pixels from it."""
    return any(
        max(abs(side.start[axis] - limit), abs(side.end[axis] - limit)) <= reach
        for axis, size in enumerate(shape[::-1])
        for limit in (0, size - 1)
    )


def _support(large: np.ndarray, side: _Side, reach: float) -> float:
    """The share of a side along which there is screen within twice the reach."""
    height, width = large.shape
    steps = np.linspace(0, 1, 64)[:, None]
    found = np.zeros(64, bool)
    for depth in np.linspace(-reach, 2 * reach, 7):
        points = np.rint(side.start + steps * (side.end - side.start) + depth * side.normal).astype(int)
        found |= large[points[:, 1].clip(0, height - 1), points[:, 0].clip(0, width - 1)]
    return float(found.mean())
