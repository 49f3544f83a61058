"""Objects cut out of photographs of places: a region of similar colour where there is one, else a smooth outline."""

import cv2
import numpy as np

from howard.synthesis.dice import Generator
from howard.synthesis.materials import sample_piece

# A region grown from a seed must cover so much of the piece, else the outline is made up.
_AREA = (0.12, 0.6)
# Difference between neighbours up to which a region grows, in sRGB levels.
_TOLERANCE = (2, 8)
_WORKING_PX = 96
_HARMONICS = 6


def sample_segment(picture: np.ndarray, longest: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """A piece of a picture (H, W, 3) uint8 with an outline.

    Returns:
        Premultiplied colour (h, w, 3) in [0, 255] and alpha (h, w) in [0, 1], float32, the long side ``longest``.
    """
    aspect = rng.uniform(0.5, 1.0)
    short = max(4, int(aspect * longest))
    size = (longest, short) if rng.random() < 0.5 else (short, longest)
    piece = sample_piece(picture, size, rng)
    alpha = _grow_region(piece, rng) if rng.random() < 0.5 else None
    alpha = _blob(size, rng) if alpha is None else alpha
    return piece * alpha[..., None], alpha


def _grow_region(piece: np.ndarray, rng: Generator) -> np.ndarray | None:
    """The filled region about a random seed, smoothed, (h, w) float32; None where it is too small or too large."""
    height, width = piece.shape[:2]
    scale = _WORKING_PX / max(height, width)
    small = cv2.resize(piece, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(small, 5)
    rows, columns = small.shape[:2]
    mask = np.zeros((rows + 2, columns + 2), np.uint8)
    seed = (int(columns * rng.uniform(0.3, 0.7)), int(rows * rng.uniform(0.3, 0.7)))
    tolerance = (float(rng.uniform(*_TOLERANCE)),) * 3
    cv2.floodFill(small, mask, seed, 0, tolerance, tolerance, 4 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY)
    region = mask[1:-1, 1:-1]
    region[[0, -1]], region[:, [0, -1]] = 0, 0  # an object ends within its picture
    outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    filled = np.zeros_like(region)
    cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 255, -1)
    if not _AREA[0] < filled.mean() / 255 < _AREA[1]:
        return None
    smooth = cv2.GaussianBlur(filled, (0, 0), 1.5)
    large = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32) / np.float32(255)
    sharpness = max(1.0, 1.5 / scale)
    return ((large - np.float32(0.5)) * np.float32(sharpness * 2) + np.float32(0.5)).clip(0, 1)


def _blob(size: tuple[int, int], rng: Generator) -> np.ndarray:
    """A smooth random outline that fills the size, (h, w) float32 in [0, 1]."""
    height, width = size
    angles = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    orders = np.arange(2, 2 + _HARMONICS)[:, None]
    weights = rng.uniform(-1, 1, (_HARMONICS, 1)) * rng.uniform(0.05, 0.5) / orders
    radii = 1 + (weights * np.sin(orders * angles + rng.uniform(0, 2 * np.pi, (_HARMONICS, 1)))).sum(axis=0)
    points = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    points = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    mask = np.zeros((2 * height, 2 * width), np.uint8)
    fixed = np.round((points * (2 * width - 5, 2 * height - 5) + 2) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
