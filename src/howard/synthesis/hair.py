"""Adding synthetic hair to people: strands from the hair outline, from a few loose ones to a large soft crown.

Cut-outs of real people have lost most of their loose hair, and few rendered heads have much. Without synthetic hair a
network would learn that areas of fractional alpha are always narrow. The alpha of the added strands is exact.
"""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from howard.colour import linear_to_srgb
from howard.synthesis.canvas_compositing import decode_srgb
from howard.synthesis.hair_outline import HairOutline, find_hair_outline
from howard.synthesis.hair_strands import Strands, sample_strands
from howard.synthesis.hair_styles import HairStyle, choose_hair_style
from howard.synthesis.placement import Person
from howard.synthesis.random_sampling import Generator, truncated_normal
from howard.synthesis.recipe import HairRecipe

# Without a mask: how far below the head centre hair may begin, in head radii.
_LOWEST = (-0.3, 0.8)
# Probability that a person whose mask shows no hair gets hair from the outline of the head.
_HAIR_FOR_BALD = 0.1
# Erosion of the silhouette at the hair, in head radii.
_EROSION = (0.0, 0.08)
# Width of the silhouette's new edge, in pixels.
_EDGE_PX = 2.0
# Subpixels along each side of a pixel.
SUPERSAMPLING = 4
# Fractional bits of subpixel coordinates.
_SHIFT_BITS = 4
# Largest width of a strand in subpixels; odd.
_MAX_WIDTH = 7
# Layers of strands: coverage is the union of the strands within a layer, and transparencies multiply between layers.
_LAYERS = 4
# Sections of a strand, each of constant width and shade.
_SECTIONS = 4
# The palette: positions along the outline, shades of each position's colour, and their largest difference in stops,
# to which that of a light behind the person is added.
_POSITIONS = 12
_SHADES = 20
_STOPS = 1.6
# Uncoloured specular light of a strand brighter than the hair, per unit of its brightness factor above one.
_GLOSS = 0.004
_ORDINARY = HairRecipe()


def grow_hair(
    person: Person, rng: Generator, hair_mask: np.ndarray | None = None, recipe: HairRecipe = _ORDINARY
) -> Person:
    """Add synthetic hair to a person; the image is enlarged where needed.

    A person without a hair outline is returned unchanged.

    Args:
        person: of any size.
        rng: random generator.
        hair_mask: (h, w) uint8 in [0, 255], mask of the person's hair over the whole image, at any resolution. None
            uses the outline of the head.
        recipe: probabilities of special styles.
    """
    lowest, ignores_mask = rng.uniform(*_LOWEST), rng.random() < _HAIR_FOR_BALD
    outline = find_hair_outline(person, hair_mask, lowest)
    if outline is None and hair_mask is not None and ignores_mask:
        outline = find_hair_outline(person, None, lowest)
    if outline is None:
        return person
    style = choose_hair_style(recipe, rng)
    alpha = sharpen_hair_edge(person.alpha, outline, rng.uniform(*_EROSION) * outline.radius)
    strands = sample_strands(outline, style, rng)
    enlarged, strands = _enlarge(Person(person.foreground, alpha), strands)
    return render_strands(enlarged, strands, outline, style, rng)


def sharpen_hair_edge(alpha: np.ndarray, outline: HairOutline, erosion: float) -> np.ndarray:
    """Replace the soft edge of an estimated alpha at the hair by a narrow one: (h, w) uint8.

    The soft edge of an estimated alpha at hair is inaccurate; strands with exact alpha are rendered over it.

    Args:
        alpha: (h, w) uint8.
        outline: of the hair.
        erosion: distance by which the silhouette is eroded, in pixels.
    """
    part = alpha[outline.box]
    solid = (part > 127).astype(np.uint8)
    inside = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 5)
    edge = ((inside[1:-1, 1:-1] - erosion) / _EDGE_PX).clip(0, 1)
    weight = cv2.GaussianBlur(outline.near.astype(np.float32), (0, 0), max(1.0, 0.1 * outline.radius))
    trimmed = alpha.copy()
    trimmed[outline.box] = np.round(part + weight * (255 * edge - part))
    return trimmed


