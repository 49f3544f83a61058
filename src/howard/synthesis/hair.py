"""Hair for people who lack it: strands grown from the hair's outline, from a few loose ones to a great soft crown.

Cut-outs of real people have lost most of their loose hair, and few rendered heads have much; without it a network
learns that whatever is half covered is narrow. The alpha of what is grown here is exact.
"""

import cv2
import numpy as np

from howard.synthesis.dice import Generator
from howard.synthesis.hair_outline import HairOutline, find_hair
from howard.synthesis.hair_render import render_strands
from howard.synthesis.hair_strands import Strands, grow_strands
from howard.synthesis.hair_styles import sample_style
from howard.synthesis.placement import Person

# How far below the head's centre hair may begin where no mask tells, in head radii.
_LOWEST = (-0.3, 0.8)
# Probability that a person whose mask shows no hair gets a crown all the same, from the head's outline.
_CROWN_OF_THE_BALD = 0.1
# Pixels by which the silhouette is eroded at the hair, in head radii, and the width of its new edge in pixels.
_EROSION = (0.0, 0.08)
_EDGE_PX = 2.0


def grow_hair(person: Person, rng: Generator, hair_mask: np.ndarray | None = None) -> Person:
    """The person with more hair, in a picture that is larger by what it needs; as it was if no hair is found.

    Args:
        person: of any size.
        rng: source of all random numbers.
        hair_mask: (h, w) uint8 in [0, 255], where the person's hair is, over the whole picture at any resolution. None
            takes the outline of the head instead.
    """
    lowest, is_crowned = rng.uniform(*_LOWEST), rng.random() < _CROWN_OF_THE_BALD
    outline = find_hair(person, hair_mask, lowest)
    if outline is None and hair_mask is not None and is_crowned:
        outline = find_hair(person, None, lowest)
    if outline is None:
        return person
    style = sample_style(rng)
    alpha = trim_fringe(person.alpha, outline, rng.uniform(*_EROSION) * outline.radius)
    strands = grow_strands(outline, style, rng)
    grown, strands = _make_room(Person(person.foreground, alpha), strands)
    return render_strands(grown, strands, outline, style, rng)


def trim_fringe(alpha: np.ndarray, outline: HairOutline, erosion: float) -> np.ndarray:
    """Replace the soft edge of a pseudo alpha at the hair by a narrow one, eroded by so many pixels: (h, w) uint8.

    The soft part of a pseudo alpha at hair is a smooth guess; the strands drawn over it are the true alpha there.
    """
    part = alpha[outline.box]
    solid = (part > 127).astype(np.uint8)
    inside = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 5)
    edge = ((inside[1:-1, 1:-1] - erosion) / _EDGE_PX).clip(0, 1)
    weight = cv2.GaussianBlur(outline.near.astype(np.float32), (0, 0), max(1.0, 0.1 * outline.radius))
    trimmed = alpha.copy()
    trimmed[outline.box] = np.round(part + weight * (255 * edge - part))
    return trimmed


def _make_room(person: Person, strands: Strands) -> tuple[Person, Strands]:
    """Extend the picture upwards and sideways until all strands are within it, with an empty edge."""
    width = person.alpha.shape[1]
    low = np.floor(strands.joints.min(axis=(0, 1))).astype(int) - 3
    right = max(0, int(np.ceil(strands.joints[..., 0].max())) + 4 - width)
    left, top = (-low).clip(0).tolist()
    sides = top, 0, left, right
    foreground = cv2.copyMakeBorder(person.foreground, *sides, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(person.alpha, *sides, cv2.BORDER_CONSTANT)
    return Person(foreground, alpha), strands._replace(joints=strands.joints + np.array([left, top]))
