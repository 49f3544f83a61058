"""Garbage matte: removes what is neither screen nor person, such as the studio beside the screen, and specks."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

# Least length of a side of the screen's hull, as a fraction of frame height + width, to limit the screen area.
_MIN_SIDE = 0.06
# The same for a slanted side: screens have mostly upright and level sides, a slanted one may be a shoulder in a corner.
_MIN_SLANTED_SIDE = 0.25
# Sine of the angle to the image axes from which a side is slanted.
_SLANT = 0.3
# The same for a short side near the frame's border, such as a skirting board visible between two people.
_MIN_LEDGE = 0.02
# Largest distance of such a side from the border, as a fraction of the shorter side of the frame.
_LEDGE_DISTANCE = 0.05
# Least fraction of a side that has screen along it.
_MIN_SUPPORT = 0.4
# Fractions of the shorter side of the frame: the distance that counts as "along" a side, the tolerance with which the
# hull is simplified, and the distance by which the screen area is shrunk.
_MAX_SIDE_DISTANCE = 0.012
_HULL_TOLERANCE = 0.01
_SHRINK = 0.008
# Alpha above which a pixel is not empty.
_VISIBLE = 0.1
# Least size of a component in known foreground pixels: as a fraction of the largest component, and of the frame.
_MIN_COMPONENT_FRACTION = 0.06
_MIN_PERSON_FRACTION = 0.003
# Least fraction of a component's known foreground that must be inside the screen area.
_MIN_INSIDE = 0.3
# Least size of a screen component as a fraction of the largest one.
_MIN_SCREEN_FRACTION = 0.1
# Range that 90 % of a component's opponent values must exceed: people are shaded and have many colours, walls and
# cupboards do not.
_MIN_COLOUR_RANGE = 0.13
# That applies to components smaller than this fraction of the largest one: of a person who leaves the frame, no more
# than a sleeve of one colour may be visible.
_SMALL_COMPONENT = 0.4


class _Side(NamedTuple):
    """A side of the screen's convex hull: (2,) points in pixels; ``normal`` has length 1 and points into the hull."""

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
        """Signed distance in pixels of points (``x`` and ``y`` of one shape) from the side, positive inside."""
        return (x - self.start[0]) * self.normal[0] + (y - self.start[1]) * self.normal[1]

    def spans(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Whether points project onto the side between its ends, bool."""
        along = (self.end - self.start) / self.length
        place = (x - self.start[0]) * along[0] + (y - self.start[1]) * along[1]
        return (place >= 0) & (place <= self.length)


def find_screen_area(is_screen: np.ndarray) -> np.ndarray:
    """The convex area that the screen fills, the person in front of it included: (H, W) bool, from its pixels (H, W).

    Only those sides of the convex hull limit it that have screen along them: other sides are where a person hides a
    corner of the screen. Everything is inside if there is no screen.
    """
    height, width = is_screen.shape
    large = _large_components(is_screen)
    area = np.ones((height, width), bool)
    y, x = np.mgrid[:height, :width]
    distance = max(2.0, _MAX_SIDE_DISTANCE * min(height, width))
    ledge_distance = _LEDGE_DISTANCE * min(height, width)
    for side in _hull_sides(large):
        fraction = side.length / (height + width)
        is_long = fraction >= (_MIN_SLANTED_SIDE if side.is_slanted else _MIN_SIDE)
        is_ledge = fraction >= _MIN_LEDGE and not side.is_slanted and _is_along_border(side, area.shape, ledge_distance)
        if not (is_long or is_ledge) or _is_along_border(side, area.shape, distance):
            continue
        if _support(large, side, distance) > _MIN_SUPPORT:
            outside = side.depth(x, y) < _SHRINK * min(height, width)
            # A short side does not limit the area to its left and right, where people may stand.
            area &= ~(outside if is_long else outside & side.spans(x, y))
    return area


def _hull_sides(large: np.ndarray) -> Iterator[_Side]:
    """Sides of the simplified convex hull of a mask (H, W) bool; none if it is empty or a line."""
    points = cv2.findNonZero(large.astype(np.uint8))
    if points is None:
        return
    hull = cv2.approxPolyDP(cv2.convexHull(points), _HULL_TOLERANCE * min(large.shape), True)[:, 0].astype(np.float64)
    if len(hull) < 3:
        return
    middle = hull.mean(axis=0)
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        along = end - start
        normal = np.array((-along[1], along[0])) / np.hypot(*along)
        yield _Side(start, end, normal * np.sign(normal @ (middle - start)))


def remove_islands(alpha: np.ndarray, foreground: np.ndarray, area: np.ndarray, opponent: np.ndarray) -> np.ndarray:
    """Alpha (H, W) without components that are not people: too small, mostly outside ``area``, or small and flat.

    ``foreground`` (known foreground) and ``area`` are (H, W) bool; ``opponent`` is the frame in opponent colour,
    (H, W, 3). A component that is mostly outside the area belongs to the studio; so does a smaller one inside that has
    a single flat colour.
    """
    seen = (alpha > _VISIBLE) | foreground
    count, labels = _components(seen)
    whole = np.bincount(labels[foreground], minlength=count)
    inside = np.bincount(labels[foreground & area], minlength=count)
    people = area & (_is_large_enough(inside, alpha.size) & (inside >= _MIN_INSIDE * whole))[labels]
    # Parts that are separate inside the area may be connected outside it.
    count, labels = _components(seen & people)
    inside = np.bincount(labels[foreground & people], minlength=count)
    kept = _is_large_enough(inside, alpha.size)
    for component in np.flatnonzero(kept & (inside < _SMALL_COMPONENT * inside.max())):
        kept[component] = not _is_flat(opponent[foreground & (labels == component)])
    return np.where(people & kept[labels], alpha, 0)


def _is_large_enough(sizes: np.ndarray, frame_size: int) -> np.ndarray:
    """Which components, by number of known foreground pixels (N,), could be a person in a frame of ``frame_size``."""
    return sizes >= max(_MIN_COMPONENT_FRACTION * sizes.max(), _MIN_PERSON_FRACTION * frame_size)


def _is_flat(opponent: np.ndarray) -> bool:
    """Whether opponent values (N, 3) are a single colour, ignoring 10 % outliers."""
    low, high = np.percentile(opponent, (5, 95), axis=0)
    return bool((high - low).max() < _MIN_COLOUR_RANGE)


def _components(mask: np.ndarray) -> tuple[int, np.ndarray]:
    """Connected components of a mask (H, W) bool, joined across narrow gaps: their count, and labels (H, W) from 0."""
    gap = max(3, 2 * round(0.004 * min(mask.shape)) + 1)
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((gap, gap), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    return count, labels.astype(np.intp)


def _large_components(is_screen: np.ndarray) -> np.ndarray:
    """The mask without components that are small compared with the largest."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(is_screen.astype(np.uint8), connectivity=8)
    areas = statistics[:count, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return ((areas > 0) & (areas >= _MIN_SCREEN_FRACTION * areas.max()))[labels]


def _is_along_border(side: _Side, shape: tuple[int, ...], distance: float) -> bool:
    """Whether a side is nowhere further than ``distance`` pixels from one border of a frame of shape (H, W)."""
    return any(
        max(abs(side.start[axis] - limit), abs(side.end[axis] - limit)) <= distance
        for axis, size in enumerate(shape[::-1])
        for limit in (0, size - 1)
    )


def _support(large: np.ndarray, side: _Side, distance: float) -> float:
    """The fraction of a side with screen pixels at most ``distance`` outside and ``2 * distance`` inside of it."""
    height, width = large.shape
    steps = np.linspace(0, 1, 64)[:, None]
    found = np.zeros(64, bool)
    for depth in np.linspace(-distance, 2 * distance, 7):
        points = np.rint(side.start + steps * (side.end - side.start) + depth * side.normal).astype(int)
        found |= large[points[:, 1].clip(0, height - 1), points[:, 0].clip(0, width - 1)]
    return float(found.mean())
