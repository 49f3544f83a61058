"""The outline of a person's hair: points with outward normals and the local hair colour."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvas_compositing import decode_srgb
from howard.synthesis.placement import Head, Person, find_head

# Hair area below which a person counts as without hair, as a fraction of the area of the head circle.
_BALD_AREA = 0.12
# Largest distance from the hair mask of silhouette points that belong to the hair, in head radii.
_DILATION = 0.18
# Standard deviation of the Gaussian whose gradient gives the outward normals, in head radii.
_NORMAL_SCALE = 0.12
# Side of the window over which the hair colour is averaged, in head radii.
_COLOUR_WINDOW = 0.5
# Smallest number of outline pixels that strands are grown from.
_MIN_POINTS = 12
# Without a hair mask, the head circle above this height over its centre counts as hair, in head radii.
_CROWN_HEIGHT = 0.45


class HairOutline(NamedTuple):
    """The outline of a person's hair: n points in contour order.

    ``points`` (n, 2) are (x, y) in pixels, ``outwards`` (n, 2) unit normals away from the person, ``colours`` (n, 3)
    the hair colour near each point in linear light. ``radius`` is the head radius in pixels. ``near`` (h, w) bool is
    where the person's edge belongs to the hair, within the part of the image that ``box`` (rows, columns) selects.
    """

    points: np.ndarray
    outwards: np.ndarray
    colours: np.ndarray
    radius: float
    near: np.ndarray
    box: tuple[slice, slice]


def find_hair_outline(person: Person, hair_mask: np.ndarray | None, lowest: float) -> HairOutline | None:
    """Find the outline of a person's hair; None if there is no hair or the image cuts it off at the top.

    Args:
        person: of any size.
        hair_mask: (h, w) uint8 in [0, 255] over the whole image, at any resolution; None uses the outline of the head.
        lowest: without a mask, how far below the head centre the outline extends, in head radii.
    """
    solid = person.alpha > 127
    if not solid.any() or solid[:2].any():
        return None
    head = find_head(person.alpha)
    if hair_mask is None:
        if head is None:
            return None
        radius, (x, y) = head.radius, head.centre
        box = _surroundings(x - radius, y - radius, x + radius, y + radius, radius)
        hair, near = _guess_region(solid, head, lowest, box)
    else:
        mask = cv2.resize(hair_mask, solid.shape[::-1], interpolation=cv2.INTER_LINEAR)
        hair = (mask > 127) & solid
        rows, columns = (np.flatnonzero(hair.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return None
        radius = _head_radius(hair, head)
        if hair.sum() < _BALD_AREA * np.pi * radius**2:
            return None
        box = _surroundings(columns[0], rows[0], columns[-1], rows[-1], radius)
        hair = hair[box]
        near = _dilate(hair, 1 + _DILATION * radius)
    return _trace(person.foreground[box], solid[box], hair, near, radius, box)


def _trace(
    foreground: np.ndarray,
    solid: np.ndarray,
    hair: np.ndarray,
    near: np.ndarray,
    radius: float,
    box: tuple[slice, slice],
) -> HairOutline | None:
    """Trace the outline within ``box``; all arrays are already cropped to it."""
    height, width = solid.shape
    contours, _ = cv2.findContours(solid.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    points = np.concatenate(contours)[:, 0]
    x, y = points.T
    inside = near[y, x] & (x > 1) & (x < width - 2) & (y < height - 2)
    if inside.sum() < _MIN_POINTS:
        return None
    x, y = points[inside].T
    smooth = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), max(1.0, _NORMAL_SCALE * radius))
    outwards = -np.stack([cv2.Sobel(smooth, cv2.CV_32F, *axis)[y, x] for axis in ((1, 0), (0, 1))], axis=1)
    outwards = outwards / np.linalg.norm(outwards, axis=1, keepdims=True).clip(1e-6)
    colours = _local_colours(foreground, hair, radius)[y, x]
    corner = np.array([box[1].start, box[0].start])
    return HairOutline((points[inside] + corner).astype(np.float64), outwards, colours, radius, near, box)


def _surroundings(left: float, top: float, right: float, bottom: float, margin: float) -> tuple[slice, slice]:
    """Row and column slices of a rectangle with a margin."""
    columns, rows = (
        (max(0, int(low - margin)), int(high + margin) + 1) for low, high in ((left, right), (top, bottom))
    )
    return slice(*rows), slice(*columns)


def _guess_region(
    solid: np.ndarray, head: Head, lowest: float, box: tuple[slice, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Without a hair mask: masks of the top of the head, as hair, and of the surroundings of the head, in the box."""
    solid = solid[box]
    rows, columns = np.ogrid[: solid.shape[0], : solid.shape[1]]
    x = (columns + box[1].start - head.centre[0]) / head.radius
    y = (rows + box[0].start - head.centre[1]) / head.radius
    distance = np.hypot(x, y)
    return solid & (distance < 1) & (y < -_CROWN_HEIGHT), (distance < 2) & (y < lowest)


def _head_radius(hair: np.ndarray, head: Head | None) -> float:
    """The head radius in pixels, estimated by the extent of the hair if the silhouette shows no head."""
    width = float(hair.any(axis=0).sum())
    by_hair = min(np.sqrt(hair.sum() / np.pi), width / 2)
    return by_hair if head is None else min(head.radius, max(width, head.radius / 2))


def _local_colours(foreground: np.ndarray, hair: np.ndarray, radius: float) -> np.ndarray:
    """Mean hair colour around each pixel, (h, w, 3) float32 in linear light; far from the hair, the overall mean."""
    side = 2 * int(_COLOUR_WINDOW * radius / 2) + 1
    weight = hair.astype(np.float32)
    light = decode_srgb(foreground) * weight[..., None]
    overall = light.sum(axis=(0, 1)) / max(weight.sum(), 1)
    return (cv2.blur(light, (side, side)) + 1e-3 * overall) / (cv2.blur(weight, (side, side))[..., None] + 1e-3)


def _dilate(mask: np.ndarray, radius: float) -> np.ndarray:
    side = 2 * round(radius) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
