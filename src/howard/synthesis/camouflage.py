"""Camouflage: places with the colours of the person in front of them, and plates with holes behind the person.

Where source and plate are alike, alpha cannot be derived from their difference, so the network has to recognise the
person. The camouflage changes the canvases of place and plate, so both show the same place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvases import BackgroundLayer, ForegroundLayer
from howard.synthesis.placement import find_head, mean_scale, rotation_matrix
from howard.synthesis.random_sampling import Generator, log_uniform
from howard.synthesis.recipe import pixel_unit

# Smallest standard deviation in pixels to which a wide blur is reduced by computing it at a lower resolution.
_MIN_SIGMA = 1.5
# Standard deviation, relative to the first, of a second blur that fills areas far from the person, and its weight.
_FAR_WIDTH = 4.0
_FAR_WEIGHT = 1e-3
# Half sides of a region, as fractions of the frame side: from a strand of hair to half of the person.
_RADII = (0.05, 0.35)
# Standard deviation of the blur of a region's edge, in recipe pixels.
_EDGE_PX = (0.7, 20.0)
# Standard deviation of the blur of the person's colours, in recipe pixels.
_COLOUR_BLUR_PX = (3.0, 24.0)
# Detail of the place below this standard deviation is kept as its texture, in recipe pixels.
_TEXTURE_PX = (2.0, 10.0)
# Weight of the person's colour; below one half, an obvious difference would remain.
_STRENGTH = (0.6, 1.0)
# Probability of a single colour for all regions, like a wall in the colour of skin or shirt.
_UNIFORM_PROBABILITY = 0.25
# Probability that a region is centred near the outline, where mattes fail most often.
_AT_OUTLINE = 2 / 3
# Centre of a region at the head: distance in head radii, up to where loose hair ends, and angle from straight up.
_HEAD_DISTANCE = (0.9, 1.5)
_HEAD_ANGLE = np.deg2rad(120)


class Camouflage(NamedTuple):
    """A blend of a place towards ``colours`` (H/2, W/2, 3) in [0, 1] by ``weights`` (H, W) in [0, 1].

    Detail of the place finer than ``texture_px`` is kept, with its contrast scaled by ``texture``.
    """

    colours: np.ndarray
    weights: np.ndarray
    texture: float
    texture_px: float

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Apply the blend to a canvas (C, H, W) uint8 with colour in the first three channels; returns a new one."""
        left, top, width, height = cv2.boundingRect((self.weights > 1 / 255).astype(np.uint8))
        # Even bounds: each pixel of ``colours`` covers a block of 2x2 pixels of the place.
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


def apply_camouflage(
    background: BackgroundLayer,
    foregrounds: Sequence[ForegroundLayer],
    frame: tuple[int, int],
    rng: Generator,
    head_probability: float = 0.0,
) -> BackgroundLayer:
    """Give regions of place and plate behind the persons of the first frame the colours of the persons.

    ``head_probability`` is that of a region at the outline of a head.
    """
    person, unit = _flatten_people(background, foregrounds), pixel_unit(frame) * mean_scale(background.matrix)
    change = sample_camouflage(person, background.place.shape[1:], unit, rng, head_probability)
    place = change.apply(background.place)
    # Usually the plate has the same pixels, and copying the result is cheaper than computing it again.
    is_same = np.array_equal(background.place[:3], background.plate[:3])
    plate = np.concatenate([place[:3], background.plate[3:]]) if is_same else change.apply(background.plate)
    return background._replace(place=place, plate=plate)


def remove_behind_people(
    background: BackgroundLayer, foregrounds: Sequence[ForegroundLayer], frame: tuple[int, int], rng: Generator
) -> BackgroundLayer:
    """Remove regions behind the persons of the first frame from the plate's coverage."""
    person, unit = _flatten_people(background, foregrounds), pixel_unit(frame) * mean_scale(background.matrix)
    plate = background.plate.copy()
    plate[3][sample_regions(person[..., 3], plate.shape[1:], unit, rng) > 0.5] = 0
    return background._replace(plate=plate)


def sample_camouflage(
    person: np.ndarray, size: tuple[int, ...], unit: float, rng: Generator, head_probability: float = 0.0
) -> Camouflage:
    """Sample regions, colours and strength of a camouflage.

    Args:
        person: (H/2, W/2, 4) float32 in [0, 1], premultiplied, on the canvas of the place at half resolution.
        size: H, W of the canvas.
        unit: canvas pixels per recipe pixel.
        rng: random generator.
        head_probability: that the first region is at the outline of a head, if one is found.
    """
    weights = sample_regions(person[..., 3], size, unit, rng, head_probability) * np.float32(rng.uniform(*_STRENGTH))
    colours = _extend_colours(person, unit * log_uniform(_COLOUR_BLUR_PX, rng) / 2)
    # Small random differences in brightness and tint.
    colours *= np.float32(np.exp(rng.normal(0, 0.06))) * np.exp(rng.normal(0, 0.02, 3)).astype(np.float32)
    if rng.random() < _UNIFORM_PROBABILITY:
        x, y = _sample_point(person[..., 3], rng)
        colours = np.broadcast_to(colours[y, x], colours.shape)
    texture_px = unit * log_uniform(_TEXTURE_PX, rng)
    return Camouflage(np.ascontiguousarray(colours), weights, rng.uniform(0.2, 1.0), texture_px)


