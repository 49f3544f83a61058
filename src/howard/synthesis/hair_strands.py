"""Strands of hair as smooth curves that begin within the hair's outline."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.dice import Generator, bell
from howard.synthesis.hair_outline import HairOutline
from howard.synthesis.hair_styles import Style

# Head radius, in pixels, that the density of a style is given for: larger heads have as many strands, wider ones.
_REFERENCE_RADIUS = 40.0
_MOST_STRANDS = 6000
# Joints of a strand: at least so many, and so many for each turn of a coil.
_JOINTS = 14
_JOINTS_PER_TURN = 7
_MOST_JOINTS = 48


class Strands(NamedTuple):
    """Curves ``joints`` (count, J, 2), x, y in pixels from root to tip; ``root`` (count,) indexes the outline."""

    joints: np.ndarray
    root: np.ndarray


def grow_strands(outline: HairOutline, style: Style, rng: Generator) -> Strands:
    """Sample strands of a style along an outline; those of a lock follow one guide curve."""
    radius = outline.radius
    per_pixel = style.density * _REFERENCE_RADIUS / radius
    count = min(int(len(outline.points) * per_pixel) + 1, _MOST_STRANDS)
    guides = max(1, int(count / style.lock))
    root = rng.integers(len(outline.points), size=guides)
    owner = rng.integers(guides, size=count)
    joints = min(_JOINTS + int(_JOINTS_PER_TURN * style.turns * style.length), _MOST_JOINTS)
    share = np.linspace(0, 1, joints)
    length = radius * style.length * rng.random(guides) ** style.shortness
    length = length[owner] * rng.uniform(0.75, 1.0, count)
    # Strands of a lock begin side by side.
    beside = np.round(bell(rng, count) * 0.08 * radius).astype(int)
    start = _nearest_on_contour(outline.points, root[owner], beside, 0.4 * radius)
    origin = outline.points[start] - rng.uniform(0, style.depth, (count, 1)) * radius * outline.outwards[start]
    path = _guide_paths(outline, style, root, joints, rng)[owner] * length[:, None, None]
    gap = outline.points[root[owner]] - outline.points[start]
    path = path + style.clump * share[None, :, None] * gap[:, None]
    path = path + _coils(path, style, radius, length, owner, guides, rng)
    stray = 0.04 * radius * bell(rng, 2 * count).reshape(count, 1, 2) * (share**2)[None, :, None]
    return Strands(origin[:, None] + path + stray, start)


def _nearest_on_contour(points: np.ndarray, root: np.ndarray, step: np.ndarray, reach: float) -> np.ndarray:
    """Contour neighbours ``step`` points further, or the root itself where the contour jumps elsewhere."""
    moved = (root + step) % len(points)
    is_near = np.hypot(*(points[moved] - points[root]).T) < reach
    return np.where(is_near, moved, root)


def _guide_paths(outline: HairOutline, style: Style, root: np.ndarray, joints: int, rng: Generator) -> np.ndarray:
    """Curves of unit length from the origin, (guides, joints, 2)."""
    outwards = outline.outwards[root]
    along = np.stack([-outwards[:, 1], outwards[:, 0]], axis=1)
    # Hair lies downwards along the outline; on top of the head to either side.
    sign = np.where(along[:, 1] + 0.3 * bell(rng, len(root)) >= 0, 1.0, -1.0)[:, None]
    lift = (style.lift + style.spread * bell(rng, len(root)))[:, None]
    way = np.sin(lift) * outwards + np.cos(lift) * sign * along
    angle = np.arctan2(way[:, 1], way[:, 0])[:, None]
    share = np.linspace(0, 1, joints - 1)[None]
    bend, turn = (style.bend * style.length * bell(rng, len(root))[:, None] for _ in range(2))
    angle = angle + bend * share + turn * np.sin(np.pi * share) / 2
    pull = style.length * share[..., None] * np.array([style.wind, style.weight])
    way = np.stack([np.cos(angle), np.sin(angle)], axis=-1) + pull
    way = way / np.linalg.norm(way, axis=-1, keepdims=True).clip(1e-6)
    path = np.cumsum(way, axis=1) / (joints - 1)
    return np.concatenate([np.zeros((len(root), 1, 2)), path], axis=1)


def _coils(
    path: np.ndarray,
    style: Style,
    radius: float,
    length: np.ndarray,
    owner: np.ndarray,
    guides: int,
    rng: Generator,
) -> np.ndarray:
    """Offsets of a helix seen from the side about every curve, (count, joints, 2); a lock coils as one, loosely."""
    way = np.gradient(path, axis=1)
    way = way / np.linalg.norm(way, axis=2, keepdims=True).clip(1e-6)
    across = np.stack([-way[..., 1], way[..., 0]], axis=-1)
    count, joints = path.shape[:2]
    share = np.linspace(0, 1, joints)[None]
    loose = 1 - style.clump / 2
    phase = rng.uniform(0, 2 * np.pi, guides)[owner] + loose * np.pi * rng.uniform(-1, 1, count)
    turns = style.turns * rng.uniform(0.8, 1.25, guides)[owner] * length / radius
    angle = phase[:, None] + 2 * np.pi * turns[:, None] * share
    grown = (style.coil * radius * rng.uniform(0.6, 1.3, count))[:, None] * np.minimum(1, 4 * share)
    sideways, forward = (np.sin(angle) - np.sin(phase)[:, None]), 0.7 * (np.cos(angle) - np.cos(phase)[:, None])
    return grown[..., None] * (sideways[..., None] * across + forward[..., None] * way)
