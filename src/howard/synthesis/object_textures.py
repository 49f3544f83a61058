"""Textures for synthetic objects, and objects that are cut out of photographs.

Textures are parts of photographs, plain colours or patterns, with fine grain. Cut-out objects are regions of similar
colour, or have a random smooth outline.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from howard.synthesis.random_sampling import Generator, log_uniform

# Probabilities of the kinds of texture; photographs have the detail of real places.
_TEXTURE_KINDS = {"photograph": 0.45, "plain": 0.25, "gradient": 0.1, "stripes": 0.12, "mottled": 0.08}
# Largest standard deviation of the grain of patterns, in sRGB levels.
_GRAIN = 2.5
# Limits of the area of a region of similar colour, as a fraction of the patch; outside, a random outline is used.
_REGION_AREA = (0.12, 0.6)
# Difference between neighbouring pixels up to which a region grows, in sRGB levels.
_REGION_TOLERANCE = (2, 8)
# Long side of the image in which regions are grown, in pixels.
_WORKING_PX = 96
# Number of harmonics of a random outline.
_HARMONICS = 6


def sample_texture(pictures: Sequence[np.ndarray], size: tuple[int, int], rng: Generator) -> np.ndarray:
    """Sample a texture, (h, w, 3) float32 sRGB in [0, 255].

    Args:
        pictures: photographs of places, (H, W, 3) uint8, at least one.
        size: height and width of the texture in pixels.
        rng: random generator.
    """
    kind = rng.choice(list(_TEXTURE_KINDS), p=list(_TEXTURE_KINDS.values()))
    picture = pictures[int(rng.integers(len(pictures)))]
    if kind == "photograph":
        return sample_patch(picture, size, rng).astype(np.float32)
    colour, other = _sample_colour(picture, rng), _sample_colour(picture, rng)
    surface = _PATTERNS[kind](colour, other, size, rng)
    return surface + np.float32(_GRAIN * rng.random()) * rng.standard_normal((*size, 1), np.float32)


def sample_patch(picture: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    """Sample a part of a picture at about its own resolution, possibly mirrored: (h, w, 3) uint8."""
    height, width = size
    most = min(picture.shape[0] / height, picture.shape[1] / width)
    scale = min(most, log_uniform((0.7, 2.5), rng))
    high, wide = max(1, int(height * scale)), max(1, int(width * scale))
    top = int(rng.integers(picture.shape[0] - high + 1))
    left = int(rng.integers(picture.shape[1] - wide + 1))
    piece = picture[top : top + high, left : left + wide]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    return cv2.resize(piece, (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC)


def _sample_colour(picture: np.ndarray, rng: Generator) -> np.ndarray:
    """Sample a colour (3,) float32: the mean of a small patch of the picture, or a random one."""
    y, x = (int(rng.integers(max(1, side - 8))) for side in picture.shape[:2])
    colour = picture[y : y + 8, x : x + 8].reshape(-1, 3).mean(axis=0)
    free = 255 * rng.beta(0.8, 1.0) * rng.uniform(0.3, 1.0, 3)
    return (free if rng.random() < 0.4 else colour).astype(np.float32)


def _plain(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    return np.broadcast_to(colour, (*size, 3)).astype(np.float32)


def _gradient(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    fraction = (
        (np.cos(angle) * x + np.sin(angle) * y) % 1.0 if rng.random() < 0.2 else np.cos(angle) * x + np.sin(angle) * y
    )
    fraction = ((fraction - fraction.min()) / max(1e-6, float(np.ptp(fraction))))[..., None].astype(np.float32)
    return colour + fraction * (other - colour)


def _stripes(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    """Stripes or checks, some of them wavy like the grain of wood."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    angle, count = rng.uniform(0, np.pi), log_uniform((3, 20), rng)
    waves = _smooth_noise(size, 4, rng) * rng.choice([0.0, 0.03, 0.15])
    phase = np.cos(angle) * x + np.sin(angle) * y + waves
    sharpness = rng.uniform(1, 8)
    fraction = np.tanh(sharpness * np.sin(2 * np.pi * count * phase))
    if rng.random() < 0.3:
        fraction = fraction * np.tanh(sharpness * np.sin(2 * np.pi * count * (np.cos(angle) * y - np.sin(angle) * x)))
    return colour + np.float32(rng.uniform(0.2, 0.5)) * (1 + fraction[..., None]).astype(np.float32) * (other - colour)


def _mottled(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    fraction = sum(_smooth_noise(size, cells, rng) / octave for octave, cells in enumerate((4, 8, 16, 32), start=1))
    return colour + np.float32(rng.uniform(0.1, 0.4)) * np.asarray(fraction, np.float32)[..., None] * (other - colour)


def _smooth_noise(size: tuple[int, int], cells: int, rng: Generator) -> np.ndarray:
    """Smooth noise of about unit variance, (h, w) float32."""
    knots = rng.standard_normal((cells, cells), np.float32)
    return cv2.resize(knots, size[::-1], interpolation=cv2.INTER_CUBIC)


_PATTERNS = {"plain": _plain, "gradient": _gradient, "stripes": _stripes, "mottled": _mottled}


def sample_segment(picture: np.ndarray, longest: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cut a random object out of a picture (H, W, 3) uint8.

    Returns:
        Premultiplied colour (h, w, 3) in [0, 255] and alpha (h, w) in [0, 1], float32, the long side ``longest``.
    """
    aspect = rng.uniform(0.5, 1.0)
    short = max(4, int(aspect * longest))
    size = (longest, short) if rng.random() < 0.5 else (short, longest)
    piece = sample_patch(picture, size, rng)
    alpha = _grow_region(piece, rng) if rng.random() < 0.5 else None
    alpha = _smooth_outline(size, rng) if alpha is None else alpha
    return piece * alpha[..., None], alpha


def _grow_region(piece: np.ndarray, rng: Generator) -> np.ndarray | None:
    """Grow a region of similar colour from a random seed, filled and smoothed: (h, w) float32.

    None if it is too small or too large.
    """
    height, width = piece.shape[:2]
    scale = _WORKING_PX / max(height, width)
    small = cv2.resize(piece, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(small, 5)
    rows, columns = small.shape[:2]
    mask = np.zeros((rows + 2, columns + 2), np.uint8)
    seed = (int(columns * rng.uniform(0.3, 0.7)), int(rows * rng.uniform(0.3, 0.7)))
    tolerance = (float(rng.uniform(*_REGION_TOLERANCE)),) * 3
    cv2.floodFill(small, mask, seed, 0, tolerance, tolerance, 4 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY)
    region = mask[1:-1, 1:-1]
    region[[0, -1]], region[:, [0, -1]] = 0, 0  # an object ends within its image
    outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    filled = np.zeros_like(region)
    cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 255, -1)
    if not _REGION_AREA[0] < filled.mean() / 255 < _REGION_AREA[1]:
        return None
    smooth = cv2.GaussianBlur(filled, (0, 0), 1.5)
    large = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32) / np.float32(255)
    sharpness = max(1.0, 1.5 / scale)
    return ((large - np.float32(0.5)) * np.float32(sharpness * 2) + np.float32(0.5)).clip(0, 1)


def _smooth_outline(size: tuple[int, int], rng: Generator) -> np.ndarray:
    """Alpha of an object with a smooth random outline that fills the image, (h, w) float32 in [0, 1]."""
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
