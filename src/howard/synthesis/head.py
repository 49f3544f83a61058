"""Finding an upright person's head from the silhouette alone."""

from typing import NamedTuple

import cv2
import numpy as np

# Radius in pixels below which a silhouette's top is not taken for a head.
_SMALLEST_HEAD_PX = 8


class Head(NamedTuple):
    """Where a head is in a picture: the centre (x, y) and the radius of the circle that fills it, in pixels."""

    centre: np.ndarray
    radius: float


def find_head(alpha: np.ndarray) -> Head | None:
    """The head of an upright person, (h, w) uint8: the largest circle below the topmost point, or None.

    There is none if the silhouette is empty, begins at the picture's edge, or is but a few pixels wide at its top.
    """
    solid = (alpha > 127).astype(np.uint8)
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows) or rows[0] < 2:
        return None
    top = int(rows[0])
    column = int(np.median(np.flatnonzero(solid[top : top + 3].any(axis=0))))
    depth = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    depth = depth[1 + top : -1, 1 + column]
    # Going down the circle grows until it meets the sides of the head.
    too_deep = np.flatnonzero(depth < 0.85 * np.arange(len(depth)) - 2)
    if not len(too_deep):
        return None
    radius = float(depth[: too_deep[0] + 1].max())
    if radius < _SMALLEST_HEAD_PX:
        return None
    return Head(np.array([column, top + radius], np.float64), radius)
