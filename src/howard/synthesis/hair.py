"""Hair for people who lack it: strands grown from a head's outline, from a few loose ones to a great soft crown.

Cut-outs of real people have lost most of their loose hair, and few rendered heads have much; without it a network
learns that whatever is half covered is narrow.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.dice import Generator, bell
from howard.synthesis.placement import Person

_SHARE_BITS = 3  # of a pixel, in which strands are drawn
_JOINTS = 10  # of a strand
_LAYERS = 12  # of strands; those of one hide one another, those of different ones add up
_MOST_STRANDS = 9000
_CROWN_SHARE = 0.4
_SMALLEST_HEAD_PX = 8
_THICK_FROM_PX = 80  # radius of a head whose strands may be wider than a pixel


class Style(NamedTuple):
    """How hair is worn."""

    length: float  # of the longest strands, in radii of the head
    density: float  # strands for every pixel of the outline
    shortness: float  # 0: all are as long as the longest; 1: every length is as frequent; more: few are long
    spread: float  # radians that they leave the outline's normal by
    curl: float  # radians that they turn by at every joint
    weight: float  # pull downwards
    lowest: float  # where they end to grow, in radii below the head's centre
    opacity: float  # of the strongest strands
    thickness: int  # pixels


class Ranges(NamedTuple):
    """What the first settings of a style are drawn from: length and density by their logarithms, the others evenly."""

    length: tuple[float, float]
    density: tuple[float, float]
    shortness: tuple[float, float]
    spread: tuple[float, float]
    curl: tuple[float, float]
    weight: tuple[float, float]
    lowest: tuple[float, float]


_CROWN = Ranges(
    length=(0.35, 1.3),
    density=(5, 40),
    shortness=(0.25, 0.9),
    spread=(0.3, 0.9),
    curl=(0.3, 1.2),
    weight=(-0.1, 0.1),
    lowest=(-0.1, 1.0),
)
_ANY = Ranges(
    length=(0.1, 1.6),
    density=(0.4, 16),
    shortness=(0.3, 2.0),
    spread=(0.1, 0.8),
    curl=(0, 0.7),
    weight=(-0.1, 0.35),
    lowest=(-0.3, 1.5),
)


class Head(NamedTuple):
    """Where a head is in a picture: the centre (x, y) and the radius of the circle that fills it, in pixels."""

    centre: np.ndarray
    radius: float


def grow_hair(person: Person, rng: Generator) -> Person:
    """The person with more hair, in a picture that is larger by its length; as it was if it shows no whole head.

    Args:
        person: of any size.
        rng: source of every draw.
    """
    head = find_head(person.alpha)
    if head is None:
        return person
    colour = _hair_colour(person, head)
    style = draw_style(head, rng)
    room = int(style.length * head.radius) + 2
    sides = room, 0, room, room
    foreground = cv2.copyMakeBorder(person.foreground, *sides, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(person.alpha, *sides, cv2.BORDER_CONSTANT)
    head = Head(head.centre + room, head.radius)
    strands = _draw_strands(_find_roots(alpha, head, style), head, style, rng)
    return _cover(Person(foreground, alpha), strands, style, colour, rng)


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


def draw_style(head: Head, rng: Generator) -> Style:
    """A style: a crown that stands off all around, or anything from a few loose strands to long hair."""
    opacity = rng.uniform(0.35, 1)
    thickness = 2 if head.radius > _THICK_FROM_PX and rng.random() < 0.4 else 1
    ranges = _CROWN if rng.random() < _CROWN_SHARE else _ANY
    length, density = (float(np.exp(rng.uniform(*np.log(each)))) for each in (ranges.length, ranges.density))
    shortness, spread, curl, weight, lowest = (rng.uniform(*each) for each in ranges[2:])
    return Style(length, density, shortness, spread, curl, weight, lowest, opacity, thickness)


def _find_roots(alpha: np.ndarray, head: Head, style: Style) -> np.ndarray:
    """Points of the outline about the head, (n, 2) x, y in pixels."""
    outlines, _ = cv2.findContours((alpha > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate(outlines)[:, 0].astype(np.float64)
    apart = (points - head.centre) / head.radius
    return points[(np.hypot(*apart.T) < 2) & (apart[:, 1] < style.lowest)]


def _draw_strands(roots: np.ndarray, head: Head, style: Style, rng: Generator) -> np.ndarray:
    """Polylines from the roots outwards, (count, joints, 2) x, y in pixels."""
    count = min(int(len(roots) * style.density) + 1, _MOST_STRANDS)
    start = roots[rng.integers(len(roots), size=count)]
    outwards = start - head.centre
    angle = np.arctan2(outwards[:, 1], outwards[:, 0]) + style.spread * bell(rng, count)
    start = start - rng.uniform(0, 0.4, (count, 1)) * outwards  # from within the head
    step = style.length * head.radius * rng.random(count) ** style.shortness / (_JOINTS - 2)
    joints = [start]
    for _ in range(_JOINTS - 1):
        angle = angle + style.curl * bell(rng, count)
        way = np.stack([np.cos(angle), np.sin(angle) + style.weight], axis=1)
        angle = np.arctan2(way[:, 1], way[:, 0])  # weight pulls it down, more at every joint
        joints.append(joints[-1] + step[:, None] * way)
    return np.stack(joints, axis=1)


def _cover(person: Person, strands: np.ndarray, style: Style, colour: np.ndarray, rng: Generator) -> Person:
    """Lay strands of a colour (3,) over a person; those of a layer share one shade."""
    height, width = person.alpha.shape
    low = np.floor(strands.min(axis=(0, 1))).astype(int).clip(0, [width - 1, height - 1]) - 2
    left, top = low.clip(0)
    right, bottom = np.ceil(strands.max(axis=(0, 1))).astype(int).clip(1, [width, height]) + 2
    foreground, alpha = person.foreground.copy(), person.alpha.copy()
    colours = foreground[top:bottom, left:right].astype(np.float32)
    open_share = 1 - alpha[top:bottom, left:right] / np.float32(255)
    colours += open_share[..., None] * (colour - colours)
    fixed = np.round((strands - [left, top]) * 2**_SHARE_BITS).astype(np.int32)
    lightness, strength = rng.uniform(0.5, 1.4, _LAYERS), style.opacity * rng.uniform(0.2, 1.0, _LAYERS)
    for layer in range(_LAYERS):
        drawn = np.zeros(open_share.shape, np.uint8)
        lines = list(fixed[layer::_LAYERS])
        cv2.polylines(drawn, lines, False, 255, style.thickness, cv2.LINE_AA, _SHARE_BITS)
        share = strength[layer] * drawn / np.float32(255)
        colours += share[..., None] * (colour * lightness[layer] - colours)
        open_share *= 1 - share
    foreground[top:bottom, left:right] = np.round(colours.clip(0, 255))
    alpha[top:bottom, left:right] = np.round(255 * (1 - open_share))
    return Person(foreground, alpha)


def _hair_colour(person: Person, head: Head) -> np.ndarray:
    """The colour (3,) of what is at the top of the head, float32 in [0, 255]."""
    (x, y), radius = head
    half = 0.5 * radius
    part = np.s_[max(0, int(y - 0.9 * radius)) : int(y - half) + 1, max(0, int(x - half)) : int(x + half) + 1]
    colours = person.foreground[part][person.alpha[part] > 127]
    return np.median(colours, axis=0).astype(np.float32)
