"""What is not the person although it is not the screen either: the set beside it, markers on it, specks."""

import cv2
import numpy as np

# The set's edges are mostly upright or level; a slanted side may be a shoulder in a corner, unless it is long.
_SIDE_SHARE, _SLANTED_SHARE, _SLANT = 0.06, 0.25, 0.3
_SUPPORTED = 0.4
_INWARD = 0.008
_LEAST_SHARE = 0.06
_LEAST_PERSON = 0.003
_LEAST_INSIDE = 0.3
_LARGE_SCREEN = 0.1


def screen_area(is_screen: np.ndarray) -> np.ndarray:
    """The convex part of the picture that the screen fills, person included, from its pixels (H, W): a mask, bool.

    Of the convex hull only those sides count along which there is screen: the others are where a person hides its
    corner. All of the picture where there is no screen.
    """
    height, width = is_screen.shape
    large = _large(is_screen)
    area = np.ones((height, width), np.uint8)
    points = cv2.findNonZero(large.astype(np.uint8))
    if points is None:
        return area > 0
    hull = cv2.approxPolyDP(cv2.convexHull(points), 0.01 * min(height, width), True)[:, 0].astype(np.float64)
    middle = hull.mean(axis=0)
    y, x = np.mgrid[:height, :width]
    reach = max(2.0, 0.012 * min(height, width))
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        along = end - start
        length = np.hypot(*along)
        least = _SLANTED_SHARE if np.abs(along).min() > _SLANT * length else _SIDE_SHARE
        if length < least * (height + width) or _on_border(start, end, width, height, reach):
            continue
        normal = np.array((-along[1], along[0])) / length
        normal *= np.sign(normal @ (middle - start))
        if _support(large, start, end, normal, reach) > _SUPPORTED:
            inside = (x - start[0]) * normal[0] + (y - start[1]) * normal[1]
            area[inside < _INWARD * min(height, width)] = 0
    return area > 0


def without_islands(alpha: np.ndarray, core: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Keep of alpha (H, W) what lies in ``area`` and hangs together with enough core there to be a person.

    ``core`` and ``area`` are (H, W) bool. A piece most of which is outside the area is the set's.
    """
    height, width = alpha.shape
    gap = max(3, 2 * round(0.004 * min(height, width)) + 1)
    joined = cv2.dilate(((alpha > 0.1) | core).astype(np.uint8), np.ones((gap, gap), np.uint8))
    count, labels, _, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    numbers = labels.astype(np.intp)
    whole = np.bincount(numbers[core], minlength=count)
    inside = np.bincount(numbers[core & area], minlength=count)
    kept = (inside >= max(_LEAST_SHARE * inside.max(), _LEAST_PERSON * alpha.size)) & (inside > 0)
    kept &= inside >= _LEAST_INSIDE * whole
    return np.where(area & kept[numbers], alpha, 0)


def _large(is_screen: np.ndarray) -> np.ndarray:
    """Without the pieces that are small beside the largest."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(is_screen.astype(np.uint8), connectivity=8)
    areas = statistics[:count, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return ((areas > 0) & (areas >= _LARGE_SCREEN * areas.max()))[labels]


def _on_border(start: np.ndarray, end: np.ndarray, width: int, height: int, reach: float) -> bool:
    """Whether a side of the hull runs along the picture's own border."""
    return any(
        max(abs(start[axis] - limit), abs(end[axis] - limit)) <= reach
        for axis, size in ((0, width), (1, height))
        for limit in (0, size - 1)
    )


def _support(large: np.ndarray, start: np.ndarray, end: np.ndarray, normal: np.ndarray, reach: float) -> float:
    """The share of a side along which there is screen within twice the reach."""
    height, width = large.shape
    steps = np.linspace(0, 1, 64)[:, None]
    found = np.zeros(64, bool)
    for depth in np.linspace(-reach, 2 * reach, 7):
        points = np.rint(start + steps * (end - start) + depth * normal).astype(int)
        found |= large[points[:, 1].clip(0, height - 1), points[:, 0].clip(0, width - 1)]
    return float(found.mean())