def _enlarge(person: Person, strands: Strands) -> tuple[Person, Strands]:
    """Extend the image upwards and sideways until it contains all strands and an empty rim."""
    width = person.alpha.shape[1]
    low = np.floor(strands.joints.min(axis=(0, 1))).astype(int) - 3
    right = max(0, int(np.ceil(strands.joints[..., 0].max())) + 4 - width)
    left, top = (-low).clip(0).tolist()
    sides = top, 0, left, right
    foreground = cv2.copyMakeBorder(person.foreground, *sides, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(person.alpha, *sides, cv2.BORDER_CONSTANT)
    return Person(foreground, alpha), strands._replace(joints=strands.joints + np.array([left, top]))


class StrandBrushes(NamedTuple):
    """Line ``width`` in odd subpixels and palette ``index`` (1 to 240) of sections of strands, (count, sections)."""

    width: np.ndarray
    index: np.ndarray


def render_strands(person: Person, strands: Strands, outline: HairOutline, style: HairStyle, rng: Generator) -> Person:
    """Composite strands over a person, in random layers; foreground and alpha are new arrays.

    Strands are rasterised with supersampling, box-filtered, and composited in linear light.
    """
    palette = _make_palette(outline, style)
    brushes = _choose_brushes(strands, outline, style, rng)
    layer_of = rng.integers(_LAYERS, size=len(strands.root))
    opacities = style.opacity * rng.uniform(0.5, 1.0, _LAYERS)
    # Strands thinner than the thinnest line, a subpixel, are more transparent instead.
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
        rasterise_curves(canvas, strands.joints[chosen] - low, StrandBrushes(*(each[chosen] for each in brushes)), rng)
        pixels, coverage, colour = _box_filter(canvas, palette)
        fraction = (opacity * coverage)[:, None]
        light[pixels] = opacity * colour + (1 - fraction) * light[pixels]
        alpha[pixels] = fraction[:, 0] + (1 - fraction[:, 0]) * alpha[pixels]
        touched[pixels] = True
    return _write_back(person, part, light, alpha, touched, outline)


def rasterise_curves(canvas: np.ndarray, joints: np.ndarray, brushes: StrandBrushes, rng: Generator) -> None:
    """Draw curves (count, J, 2), in pixels, into a canvas with :data:`SUPERSAMPLING`, in random order of brushes."""
    # Centres of pixels and of subpixels are both at integers.
    scaled = (joints + 0.5) * SUPERSAMPLING - 0.5
    fixed = np.round(scaled * 2**_SHIFT_BITS).astype(np.int32)
    ends = np.linspace(0, joints.shape[1] - 1, _SECTIONS + 1).round().astype(int)
    keys = brushes.width.astype(np.int64) * 256 + brushes.index
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
        # OpenCV's lines of an even thickness t are t + 1 pixels wide.
        thickness = max(1, key // 256 - 1)
        cv2.polylines(canvas, lines, False, key % 256, thickness, cv2.LINE_8, _SHIFT_BITS)


def _choose_brushes(strands: Strands, outline: HairOutline, style: HairStyle, rng: Generator) -> StrandBrushes:
    """Sample width and shade of all sections of the strands."""
    # Hair scatters light forwards: it is bright where the light comes from, and where it is thin, so at the tips.
    light = np.array([np.cos(style.backlight_angle), np.sin(style.backlight_angle)])
    lit = _lit_fraction(outline.outwards[strands.root] @ light)[:, None]
    count = len(strands.root)
    fraction = (np.arange(_SECTIONS) + 0.5) / _SECTIONS
    width = style.width * outline.radius * SUPERSAMPLING * rng.uniform(0.6, 1.4, (count, 1)) * (1.2 - 0.7 * fraction)
    stops = style.contrast * truncated_normal(rng, count)[:, None] + style.rim * (fraction - 0.3)
    # A specular highlight at a random position along the strand.
    highlight = 0.5 * style.contrast * np.exp(-(((fraction - rng.uniform(0, 1, (count, 1))) / 0.3) ** 2))
    stops = stops + highlight + style.backlight * lit * fraction
    depth = (stops + _STOPS) / (2 * _STOPS + style.backlight)
    shade = np.round(depth * (_SHADES - 1)).clip(0, _SHADES - 1).astype(int)
    position = strands.root * _POSITIONS // len(outline.points)
    odd = (2 * np.round((width - 1) / 2) + 1).clip(1, _MAX_WIDTH).astype(int)
    return StrandBrushes(odd, 1 + position[:, None] * _SHADES + shade)


def _lit_fraction(facing: np.ndarray) -> np.ndarray:
    """Fraction of the light behind the person that reaches strands, from the cosine of their angle to it."""
    return (0.5 + 0.7 * facing).clip(0, 1)


def _make_palette(outline: HairOutline, style: HairStyle) -> np.ndarray:
    """Colours of the palette in linear light, (241, 3) float32; index 0 is transparent."""
    middles = ((np.arange(_POSITIONS) + 0.5) * len(outline.points) / _POSITIONS).astype(int)
    factor = 2 ** np.linspace(-_STOPS, _STOPS + style.backlight, _SHADES)[None, :, None]
    colours = outline.colours[middles][:, None] * factor + _GLOSS * (factor - 1).clip(0)
    return np.concatenate([np.zeros((1, 3)), colours.reshape(-1, 3).clip(0, 1)]).astype(np.float32)


def _bounds(joints: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Bounding box of the pixels that strands may cover: (left, top) and (right, bottom), the latter exclusive."""
    limits = np.array(shape[::-1])
    low = np.floor(joints.min(axis=(0, 1))).astype(int) - 2
    high = np.ceil(joints.max(axis=(0, 1))).astype(int) + 3
    return low.clip(0, limits - 1), high.clip(1, limits)


def _box_filter(canvas: np.ndarray, palette: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices (n,) of covered pixels, their coverage (n,), and their premultiplied colours (n, 3) in linear light."""
    width = canvas.shape[1]
    found = np.flatnonzero(canvas)
    row, column = np.divmod(found, width)
    pixel = (row // SUPERSAMPLING) * (width // SUPERSAMPLING) + column // SUPERSAMPLING
    colours = palette[canvas.ravel()[found]]
    size = canvas.size // SUPERSAMPLING**2
    count = np.bincount(pixel, minlength=size)
    pixels = np.flatnonzero(count)
    colour = np.stack([np.bincount(pixel, channel, size)[pixels] for channel in colours.T], axis=1)
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
    """Store the composited part of a person as straight 8-bit colours and alpha."""
    foreground, matte = person.foreground.copy(), person.alpha.copy()
    shape = matte[part].shape
    colours, values = foreground[part].reshape(-1, 3), matte[part].ravel()
    # Interpolating straight colours also reads transparent neighbours: they get the hair colour.
    neighbours = cv2.dilate(touched.reshape(shape).astype(np.uint8), np.ones((5, 5), np.uint8)).ravel() > 0
    colours[neighbours & (alpha == 0)] = np.round(255 * linear_to_srgb(outline.colours.mean(axis=0)))
    straight = light[touched] / alpha[touched, None].clip(1e-4)
    colours[touched] = np.round(255 * linear_to_srgb(straight.clip(0, 1)))
    values[touched] = np.round(255 * alpha[touched])
    foreground[part], matte[part] = colours.reshape(*shape, 3), values.reshape(shape)
    return Person(foreground, matte)
