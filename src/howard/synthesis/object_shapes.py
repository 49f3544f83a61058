"""Random shapes of household objects, built of a few polygons.

Coordinates are in [0, 1] with y down; an object stands on y = 1. Later parts cover earlier ones.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from howard.synthesis.random_sampling import Generator, log_uniform

Surface = Literal["flat", "cylinder", "ball"]


class Part(NamedTuple):
    """A polygon ``outline`` (n, 2), the index of its ``material``, a factor on its brightness, and its curvature."""

    outline: np.ndarray
    material: int
    bright: float = 1.0
    surface: Surface = "flat"


def sample_object_shape(rng: Generator) -> list[Part]:
    """Sample the parts of an object that stands on the floor or on a table."""
    return _SHAPES[int(rng.integers(len(_SHAPES)))](rng)


def sample_small_object_shape(rng: Generator) -> list[Part]:
    """Sample the parts of an object that a person can hold."""
    return _SMALL_SHAPES[int(rng.integers(len(_SMALL_SHAPES)))](rng)


def superellipse(rng: Generator) -> list[Part]:
    """A cushion, ball, plate or rounded box."""
    power = log_uniform((1.6, 8), rng)
    width, height = _sides(0.45, rng)
    surface: Surface = "ball" if power < 2.6 else "flat"
    return [Part(_superellipse(0.5, 1 - height / 2, width / 2, height / 2, power), 0, surface=surface)]


def polygon(rng: Generator) -> list[Part]:
    """A crumpled or angular object: an irregular polygon."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 10)))
    radii = rng.uniform(0.25, 0.5, len(angles))
    points = np.stack([0.5 + radii * np.cos(angles), 0.5 + radii * np.sin(angles)], axis=1)
    points[:, 1] += 1 - points[:, 1].max()
    return [Part(points, 0, bright=rng.uniform(0.7, 1.1))]


def box(rng: Generator) -> list[Part]:
    """A cuboid seen from slightly above: front, side and top."""
    width, height = _sides(0.35, rng)
    width *= 0.75
    depth, rise = rng.uniform(0.08, 0.25), rng.uniform(0.03, 0.18)
    side = -1.0 if rng.random() < 0.5 else 1.0
    left, right, top = 0.5 - width / 2, 0.5 + width / 2, 1 - 0.8 * height
    edge = right if side > 0 else left
    front = _rectangle(left, top, right, 1)
    flank = np.array([[edge, top], [edge + side * depth, top - rise], [edge + side * depth, 1 - rise], [edge, 1]])
    cover = np.array([[left, top], [left + side * depth, top - rise], [right + side * depth, top - rise], [right, top]])
    lit = rng.uniform(0.45, 0.9, 2)
    parts = [Part(flank, 0, lit[0]), Part(cover, 0, rng.uniform(1.0, 1.3)), Part(front, 0, lit[1])]
    if rng.random() < 0.4:  # a label, a drawer or a door
        x, y = np.sort(rng.uniform(left, right, 2)), np.sort(rng.uniform(top, 1, 2))
        parts.append(Part(_rectangle(x[0], y[0], x[1], y[1]), 1, lit[1]))
    return parts


def vessel(rng: Generator) -> list[Part]:
    """A bottle, vase, cup or bin: a surface of revolution."""
    heights = np.linspace(0, 1, 24)
    knots = rng.uniform(0.35, 1.0, 5)
    if rng.random() < 0.4:  # a bottle's neck
        knots[:2] = rng.uniform(0.2, 0.4)
    radius = np.interp(heights, np.linspace(0, 1, 5), knots)
    radius = np.convolve(np.pad(radius, 2, mode="edge"), np.ones(5) / 5, mode="valid") * rng.uniform(0.12, 0.4)
    outline = np.concatenate([np.stack([0.5 - radius, heights], 1), np.stack([0.5 + radius, heights], 1)[::-1]])
    parts = [Part(outline, 0, surface="cylinder")]
    if rng.random() < 0.5:
        low, high = np.sort(rng.integers(4, 22, 2))
        band = np.concatenate([outline[low : high + 2], outline[::-1][low : high + 2][::-1]])
        parts.append(Part(band, 1, surface="cylinder"))
    opening = _superellipse(0.5, 0.005 + 0.12 * radius[0], radius[0], 0.12 * radius[0], 2)
    return [*parts, Part(opening, 0, bright=rng.uniform(0.3, 0.9))]


