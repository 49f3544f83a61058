"""Hair for people who lack it: strands grown from the hair's outline, from a few loose ones to a great soft crown.

Cut-outs of real people have lost most of their loose hair, and few rendered heads have much; without it a network
learns that whatever is half covered is narrow. The alpha of what is grown here is exact.


Where hair meets the background: outline points with outward directions and the hair's own colours."""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import linear_to_srgb
from howard.synthesis.canvas_compositing import decode_srgb
from howard.synthesis.hair_outline import HairOutline, find_hair
from howard.synthesis.hair_strands import Strands, Style, grow_strands, sample_style
from howard.synthesis.placement import Person
from howard.synthesis.random_sampling import Generator, bell

# How far below the head's centre hair may begin where no mask tells, in head radii.
_LOWEST = (-0.3, 0.8)
# Probability that a person whose mask shows no hair gets a crown all the same, from the head's outline.
_CROWN_OF_THE_BALD = 0.1
# Pixels by which the silhouette is eroded at the hair, in head radii, and the width of its new edge in pixels.
_EROSION = (0.0, 0.08)
_EDGE_PX = 2.0
SUPERSAMPLING = 4  # subpixels a side of a pixel
_SHIFT_BITS = 4  # fractional bits of a subpixel
_WIDEST = 7  # subpixels, odd
_LAYERS = 4  # coverage is the union of the strands within a layer; transparencies multiply between layers
_SECTIONS = 4  # of a strand, each of one width and shade
# The palette: so many places along the outline, and shades of each, from this many stops below its colour to above.
_PLACES = 12
_SHADES = 20
_STOPS = 1.6
# Light that a strand brighter than the hair reflects without the hair's colour, per unit of its factor above one.
_GLOSS = 0.004


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


class Ink(NamedTuple):
    """What strands are drawn with, (count, sections): ``width`` in subpixels, odd, and palette ``index`` in 1...240."""

    width: np.ndarray
    index: np.ndarray


def render_strands(person: Person, strands: Strands, outline: HairOutline, style: Style, rng: Generator) -> Person:
    """Composite strands over a person, front to back in random layers; foreground and alpha are new arrays."""
    palette = _make_palette(outline)
    ink = _mix_ink(strands, outline, style, rng)
    layer_of = rng.integers(_LAYERS, size=len(strands.root))
    opacities = style.opacity * rng.uniform(0.5, 1.0, _LAYERS)
    # A strand thinner than a subpixel covers less of it than is drawn.
    opacities = opacities * min(1.0, style.width * outline.radius * SUPERSAMPLING)
    low, high = _bounds(strands.joints, person.alpha.shape)
    size = high - low
    canvas = np.zeros(size[::-1] * SUPERSAMPLING, np.uint8)
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    alpha = person.alpha[part].ravel() / np.float32(255)
    light = decode_srgb(person.foreground[part]).reshape(-1, 3) * alpha[:, None]  # premultiplied
    touched = np.zeros(len(alpha), bool)
    for layer, opacity in enumerate(opacities):
        chosen = layer_of == layer
        canvas.fill(0)
        draw_curves(canvas, strands.joints[chosen] - low, Ink(*(each[chosen] for each in ink)), rng)
        pixels, coverage, colour = _box_filter(canvas, palette)
        share = (opacity * coverage)[:, None]
        light[pixels] = opacity * colour + (1 - share) * light[pixels]
        alpha[pixels] = share[:, 0] + (1 - share[:, 0]) * alpha[pixels]
        touched[pixels] = True
    return _write_back(person, part, light, alpha, touched, outline)


