"""Pictures of single objects, with soft edges and the shadow that they cast on what is behind them."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.object_shapes import Part, sample_small_thing, sample_thing
from howard.synthesis.object_textures import sample_material, sample_segment
from howard.synthesis.random_sampling import Generator

# Objects are rasterised at this multiple of their size and averaged down: exact soft edges.
_SUPERSAMPLING = 2
_SUBPIXEL_BITS = 4
# Room for the shadow around an object, as a share of its long side.
_ROOM = 0.25
# Share of objects that are pieces of photographs; the others are built of parts.
_SEGMENT_SHARE = 0.35
# Standard deviation of an edge's blur in pixels: people's mattes are softer than a rasterised edge.
_EDGE_BLUR_PX = (0.3, 1.1)


class ObjectPicture(NamedTuple):
    """``colour`` (h, w, 3) straight, extended beyond the outline; ``alpha`` and ``shadow`` (h, w); all uint8.

    ``shadow`` is how much of the light is lost behind and below the object. Nothing of either reaches the rim.
    """

    colour: np.ndarray
    alpha: np.ndarray
    shadow: np.ndarray
    stands: bool


class CroppedObject(NamedTuple):
    """Part of an object's picture, ``colour`` (h, w, 3) and ``alpha`` (h, w), from its pixel ``left``, ``top`` on."""

    colour: np.ndarray
    alpha: np.ndarray
    left: int
    top: int


def make_object(pictures: Sequence[np.ndarray], longest: int, rng: Generator, is_small: bool = False) -> ObjectPicture:
    """Make a random object.

    Args:
        pictures: photographs of places, (H, W, 3) uint8, to make surfaces of.
        longest: about the long side of the object in pixels.
        rng: source of every random number.
        is_small: whether it should fit a hand.
    """
    longest = max(8, longest)
    if rng.random() < _SEGMENT_SHARE:
        colour, alpha = sample_segment(pictures[int(rng.integers(len(pictures)))], longest, rng)
        stands = bool(rng.random() < 0.3)
    else:
        parts = sample_small_thing(rng) if is_small else sample_thing(rng)
        colour, alpha = _rasterise(parts, pictures, longest, rng)
        stands = not is_small
    return _finish(colour, alpha, stands, rng)


def crop_object(picture: ObjectPicture) -> CroppedObject:
    """Colour and alpha without the room for the shadow, but for a pixel all round."""
    left, top, width, height = cv2.boundingRect(picture.alpha)
    left, top = max(0, left - 1), max(0, top - 1)
    part = np.s_[top : top + height + 2, left : left + width + 2]
    return CroppedObject(picture.colour[part], picture.alpha[part], left, top)


def defocus_object(picture: ObjectPicture, sigma: float) -> ObjectPicture:
    """The object out of focus, by a Gaussian of standard deviation ``sigma`` in pixels."""
    if sigma < 0.3:
        return picture
    alpha = picture.alpha.astype(np.float32) / np.float32(255)
    premultiplied = cv2.GaussianBlur(picture.colour * alpha[..., None], (0, 0), sigma)
    return ObjectPicture(
        *straight_colours(premultiplied, cv2.GaussianBlur(alpha, (0, 0), sigma)), picture.shadow, picture.stands
    )