def lamp(rng: Generator) -> list[Part]:
    """A floor or table lamp."""
    half_top, half_bottom, height = rng.uniform(0.08, 0.2), rng.uniform(0.15, 0.35), rng.uniform(0.18, 0.4)
    pole = rng.uniform(0.006, 0.02)
    shade = np.array(
        [[0.5 - half_top, 0], [0.5 + half_top, 0], [0.5 + half_bottom, height], [0.5 - half_bottom, height]]
    )
    return [
        Part(_superellipse(0.5, 0.975, rng.uniform(0.1, 0.22), 0.025, 2), 1),
        Part(_rectangle(0.5 - pole, height, 0.5 + pole, 0.975), 1, surface="cylinder"),
        Part(shade, 0, bright=rng.choice([1.0, 1.6]), surface="cylinder"),
    ]


def chair(rng: Generator) -> list[Part]:
    """A chair, armchair or stool, seen from the front or slightly rotated."""
    half, seat, lean = rng.uniform(0.2, 0.33), rng.uniform(0.5, 0.62), rng.uniform(-0.12, 0.12)
    thick, leg, back_top = rng.uniform(0.03, 0.12), rng.uniform(0.015, 0.04), rng.uniform(0.0, 0.15)
    left, right, depth = 0.5 - half, 0.5 + half, rng.uniform(0.05, 0.12)
    parts = [
        Part(_rectangle(x + lean - leg, seat, x + lean + leg, 1 - depth), 1, 0.6) for x in (left + leg, right - leg)
    ]
    if rng.random() < 0.85:
        parts += _chair_back(left, right, lean, back_top, seat, rng)
    cushion = [[left, seat], [left + lean, seat - depth], [right + lean, seat - depth], [right, seat]]
    parts.append(Part(np.array(cushion), 0, 1.1))
    parts.append(Part(_rectangle(left, seat, right, seat + thick), 0, 0.8))
    parts += [Part(_rectangle(x - leg, seat + thick, x + leg, 1), 1, 0.9) for x in (left + leg, right - leg)]
    if rng.random() < 0.3:  # arm rests
        arm = seat - rng.uniform(0.12, 0.2)
        parts += [Part(_rectangle(x - 1.5 * leg, arm, x + 1.5 * leg, seat + thick), 0, 0.9) for x in (left, right)]
    return parts


def table(rng: Generator) -> list[Part]:
    """A table or bench, possibly with a shelf."""
    top, thick, depth = rng.uniform(0.25, 0.6), rng.uniform(0.02, 0.06), rng.uniform(0.04, 0.15)
    inset, leg = rng.uniform(0.02, 0.1), rng.uniform(0.012, 0.04)
    legs = [inset + leg, 1 - inset - leg]
    parts = [
        Part(_rectangle(x - leg, top, x + leg, 1 - 0.7 * depth), 1, 0.55) for x in (legs[0] + 0.05, legs[1] - 0.05)
    ]
    if rng.random() < 0.25:
        shelf = rng.uniform(top + 0.15, 0.95)
        parts.append(Part(_rectangle(legs[0], shelf, legs[1], shelf + thick), 1, 0.8))
    plate = [[0, top], [inset, top - depth], [1 - inset, top - depth], [1, top]]
    parts += [Part(np.array(plate), 0, 1.1), Part(_rectangle(0, top, 1, top + thick), 0, 0.75)]
    return parts + [Part(_rectangle(x - leg, top + thick, x + leg, 1), 1, 0.9) for x in legs]


def plant(rng: Generator) -> list[Part]:
    """A potted plant with many leaves."""
    pot, half = rng.uniform(0.15, 0.3), rng.uniform(0.1, 0.2)
    parts, stem = [], np.array([0.5, 1 - pot])
    for _ in range(int(rng.integers(12, 32))):
        angle, length = rng.uniform(-np.pi, 0), rng.uniform(0.25, 0.75)
        tip = stem + length * np.array([0.6 * np.cos(angle), np.sin(angle)])
        parts.append(
            Part(
                _leaf(stem + 0.4 * (tip - stem) * rng.random(), tip, rng.uniform(0.02, 0.08)), 1, rng.uniform(0.5, 1.2)
            )
        )
    body = [[0.5 - half, 1 - pot], [0.5 + half, 1 - pot], [0.5 + 0.8 * half, 1], [0.5 - 0.8 * half, 1]]
    return [*parts, Part(np.array(body), 0, surface="cylinder")]


def bag(rng: Generator) -> list[Part]:
    """A bag, basket or suitcase with a handle."""
    width, top = rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.45)
    slope, length = rng.uniform(-0.08, 0.08), rng.uniform(0.1, 0.3)
    angles = np.linspace(np.pi, 2 * np.pi, 16)
    arc = np.stack([0.5 + length * width * np.cos(angles), top + 0.01 + 0.9 * top * np.sin(angles)], axis=1)
    body = _superellipse(0.5, (1 + top) / 2, width / 2, (1 - top) / 2, rng.uniform(4, 10))
    body[:, 0] = 0.5 + (body[:, 0] - 0.5) * (1 + slope * (body[:, 1] - top))
    flap = _rectangle(0.5 - 0.42 * width, top + 0.02, 0.5 + 0.42 * width, top + rng.uniform(0.1, 0.3))
    parts = [Part(_band(arc, rng.uniform(0.02, 0.05)), 1), Part(body, 0)]
    return [*parts, Part(flap, 1, 0.9)] if rng.random() < 0.4 else parts


