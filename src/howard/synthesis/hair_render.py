"""Rendering strands: supersampled coverage, box-filtered, and composited over a person in linear light."""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import linear_to_srgb
from howard.synthesis.dice import Generator, bell
from howard.synthesis.hair_outline import HairOutline, decode
from howard.synthesis.hair_strands import Strands
from howard.synthesis.hair_styles import Style
from howard.synthesis.placement import Person

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
    light = decode(person.foreground[part]).reshape(-1, 3) * alpha[:, None]  # premultiplied
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
