"""How hair is worn: the parameters of strands, sampled from a few styles.

Strands of hair as smooth curves that begin within the hair's outline."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.hair_outline import HairOutline
from howard.synthesis.random_sampling import Generator, bell

Range = tuple[float, float]
_LOGARITHMIC = ("length", "density", "coil", "turns")
# Probability and largest sideways pull of wind.
_WINDY = 0.15
_WIND = 2.5
# Head radius, in pixels, that the density of a style is given for: larger heads have as many strands, wider ones.
_REFERENCE_RADIUS = 40.0
_MAX_STRANDS = 6000
# Joints of a strand: at least so many, and so many for each turn of a coil.
_MIN_JOINTS = 14
_JOINTS_PER_TURN = 7
_MAX_JOINTS = 48


class Style(NamedTuple):
    """One person's hair. Lengths are in head radii unless said otherwise, angles in radians."""

    length: float  # of the longest strands
    density: float  # strands for each pixel of an outline whose head has a radius of 40 pixels
    shortness: float  # exponent of a uniform variable: 0: all as long as the longest; above 1: few are long
    lift: float  # angle of the strands to the outline: 0 along it, downwards; pi/2 straight outwards
    spread: float  # standard deviation of that angle
    bend: float  # standard deviation of the strands' curvature, per head radius
    weight: float  # pull downwards, per head radius
    coil: float  # amplitude of the waves or coils
    turns: float  # of a coil for each head radius
    clump: float  # share of the way that the strands of a lock converge by towards their tips
    lock: float  # mean number of strands of a lock
    depth: float  # how far within the outline strands begin, at most
    width: float  # of a strand at its root
    opacity: float  # of the most opaque layer of strands
    contrast: float  # standard deviation of the strands' lightness, in stops
    rim: float  # by how many stops the tips are lighter than the roots
    wind: float  # sideways pull, per head radius


class StyleRanges(NamedTuple):
    """Ranges that a style is sampled from; ``length``, ``density``, ``coil`` and ``turns`` by their logarithms."""

    weight_of_style: float  # how often, relative to the others
    length: Range
    density: Range
    shortness: Range
    lift: Range
    spread: Range
    bend: Range
    weight: Range
    coil: Range
    turns: Range
    clump: Range
    lock: Range
    depth: Range


# Set by looking at grown hair beside photographs of each style.
STYLES = {
    "flyaway": StyleRanges(
        weight_of_style=0.20,
        length=(0.3, 1.4),
        density=(0.15, 1.5),
        shortness=(0.5, 2.0),
        lift=(0.1, 0.9),
        spread=(0.2, 0.5),
        bend=(0.3, 1.2),
        weight=(0.0, 0.6),
        coil=(0.003, 0.02),
        turns=(0.3, 1.2),
        clump=(0.0, 0.3),
        lock=(1, 3),
        depth=(0.1, 0.3),
    ),
    "straight": StyleRanges(
        weight_of_style=0.16,
        length=(0.2, 1.1),
        density=(2.0, 8.0),
        shortness=(0.4, 1.5),
        lift=(0.05, 0.5),
        spread=(0.1, 0.3),
        bend=(0.1, 0.5),
        weight=(0.3, 1.5),
        coil=(0.003, 0.02),
        turns=(0.3, 1.0),
        clump=(0.2, 0.8),
        lock=(4, 20),
        depth=(0.15, 0.4),
    ),
    "wavy": StyleRanges(
        weight_of_style=0.16,
        length=(0.35, 1.2),
        density=(2.0, 8.0),
        shortness=(0.4, 1.4),
        lift=(0.2, 0.9),
        spread=(0.15, 0.4),
        bend=(0.2, 0.7),
        weight=(0.2, 0.9),
        coil=(0.02, 0.07),
        turns=(0.8, 2.2),
        clump=(0.3, 0.8),
        lock=(4, 16),
        depth=(0.15, 0.4),
    ),
    "curly": StyleRanges(
        weight_of_style=0.16,
        length=(0.3, 1.1),
        density=(3.0, 10.0),
        shortness=(0.3, 1.2),
        lift=(0.6, 1.5),
        spread=(0.3, 0.7),
        bend=(0.3, 1.5),
        weight=(0.0, 0.5),
        coil=(0.03, 0.10),
        turns=(2.0, 5.0),
        clump=(0.3, 0.8),
        lock=(3, 12),
        depth=(0.15, 0.4),
    ),
    "halo": StyleRanges(
        weight_of_style=0.14,
        length=(0.15, 0.8),
        density=(6.0, 22.0),
        shortness=(0.5, 1.5),
        lift=(1.0, 1.6),
        spread=(0.4, 0.9),
        bend=(1.0, 3.0),
        weight=(-0.1, 0.2),
        coil=(0.01, 0.04),
        turns=(3.0, 8.0),
        clump=(0.0, 0.3),
        lock=(1, 4),
        depth=(0.1, 0.4),
    ),
    "crown": StyleRanges(
        weight_of_style=0.18,
        length=(0.4, 1.4),
        density=(5.0, 25.0),
        shortness=(0.3, 0.9),
        lift=(0.9, 1.6),
        spread=(0.3, 0.9),
        bend=(0.5, 2.5),
        weight=(-0.1, 0.3),
        coil=(0.01, 0.08),
        turns=(0.8, 4.0),
        clump=(0.0, 0.6),
        lock=(1, 10),
        depth=(0.1, 0.4),
    ),
}


def sample_style(rng: Generator) -> Style:
    """Sample a style of :data:`STYLES` and its parameters."""
    weights = np.array([each.weight_of_style for each in STYLES.values()])
    ranges = list(STYLES.values())[int(rng.choice(len(STYLES), p=weights / weights.sum()))]
    values = {name: rng.uniform(*limits) for name, limits in ranges._asdict().items() if name != "weight_of_style"}
    for name in _LOGARITHMIC:
        low, high = np.log(getattr(ranges, name))
        values[name] = float(np.exp(rng.uniform(low, high)))
    is_windy, wind = rng.random() < _WINDY, rng.uniform(-_WIND, _WIND)
    return Style(
        **values,
        width=rng.uniform(0.004, 0.012),
        opacity=rng.uniform(0.5, 1.0),
        contrast=rng.uniform(0.15, 0.6),
        rim=rng.uniform(-0.4, 0.6),
        wind=wind if is_windy else 0.0,
    )


class Strands(NamedTuple):
    """Curves ``joints`` (count, J, 2), x, y in pixels from root to tip; ``root`` (count,) indexes the outline."""

    joints: np.ndarray
    root: np.ndarray


def grow_strands(outline: HairOutline, style: Style, rng: Generator) -> Strands:
    """Sample strands of a style along an outline; those of a lock follow one guide curve."""
    radius = outline.radius
    per_pixel = style.density * _REFERENCE_RADIUS / radius
    count = min(int(len(outline.points) * per_pixel) + 1, _MAX_STRANDS)
    guides = max(1, int(count / style.lock))
    root = rng.integers(len(outline.points), size=guides)
    owner = rng.integers(guides, size=count)
    joints = min(_MIN_JOINTS + int(_JOINTS_PER_TURN * style.turns * style.length), _MAX_JOINTS)
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
