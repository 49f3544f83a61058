"""Strands of hair as smooth curves with roots inside the hair outline."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.hair_outline import HairOutline
from howard.synthesis.hair_styles import HairStyle
from howard.synthesis.random_sampling import Generator, truncated_normal

# Head radius in pixels for which densities are given; larger heads have as many strands, of larger width.
_REFERENCE_RADIUS = 40.0
_MAX_STRANDS = 6000
# Joints of a strand: a minimum, additional ones for each turn of a coil, and a maximum.
_MIN_JOINTS = 14
_JOINTS_PER_TURN = 7
_MAX_JOINTS = 48


class Strands(NamedTuple):
    """Curves: ``joints`` (count, J, 2), (x, y) in pixels from root to tip; ``root`` (count,) indexes the outline."""

    joints: np.ndarray
    root: np.ndarray


def sample_strands(outline: HairOutline, style: HairStyle, rng: Generator) -> Strands:
    """Sample strands of a style along an outline; the strands of a lock follow one guide curve."""
    radius = outline.radius
    per_pixel = style.density * _REFERENCE_RADIUS / radius
    count = min(int(len(outline.points) * per_pixel) + 1, _MAX_STRANDS)
    guides = max(1, int(count / style.lock))
    root = rng.integers(len(outline.points), size=guides)
    owner = rng.integers(guides, size=count)
    joints = min(_MIN_JOINTS + int(_JOINTS_PER_TURN * style.turns * style.length), _MAX_JOINTS)
    fraction = np.linspace(0, 1, joints)
    length = radius * style.length * rng.random(guides) ** style.shortness
    length = length[owner] * rng.uniform(0.75, 1.0, count)
    # Strands of a lock begin side by side.
    steps = np.round(truncated_normal(rng, count) * 0.08 * radius).astype(int)
    start = _nearest_on_contour(outline.points, root[owner], steps, 0.4 * radius)
    origin = outline.points[start] - rng.uniform(0, style.depth, (count, 1)) * radius * outline.outwards[start]
    path = _guide_paths(outline, style, root, joints, rng)[owner] * length[:, None, None]
    gap = outline.points[root[owner]] - outline.points[start]
    path = path + style.clump * fraction[None, :, None] * gap[:, None]
    path = path + _coils(path, style, radius, length, owner, guides, rng)
    stray = 0.04 * radius * truncated_normal(rng, 2 * count).reshape(count, 1, 2) * (fraction**2)[None, :, None]
    return Strands(origin[:, None] + path + stray, start)


def _nearest_on_contour(points: np.ndarray, root: np.ndarray, step: np.ndarray, max_distance: float) -> np.ndarray:
    """Indices of the points ``step`` further along the contour, or the root where that is beyond ``max_distance``."""
    moved = (root + step) % len(points)
    is_near = np.hypot(*(points[moved] - points[root]).T) < max_distance
    return np.where(is_near, moved, root)


def _guide_paths(outline: HairOutline, style: HairStyle, root: np.ndarray, joints: int, rng: Generator) -> np.ndarray:
    """Guide curves of unit length from the origin, (guides, joints, 2)."""
    outwards = outline.outwards[root]
    along = np.stack([-outwards[:, 1], outwards[:, 0]], axis=1)
    # Hair lies downwards along the outline; on top of the head to either side.
    sign = np.where(along[:, 1] + 0.3 * truncated_normal(rng, len(root)) >= 0, 1.0, -1.0)[:, None]
    lift = (style.lift + style.spread * truncated_normal(rng, len(root)))[:, None]
    tangent = np.sin(lift) * outwards + np.cos(lift) * sign * along
    angle = np.arctan2(tangent[:, 1], tangent[:, 0])[:, None]
    fraction = np.linspace(0, 1, joints - 1)[None]
    bend, turn = (style.bend * style.length * truncated_normal(rng, len(root))[:, None] for _ in range(2))
    angle = angle + bend * fraction + turn * np.sin(np.pi * fraction) / 2
    pull = style.length * fraction[..., None] * np.array([style.wind, style.weight])
    tangent = np.stack([np.cos(angle), np.sin(angle)], axis=-1) + pull
    tangent = tangent / np.linalg.norm(tangent, axis=-1, keepdims=True).clip(1e-6)
    path = np.cumsum(tangent, axis=1) / (joints - 1)
    return np.concatenate([np.zeros((len(root), 1, 2)), path], axis=1)


def _coils(
    path: np.ndarray,
    style: HairStyle,
    radius: float,
    length: np.ndarray,
    owner: np.ndarray,
    guides: int,
    rng: Generator,
) -> np.ndarray:
    """Offsets of a helix, projected from the side, around each curve: (count, joints, 2).

    The strands of a lock have similar phases.
    """
    tangent = np.gradient(path, axis=1)
    tangent = tangent / np.linalg.norm(tangent, axis=2, keepdims=True).clip(1e-6)
    across = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
    count, joints = path.shape[:2]
    fraction = np.linspace(0, 1, joints)[None]
    loose = 1 - style.clump / 2
    phase = rng.uniform(0, 2 * np.pi, guides)[owner] + loose * np.pi * rng.uniform(-1, 1, count)
    turns = style.turns * rng.uniform(0.8, 1.25, guides)[owner] * length / radius
    angle = phase[:, None] + 2 * np.pi * turns[:, None] * fraction
    grown = (style.coil * radius * rng.uniform(0.6, 1.3, count))[:, None] * np.minimum(1, 4 * fraction)
    sideways, forward = (np.sin(angle) - np.sin(phase)[:, None]), 0.7 * (np.cos(angle) - np.cos(phase)[:, None])
    return grown[..., None] * (sideways[..., None] * across + forward[..., None] * tangent)