def book(rng: Generator) -> list[Part]:
    """A book, folder, tablet or telephone."""
    width, height, rim = rng.uniform(0.45, 0.8), rng.uniform(0.8, 1.0), rng.uniform(0.01, 0.06)
    left, top = 0.5 - width / 2, 1 - height
    corner = rng.uniform(8, 30)
    cover = _superellipse(0.5, 1 - height / 2, width / 2, height / 2, corner)
    face = _rectangle(left + rim, top + rim, left + width - rim, 1 - rim)
    parts = [Part(cover, 0), Part(face, 1, rng.uniform(0.8, 1.1))]
    return parts if rng.random() < 0.6 else parts[:1]


def stick(rng: Generator) -> list[Part]:
    """A stick, umbrella, tool or broom, with a grip or a head."""
    half, head = rng.uniform(0.008, 0.03), rng.uniform(0.1, 0.35)
    parts = [Part(_rectangle(0.5 - half, 0, 0.5 + half, 1), 1, surface="cylinder")]
    wide = rng.uniform(1.5, 6) * half
    return [*parts, Part(_superellipse(0.5, head / 2, wide, head / 2, rng.uniform(2, 8)), 0, surface="cylinder")]


def mug(rng: Generator) -> list[Part]:
    """A cup with a handle."""
    half, top = rng.uniform(0.22, 0.36), rng.uniform(0.1, 0.35)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 12)
    arc = np.stack([0.5 + half + 0.14 * np.cos(angles), (1 + top) / 2 + 0.3 * (1 - top) * np.sin(angles)], axis=1)
    body = [[0.5 - half, top], [0.5 + half, top], [0.5 + 0.9 * half, 1], [0.5 - 0.9 * half, 1]]
    opening = _superellipse(0.5, top, half, 0.15 * half, 2)
    return [Part(_band(arc, 0.05), 0, 0.8), Part(np.array(body), 0, surface="cylinder"), Part(opening, 1, 0.6)]


_SHAPES: tuple[Callable[[Generator], list[Part]], ...] = (
    superellipse, polygon, box, box, vessel, lamp, chair, chair, table, plant, bag, book, stick,
)  # fmt: skip


_SMALL_SHAPES = (superellipse, box, vessel, bag, book, book, stick, mug)


def _sides(least: float, rng: Generator) -> tuple[float, float]:
    """Width and height, of which the longer is 1."""
    short = rng.uniform(least, 1.0)
    return (1.0, short) if rng.random() < 0.5 else (short, 1.0)


def _rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def _superellipse(x: float, y: float, half_width: float, half_height: float, power: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    cosine, sine = np.cos(angles), np.sin(angles)
    along, across = (np.sign(each) * np.abs(each) ** (2 / power) for each in (cosine, sine))
    return np.stack([x + half_width * along, y + half_height * across], axis=1)


def _band(line: np.ndarray, width: float) -> np.ndarray:
    """A polygon of constant width about a polyline (n, 2)."""
    along = np.gradient(line, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    return np.concatenate([line + normal * width / 2, (line - normal * width / 2)[::-1]])


def _leaf(base: np.ndarray, tip: np.ndarray, width: float) -> np.ndarray:
    fraction = np.linspace(0, 1, 10)
    line = base + fraction[:, None] * (tip - base)
    line[:, 1] -= 0.1 * np.sin(np.pi * fraction) * np.hypot(*(tip - base))
    normal = np.array([base[1] - tip[1], tip[0] - base[0]]) / max(1e-9, float(np.hypot(*(tip - base))))
    bulge = width * np.sin(np.pi * fraction**0.8)[:, None] * normal
    return np.concatenate([line + bulge, (line - bulge)[::-1]])


def _chair_back(left: float, right: float, lean: float, top: float, seat: float, rng: Generator) -> list[Part]:
    """A solid back, or one of slats."""
    if rng.random() < 0.5:
        return [Part(_rectangle(left + lean, top, right + lean, seat), 0, 0.9)]
    post = rng.uniform(0.02, 0.04)
    posts = [Part(_rectangle(x + lean, top, x + lean + post, seat), 1, 0.9) for x in (left, right - post)]
    rails = np.linspace(top + 0.02, seat - 0.12, int(rng.integers(1, 4)))
    high = rng.uniform(0.04, 0.12)
    return posts + [Part(_rectangle(left + lean, y, right + lean, y + high), 0, 0.85) for y in rails]