def _rasterise(
    parts: list[Part], pictures: Sequence[np.ndarray], longest: int, rng: Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Paint the parts over one another: premultiplied colour (h, w, 3) in [0, 255] and alpha (h, w), float32."""
    points = np.concatenate([part.outline for part in parts])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = longest / max(float(extent.max()), 1e-6)
    width, height = (max(2, int(np.ceil(side * scale))) for side in extent)
    materials = [sample_material(pictures, (height, width), rng) for _ in range(2)]
    light = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.0)])
    ambient = rng.uniform(0.35, 0.8)
    colour = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    for part in parts:
        outline = (part.outline - low) * scale
        left, top = np.maximum(np.floor(outline.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, (width, height))
        if right <= left or bottom <= top:
            continue
        box = np.s_[top:bottom, left:right]
        mask = _coverage(outline - (left, top), (bottom - top, right - left))
        gain = np.float32(part.bright) * _shading(part, mask.shape, light, ambient)
        shaded = (materials[part.material][box] * gain[..., None]).clip(0, 255)
        colour[box] += mask[..., None] * (shaded - colour[box])
        alpha[box] += mask * (1 - alpha[box])
    return colour, alpha


def _coverage(outline: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """How much of every pixel a polygon covers, (h, w) float32 in [0, 1]."""
    height, width = (side * _SUPERSAMPLING for side in size)
    mask = np.zeros((height, width), np.uint8)
    fixed = np.round((outline * _SUPERSAMPLING - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)


def _shading(part: Part, size: tuple[int, int], light: np.ndarray, ambient: float) -> np.ndarray:
    """Lambert's law on a flat, cylindrical or ball-shaped surface, (h, w) float32 of about one."""
    height, width = size
    x = (np.arange(width, dtype=np.float32) + 0.5)[None] / width * 2 - 1
    y = (np.arange(height, dtype=np.float32) + 0.5)[:, None] / height * 2 - 1
    if part.surface == "flat":
        return (1 + np.float32(0.12) * (x * np.float32(light[0]) + y * np.float32(light[1]))).astype(np.float32)
    y = y if part.surface == "ball" else np.zeros_like(y)
    depth = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    towards = np.sqrt(max(0.05, 1 - float(light @ light)))
    facing = np.clip(x * light[0] + y * light[1] + depth * towards, 0, 1)
    return (ambient + (1.2 - ambient) * facing).astype(np.float32)


def _finish(colour: np.ndarray, alpha: np.ndarray, stands: bool, rng: Generator) -> ObjectPicture:
    """Soften edges, extend colours, and cast the shadow."""
    room = int(np.ceil(_ROOM * max(alpha.shape))) + 2
    colour = cv2.copyMakeBorder(colour, room, room, room, room, cv2.BORDER_CONSTANT)
    alpha = cv2.copyMakeBorder(alpha, room, room, room, room, cv2.BORDER_CONSTANT)
    sigma = rng.uniform(*_EDGE_BLUR_PX)
    colour, alpha = cv2.GaussianBlur(colour, (0, 0), sigma), cv2.GaussianBlur(alpha, (0, 0), sigma)
    shadow = _standing_shadow(alpha, room, rng) if stands else _wall_shadow(alpha, room, rng)
    return ObjectPicture(*straight_colours(colour, alpha), np.round(255 * shadow).astype(np.uint8), stands)


def straight_colours(premultiplied: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Straight colours, extended a few pixels beyond the outline, and alpha, both uint8.

    Args:
        premultiplied: (h, w, 3) float32 in [0, 255].
        alpha: (h, w) float32 in [0, 1].
    """
    wide = cv2.blur(premultiplied, (9, 9))
    wide /= np.maximum(cv2.blur(alpha, (9, 9)), 1e-4)[..., None]
    straight = premultiplied / np.maximum(alpha, 1e-3)[..., None]
    colour = np.where(alpha[..., None] > 1 / 255, straight, wide)
    return np.round(colour.clip(0, 255)).astype(np.uint8), np.round(255 * alpha.clip(0, 1)).astype(np.uint8)


def _wall_shadow(alpha: np.ndarray, room: int, rng: Generator) -> np.ndarray:
    """A soft copy of the outline on what is close behind, (h, w) float32 in [0, 1]."""
    shift = room * rng.uniform((-0.35, 0.0), (0.35, 0.4))
    moved = _shift(alpha, shift)
    return rng.uniform(0, 0.6) * cv2.GaussianBlur(moved, (0, 0), room * rng.uniform(0.05, 0.2))


def _standing_shadow(alpha: np.ndarray, room: int, rng: Generator) -> np.ndarray:
    """A dark contact at the foot and a flattened copy of the outline on the floor, (h, w) float32 in [0, 1]."""
    height, width = alpha.shape
    foot = height - room
    lean, flat = rng.uniform(-0.8, 0.8), rng.uniform(0.08, 0.3)
    # The floor rises in the picture with distance: what is high above the foot lies behind it, to a side.
    onto_floor = np.array([[1, -lean, lean * foot], [0, flat, foot * (1 - flat) - 0.02 * height]])
    cast = cv2.warpAffine(alpha, onto_floor, (width, height), flags=cv2.INTER_LINEAR)
    cast = rng.uniform(0.1, 0.6) * cv2.GaussianBlur(cast, (0, 0), room * rng.uniform(0.05, 0.15))
    bottom = alpha.copy()
    bottom[: max(0, foot - max(3, room // 5))] = 0
    contact = cv2.GaussianBlur(_shift(bottom, np.array([0.0, 0.05 * room])), (0, 0), 0.08 * room)
    return np.maximum(cast, rng.uniform(0.3, 0.8) * contact)


def _shift(image: np.ndarray, shift: np.ndarray) -> np.ndarray:
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    return cv2.warpAffine(image, matrix, image.shape[::-1], flags=cv2.INTER_LINEAR)
