"""A place that takes on the colours of the person in front of it, and plates that lack what is behind the person.

Where source and plate agree, the matte cannot follow from their difference: the network has to recognise the person.
Both change the place's canvas, so that shot and plate show the same place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvases import Actor, Stage
from howard.synthesis.placement import enlargement, rotation_matrix
from howard.synthesis.random_sampling import Generator, log_uniform
from howard.synthesis.recipe import pixel_unit

# Wide blurs are made at a resolution at which they are still at least so wide, in pixels.
_LEAST_SIGMA = 1.5
# A second, wider blur fills what is out of the first one's reach: its width in widths of the first, and its weight.
_FAR_WIDTH = 4.0
_FAR_WEIGHT = 1e-3
# Half sides of a region, as shares of the frame's side: a strand of hair up to half the person.
_REACH = (0.05, 0.35)
# Softness of a region's edge and width of the colours' blur, in the recipe's pixels.
_EDGE_PX = (0.7, 20.0)
_COLOUR_BLUR_PX = (3.0, 24.0)
# What is finer than this stays the place's own texture.
_TEXTURE_PX = (2.0, 10.0)
# How far the place's colour moves towards the person's: less than half would leave a plain difference.
_STRENGTH = (0.6, 1.0)
# Probability of one colour for the whole region, as a wall of the skin's or the shirt's colour.
_UNIFORM_PROBABILITY = 0.25
# Share of regions that begin at the outline, where mattes fail most.
_AT_OUTLINE = 2 / 3


class Camouflage(NamedTuple):
    """A change of a place towards ``colours`` (H/2, W/2, 3) in [0, 1] by ``weights`` (H, W) in [0, 1].

    Detail finer than ``texture_px`` keeps ``texture`` of its contrast.
    """

    colours: np.ndarray
    weights: np.ndarray
    texture: float
    texture_px: float

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The changed canvas of a place (C, H, W) uint8, with colour in the first three channels."""
        left, top, width, height = cv2.boundingRect((self.weights > 1 / 255).astype(np.uint8))
        # Even bounds, so that the colours' pixels cover whole blocks of the place's.
        left, top, right, bottom = left & ~1, top & ~1, left + width & ~1, top + height & ~1
        if right <= left or bottom <= top:
            return image
        box = np.s_[top:bottom, left:right]
        place = cv2.merge([plane[box] for plane in image[:3]]).astype(np.float32) / np.float32(255)
        colours = self.colours[top // 2 : bottom // 2, left // 2 : right // 2]
        colours = cv2.resize(colours, place.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        detail = place - _blur(place, self.texture_px)
        place += self.weights[box][..., None] * (colours + np.float32(self.texture) * detail - place)
        changed = image.copy()
        changed[:3, *box] = cv2.split(np.round(255 * place.clip(0, 1)).astype(np.uint8))
        return changed


def camouflage(stage: Stage, actors: Sequence[Actor], frame: tuple[int, int], rng: Generator) -> Stage:
    """Give place and plate the colours of the people of the first frame, in regions behind them."""
    person, unit = _flatten_people(stage, actors), pixel_unit(frame) * enlargement(stage.matrix)
    change = sample_camouflage(person, stage.place.shape[1:], unit, rng)
    place = change.apply(stage.place)
    # Mostly the plate shows the same pixels, and its copy is cheaper than the same change again.
    is_same = np.array_equal(stage.place[:3], stage.plate[:3])
    plate = np.concatenate([place[:3], stage.plate[3:]]) if is_same else change.apply(stage.plate)
    return stage._replace(place=place, plate=plate)


def remove_behind_people(stage: Stage, actors: Sequence[Actor], frame: tuple[int, int], rng: Generator) -> Stage:
    """Take regions behind the people of the first frame out of the plate's coverage."""
    person, unit = _flatten_people(stage, actors), pixel_unit(frame) * enlargement(stage.matrix)
    plate = stage.plate.copy()
    plate[3][sample_regions(person[..., 3], plate.shape[1:], unit, rng) > 0.5] = 0
    return stage._replace(plate=plate)


def sample_camouflage(person: np.ndarray, size: tuple[int, ...], unit: float, rng: Generator) -> Camouflage:
    """Sample where a place takes on a person's colours, which of them, and how strongly.

    Args:
        person: (H/2, W/2, 4) float32 in [0, 1], premultiplied, on the canvas of the place at half its resolution.
        size: H, W.
        unit: canvas pixels of one of the recipe's pixels.
        rng: source of every random number.
    """
    weights = sample_regions(person[..., 3], size, unit, rng) * np.float32(rng.uniform(*_STRENGTH))
    colours = _extend_colours(person, unit * log_uniform(_COLOUR_BLUR_PX, rng) / 2)
    # In its own light: a little brighter or darker, and slightly tinted.
    colours *= np.float32(np.exp(rng.normal(0, 0.06))) * np.exp(rng.normal(0, 0.02, 3)).astype(np.float32)
    if rng.random() < _UNIFORM_PROBABILITY:
        x, y = _sample_point(person[..., 3], rng)
        colours = np.broadcast_to(colours[y, x], colours.shape)
    texture_px = unit * log_uniform(_TEXTURE_PX, rng)
    return Camouflage(np.ascontiguousarray(colours), weights, rng.uniform(0.2, 1.0), texture_px)


def sample_regions(alpha: np.ndarray, size: tuple[int, ...], unit: float, rng: Generator) -> np.ndarray:
    """One to three soft ellipses, rectangles or polygons behind a person: (H, W) float32 in [0, 1].

    ``alpha`` (H/2, W/2) is the person's, ``size`` is H, W, ``unit`` as for :func:`sample_camouflage`.
    """
    weights = np.zeros(size, np.uint8)
    for _ in range(rng.integers(1, 4)):
        reach = unit * 512 * np.array([log_uniform(_REACH, rng) for _ in range(2)])
        centre = 2 * _sample_point(alpha, rng) + rng.normal(0, 0.35, 2) * reach
        outline = _sample_outline(rng) * reach
        angle = np.deg2rad(rng.uniform(-25, 25))
        turn = rotation_matrix(angle)
        mask = np.zeros(size, np.uint8)
        cv2.fillPoly(mask, [np.round(outline @ turn.T + centre).astype(np.int32)], 255, cv2.LINE_AA)
        np.maximum(weights, _blur(mask, unit * log_uniform(_EDGE_PX, rng)), out=weights)
    return weights.astype(np.float32) / np.float32(255)


def _sample_outline(rng: Generator) -> np.ndarray:
    """A polygon about the origin with half sides of about one, (n, 2)."""
    kind = rng.integers(3)
    if kind == 0:
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64)
    count = 48 if kind == 1 else int(rng.integers(4, 8))
    angles = np.linspace(0, 2 * np.pi, count) if kind == 1 else np.sort(rng.uniform(0, 2 * np.pi, count))
    radii = 2.0 if kind == 1 else rng.uniform(0.6, 1.4, (count, 1))
    return radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _flatten_people(stage: Stage, actors: Sequence[Actor]) -> np.ndarray:
    """The people of the first frame over one another on the place's canvas: (H/2, W/2, 4) float32, premultiplied."""
    height, width = (side // 2 for side in stage.place.shape[1:])
    to_frame = np.linalg.inv(stage.matrix) @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    person = np.zeros((height, width, 4), np.float32)
    for actor in actors[::-1]:
        image = cv2.merge(list(actor.canvases[0]))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(image, actor.maps[0] @ to_frame, (width, height), flags=flags)
        layer = warped.astype(np.float32) / np.float32(255)
        layer[..., :3] *= layer[..., 3:]
        person = layer + (1 - layer[..., 3:]) * person
    return person


def _sample_point(alpha: np.ndarray, rng: Generator) -> np.ndarray:
    """A pixel (x, y) of the person, most often one at the outline; any pixel where there is nobody."""
    solid = (alpha > 0.5).astype(np.uint8)
    at_outline, share = rng.random() < _AT_OUTLINE, rng.random()
    chosen = solid - cv2.erode(solid, np.ones((5, 5), np.uint8), borderValue=1) if at_outline else solid
    found = np.flatnonzero(chosen)
    index = found[int(share * len(found))] if len(found) else int(share * alpha.size)
    return np.array([index % alpha.shape[1], index // alpha.shape[1]])


def _extend_colours(person: np.ndarray, sigma: float) -> np.ndarray:
    """The person's straight colours, blurred and extended over the whole picture: (h, w, 3)."""
    near = _blur(person, sigma)
    far = _blur(cv2.resize(near, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), _FAR_WIDTH * sigma / 4)
    both = near + np.float32(_FAR_WEIGHT) * cv2.resize(far, near.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    both += np.float32(_FAR_WEIGHT**2) * person.mean(axis=(0, 1))
    return both[..., :3] / np.maximum(both[..., 3:], 1e-9)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur, at a reduced resolution where it is wide."""
    factor = 2 ** int(np.clip(np.log2(sigma / _LEAST_SIGMA), 0, 3))
    if factor == 1:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    size = tuple(-(-side // factor) for side in image.shape[1::-1])
    small = cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (0, 0), sigma / factor)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