def draw_curves(canvas: np.ndarray, joints: np.ndarray, ink: Ink, rng: Generator) -> None:
    """Draw curves (count, J, 2), in pixels of a canvas with :data:`SUPERSAMPLING`, in random order of their inks."""
    # Pixel centres are at integers in both.
    scaled = (joints + 0.5) * SUPERSAMPLING - 0.5
    fixed = np.round(scaled * 2**_SHIFT_BITS).astype(np.int32)
    ends = np.linspace(0, joints.shape[1] - 1, _SECTIONS + 1).round().astype(int)
    keys = ink.width.astype(np.int64) * 256 + ink.index
    groups = []
    for section, (first, last) in enumerate(pairwise(ends)):
        order = np.argsort(keys[:, section], kind="stable")
        found, starts = np.unique(keys[order, section], return_index=True)
        groups += [
            (int(key), list(fixed[rows, first : last + 1]))
            for key, rows in zip(found, np.split(order, starts)[1:], strict=True)
        ]
    for number in rng.permutation(len(groups)):
        key, lines = groups[number]
        # OpenCV's thick lines include their border: those of an even thickness t are t + 1 wide.
        thickness = max(1, key // 256 - 1)
        cv2.polylines(canvas, lines, False, key % 256, thickness, cv2.LINE_8, _SHIFT_BITS)


def _mix_ink(strands: Strands, outline: HairOutline, style: Style, rng: Generator) -> Ink:
    count = len(strands.root)
    share = (np.arange(_SECTIONS) + 0.5) / _SECTIONS
    width = style.width * outline.radius * SUPERSAMPLING * rng.uniform(0.6, 1.4, (count, 1)) * (1.2 - 0.7 * share)
    stops = style.contrast * bell(rng, count)[:, None] + style.rim * (share - 0.3)
    # A highlight somewhere along the strand, as from a lamp.
    glint = 0.5 * style.contrast * np.exp(-(((share - rng.uniform(0, 1, (count, 1))) / 0.3) ** 2))
    shade = np.round((stops + glint + _STOPS) / (2 * _STOPS) * (_SHADES - 1)).clip(0, _SHADES - 1).astype(int)
    place = strands.root * _PLACES // len(outline.points)
    odd = (2 * np.round((width - 1) / 2) + 1).clip(1, _WIDEST).astype(int)
    return Ink(odd, 1 + place[:, None] * _SHADES + shade)


def _make_palette(outline: HairOutline) -> np.ndarray:
    """Colours of ink indices in linear light, (241, 3) float32; index 0 is none."""
    middles = ((np.arange(_PLACES) + 0.5) * len(outline.points) / _PLACES).astype(int)
    factor = 2 ** np.linspace(-_STOPS, _STOPS, _SHADES)[None, :, None]
    colours = outline.colours[middles][:, None] * factor + _GLOSS * (factor - 1).clip(0)
    return np.concatenate([np.zeros((1, 3)), colours.reshape(-1, 3).clip(0, 1)]).astype(np.float32)


def _bounds(joints: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Left, top and right, bottom (excluded) of what strands may touch."""
    limits = np.array(shape[::-1])
    low = np.floor(joints.min(axis=(0, 1))).astype(int) - 2
    high = np.ceil(joints.max(axis=(0, 1))).astype(int) + 3
    return low.clip(0, limits - 1), high.clip(1, limits)


def _box_filter(canvas: np.ndarray, palette: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (n,) that are covered, by how much (n,), and their premultiplied colours (n, 3) in linear light."""
    width = canvas.shape[1]
    found = np.flatnonzero(canvas)
    row, column = np.divmod(found, width)
    pixel = (row // SUPERSAMPLING) * (width // SUPERSAMPLING) + column // SUPERSAMPLING
    ink = palette[canvas.ravel()[found]]
    size = canvas.size // SUPERSAMPLING**2
    count = np.bincount(pixel, minlength=size)
    pixels = np.flatnonzero(count)
    colour = np.stack([np.bincount(pixel, channel, size)[pixels] for channel in ink.T], axis=1)
    area = np.float32(SUPERSAMPLING**2)
    return pixels, count[pixels].astype(np.float32) / area, colour.astype(np.float32) / area


def _write_back(
    person: Person,
    part: tuple[slice, slice],
    light: np.ndarray,
    alpha: np.ndarray,
    touched: np.ndarray,
    outline: HairOutline,
) -> Person:
    foreground, matte = person.foreground.copy(), person.alpha.copy()
    shape = matte[part].shape
    colours, values = foreground[part].reshape(-1, 3), matte[part].ravel()
    # Interpolation between straight colours reads those of empty neighbours too: let them be the hair's.
    beside = cv2.dilate(touched.reshape(shape).astype(np.uint8), np.ones((5, 5), np.uint8)).ravel() > 0
    colours[beside & (alpha == 0)] = np.round(255 * linear_to_srgb(outline.colours.mean(axis=0)))
    straight = light[touched] / alpha[touched, None].clip(1e-4)
    colours[touched] = np.round(255 * linear_to_srgb(straight.clip(0, 1)))
    values[touched] = np.round(255 * alpha[touched])
    foreground[part], matte[part] = colours.reshape(*shape, 3), values.reshape(shape)
    return Person(foreground, matte)