def sample_regions(
    alpha: np.ndarray, size: tuple[int, ...], unit: float, rng: Generator, head_probability: float = 0.0
) -> np.ndarray:
    """Sample a mask of one to three soft ellipses, rectangles or polygons behind a person: (H, W) float32 in [0, 1].

    Args:
        alpha: (H/2, W/2) float32 in [0, 1], of the person.
        size: H, W.
        unit: canvas pixels per recipe pixel.
        rng: random generator.
        head_probability: that the first region is at the outline of a head, if one is found.
    """
    weights = np.zeros(size, np.uint8)
    # No random number is drawn at 0, so that recipes without this keep their samples.
    at_head = _sample_head_point(alpha, rng) if head_probability and rng.random() < head_probability else None
    for index in range(rng.integers(1, 4)):
        radii = unit * 512 * np.array([log_uniform(_RADII, rng) for _ in range(2)])
        middle = _sample_point(alpha, rng) if index or at_head is None else at_head
        centre = 2 * middle + rng.normal(0, 0.35, 2) * radii
        outline = _sample_outline(rng) * radii
        angle = np.deg2rad(rng.uniform(-25, 25))
        rotation = rotation_matrix(angle)
        mask = np.zeros(size, np.uint8)
        cv2.fillPoly(mask, [np.round(outline @ rotation.T + centre).astype(np.int32)], 255, cv2.LINE_AA)
        np.maximum(weights, _blur(mask, unit * log_uniform(_EDGE_PX, rng)), out=weights)
    return weights.astype(np.float32) / np.float32(255)


def _sample_outline(rng: Generator) -> np.ndarray:
    """A polygon around the origin with half sides of about one, (n, 2)."""
    kind = rng.integers(3)
    if kind == 0:
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64)
    count = 48 if kind == 1 else int(rng.integers(4, 8))
    angles = np.linspace(0, 2 * np.pi, count) if kind == 1 else np.sort(rng.uniform(0, 2 * np.pi, count))
    radii = 2.0 if kind == 1 else rng.uniform(0.6, 1.4, (count, 1))
    return radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _flatten_people(background: BackgroundLayer, foregrounds: Sequence[ForegroundLayer]) -> np.ndarray:
    """Composite the persons of the first frame on the place's canvas: (H/2, W/2, 4) float32, premultiplied."""
    height, width = (side // 2 for side in background.place.shape[1:])
    to_frame = np.linalg.inv(background.matrix) @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    person = np.zeros((height, width, 4), np.float32)
    for foreground in foregrounds[::-1]:
        image = cv2.merge(list(foreground.canvases[0]))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(image, foreground.maps[0] @ to_frame, (width, height), flags=flags)
        layer = warped.astype(np.float32) / np.float32(255)
        layer[..., :3] *= layer[..., 3:]
        person = layer + (1 - layer[..., 3:]) * person
    return person


def _sample_point(alpha: np.ndarray, rng: Generator) -> np.ndarray:
    """A random pixel (x, y) of the person, usually at the outline; any pixel if there is no person."""
    solid = (alpha > 0.5).astype(np.uint8)
    at_outline, fraction = rng.random() < _AT_OUTLINE, rng.random()
    chosen = solid - cv2.erode(solid, np.ones((5, 5), np.uint8), borderValue=1) if at_outline else solid
    found = np.flatnonzero(chosen)
    index = found[int(fraction * len(found))] if len(found) else int(fraction * alpha.size)
    return np.array([index % alpha.shape[1], index // alpha.shape[1]])


def _sample_head_point(alpha: np.ndarray, rng: Generator) -> np.ndarray | None:
    """A random point (x, y) beside or above the topmost head, where its hair is; None if no head is found."""
    head = find_head(np.round(255 * alpha).astype(np.uint8))
    if head is None:
        return None
    angle, distance = rng.uniform(-_HEAD_ANGLE, _HEAD_ANGLE), head.radius * rng.uniform(*_HEAD_DISTANCE)
    return head.centre + distance * np.array([np.sin(angle), -np.cos(angle)])


def _extend_colours(person: np.ndarray, sigma: float) -> np.ndarray:
    """Straight colours of the person, blurred and extended over the whole image: (h, w, 3)."""
    near = _blur(person, sigma)
    far = _blur(cv2.resize(near, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), _FAR_WIDTH * sigma / 4)
    both = near + np.float32(_FAR_WEIGHT) * cv2.resize(far, near.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    both += np.float32(_FAR_WEIGHT**2) * person.mean(axis=(0, 1))
    return both[..., :3] / np.maximum(both[..., 3:], 1e-9)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur, computed at a reduced resolution if it is wide."""
    factor = 2 ** int(np.clip(np.log2(sigma / _MIN_SIGMA), 0, 3))
    if factor == 1:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    size = tuple(-(-side // factor) for side in image.shape[1::-1])
    small = cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (0, 0), sigma / factor)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
