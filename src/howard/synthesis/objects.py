"""Synthetic images of single objects, with soft edges and a cast shadow."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.object_shapes import Part, sample_object_shape, sample_small_object_shape
from howard.synthesis.object_textures import sample_segment, sample_texture
from howard.synthesis.random_sampling import Generator

# Objects are rasterised at this multiple of their size and averaged down, for soft edges.
_SUPERSAMPLING = 2
# Fractional bits of vertex coordinates.
_SUBPIXEL_BITS = 4
# Margin for the shadow around an object, as a fraction of its long side.
_MARGIN = 0.25
# Probability that an object is cut out of a photograph instead of built of parts.
_SEGMENT_PROBABILITY = 0.35
# Standard deviation of the blur of edges in pixels: mattes of people are softer than rasterised edges.
_EDGE_BLUR_PX = (0.3, 1.1)


class ObjectPicture(NamedTuple):
    """Image of an object: ``colour`` (h, w, 3), straight, ``alpha`` and ``shadow`` (h, w), all uint8.

    Colours are extended beyond the outline. ``shadow`` is the fraction of light that is lost behind the object. Both
    ``alpha`` and ``shadow`` are 0 at the border. ``stands`` tells objects that stand on the floor from others.
    """

    colour: np.ndarray
    alpha: np.ndarray
    shadow: np.ndarray
    stands: bool


class CroppedObject(NamedTuple):
    """Part of an object's image, ``colour`` (h, w, 3) and ``alpha`` (h, w), and the position of its first pixel."""

    colour: np.ndarray
    alpha: np.ndarray
    left: int
    top: int


def make_object(pictures: Sequence[np.ndarray], longest: int, rng: Generator, is_small: bool = False) -> ObjectPicture:
    """Make a random object.

    Args:
        pictures: photographs of places, (H, W, 3) uint8, for textures.
        longest: approximate long side of the object in pixels.
        rng: random generator.
        is_small: whether a person can hold it in a hand.
    """
    longest = max(8, longest)
    if rng.random() < _SEGMENT_PROBABILITY:
        colour, alpha = sample_segment(pictures[int(rng.integers(len(pictures)))], longest, rng)
        stands = bool(rng.random() < 0.3)
    else:
        parts = sample_small_object_shape(rng) if is_small else sample_object_shape(rng)
        colour, alpha = _rasterise(parts, pictures, longest, rng)
        stands = not is_small
    return _finish(colour, alpha, stands, rng)


def crop_object(picture: ObjectPicture) -> CroppedObject:
    """Crop colour and alpha to the object, with a rim of one pixel."""
    left, top, width, height = cv2.boundingRect(picture.alpha)
    left, top = max(0, left - 1), max(0, top - 1)
    part = np.s_[top : top + height + 2, left : left + width + 2]
    return CroppedObject(picture.colour[part], picture.alpha[part], left, top)


def defocus_object(picture: ObjectPicture, sigma: float) -> ObjectPicture:
    """Blur an object by a Gaussian of standard deviation ``sigma`` in pixels."""
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
    """Render the parts back to front: premultiplied colour (h, w, 3) in [0, 255] and alpha (h, w), float32."""
    points = np.concatenate([part.outline for part in parts])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = longest / max(float(extent.max()), 1e-6)
    width, height = (max(2, int(np.ceil(side * scale))) for side in extent)
    materials = [sample_texture(pictures, (height, width), rng) for _ in range(2)]
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
    """Coverage of each pixel by a polygon, (h, w) float32 in [0, 1]."""
    height, width = (side * _SUPERSAMPLING for side in size)
    mask = np.zeros((height, width), np.uint8)
    fixed = np.round((outline * _SUPERSAMPLING - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)


def _shading(part: Part, size: tuple[int, int], light: np.ndarray, ambient: float) -> np.ndarray:
    """Lambertian shading of a flat, cylindrical or spherical surface, (h, w) float32 of about one."""
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
    """Add a margin, soften edges, extend colours, and add the shadow."""
    margin = int(np.ceil(_MARGIN * max(alpha.shape))) + 2
    colour = cv2.copyMakeBorder(colour, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    alpha = cv2.copyMakeBorder(alpha, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    sigma = rng.uniform(*_EDGE_BLUR_PX)
    colour, alpha = cv2.GaussianBlur(colour, (0, 0), sigma), cv2.GaussianBlur(alpha, (0, 0), sigma)
    shadow = _standing_shadow(alpha, margin, rng) if stands else _wall_shadow(alpha, margin, rng)
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


def _wall_shadow(alpha: np.ndarray, margin: int, rng: Generator) -> np.ndarray:
    """Shadow on a wall close behind: a soft, shifted silhouette, (h, w) float32 in [0, 1]."""
    shift = margin * rng.uniform((-0.35, 0.0), (0.35, 0.4))
    moved = _shift(alpha, shift)
    return rng.uniform(0, 0.6) * cv2.GaussianBlur(moved, (0, 0), margin * rng.uniform(0.05, 0.2))


def _standing_shadow(alpha: np.ndarray, margin: int, rng: Generator) -> np.ndarray:
    """Contact shadow at the foot, and a flattened silhouette on the floor, (h, w) float32 in [0, 1]."""
    height, width = alpha.shape
    foot = height - margin
    lean, flat = rng.uniform(-0.8, 0.8), rng.uniform(0.08, 0.3)
    # The floor rises in the image with distance: the shadow of high parts lies behind the foot, to one side.
    onto_floor = np.array([[1, -lean, lean * foot], [0, flat, foot * (1 - flat) - 0.02 * height]])
    cast = cv2.warpAffine(alpha, onto_floor, (width, height), flags=cv2.INTER_LINEAR)
    cast = rng.uniform(0.1, 0.6) * cv2.GaussianBlur(cast, (0, 0), margin * rng.uniform(0.05, 0.15))
    bottom = alpha.copy()
    bottom[: max(0, foot - max(3, margin // 5))] = 0
    contact = cv2.GaussianBlur(_shift(bottom, np.array([0.0, 0.05 * margin])), (0, 0), 0.08 * margin)
    return np.maximum(cast, rng.uniform(0.3, 0.8) * contact)


def _shift(image: np.ndarray, shift: np.ndarray) -> np.ndarray:
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    return cv2.warpAffine(image, matrix, image.shape[::-1], flags=cv2.INTER_LINEAR)
