"""A place that takes on the colours of the person in front of it, and plates that lack what is behind the person.

Where source and plate agree, the matte cannot follow from their difference: the network has to recognise the person.
Both change the place's canvas, so that shot and plate show the same place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.dice import Generator
from howard.synthesis.placement import enlargement
from howard.synthesis.recipe import pixel_unit
from howard.synthesis.stage import Actor, Stage

# Colours are blurred at this fraction of the canvas: they are smooth.
_SCALE = 0.5
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
    """A change of a place: towards ``colours`` (H, W, 3) in [0, 1] by ``weights`` (H, W, 1) in [0, 1].

    Detail finer than ``texture_px`` keeps ``texture`` of its contrast.
    """

    colours: np.ndarray
    weights: np.ndarray
    texture: float
    texture_px: float

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The changed place of a place (3, H, W) uint8."""
        place = image.transpose(1, 2, 0).astype(np.float32) / np.float32(255)
        detail = place - _blur(place, self.texture_px)
        place += self.weights * (self.colours + np.float32(self.texture) * detail - place)
        return np.round(255 * place.clip(0, 1)).astype(np.uint8).transpose(2, 0, 1)


def camouflage(stage: Stage, actors: Sequence[Actor], frame: tuple[int, int], rng: Generator) -> Stage:
    """Give place and plate the colours of the people of the first frame, in regions behind them."""
    person, unit = _flatten_people(stage, actors), pixel_unit(frame) * enlargement(stage.matrix)
    change = sample_camouflage(person, unit, rng)
    place, plate = (np.concatenate([change.apply(each[:3]), each[3:]]) for each in (stage.place, stage.plate))
    return stage._replace(place=place, plate=plate)


def remove_behind_people(stage: Stage, actors: Sequence[Actor], frame: tuple[int, int], rng: Generator) -> Stage:
    """Take regions behind the people of the first frame out of the plate's coverage."""
    person, unit = _flatten_people(stage, actors), pixel_unit(frame) * enlargement(stage.matrix)
    plate = stage.plate.copy()
    plate[3][sample_regions(person[..., 3], unit, rng) > 0.5] = 0
    return stage._replace(plate=plate)


def sample_camouflage(person: np.ndarray, unit: float, rng: Generator) -> Camouflage:
    """Sample where a place takes on a person's colours, which of them, and how strongly.

    Args:
        person: (H, W, 4) float32 in [0, 1], premultiplied, on the canvas of the place.
        unit: canvas pixels of one of the recipe's pixels.
        rng: source of every random number.
    """
    weights = sample_regions(person[..., 3], unit, rng)[..., None] * np.float32(rng.uniform(*_STRENGTH))
    colours = _extend_colours(person, unit * _log_uniform(_COLOUR_BLUR_PX, rng))
    # In its own light: a little brighter or darker, and slightly tinted.
    colours *= np.float32(np.exp(rng.normal(0, 0.06))) * np.exp(rng.normal(0, 0.02, 3)).astype(np.float32)
    if rng.random() < _UNIFORM_PROBABILITY:
        x, y = _sample_point(person[..., 3], rng)
        colours = np.broadcast_to(colours[y, x], colours.shape)
    texture_px = unit * _log_uniform(_TEXTURE_PX, rng)
    return Camouflage(colours, weights, rng.uniform(0.2, 1.0), texture_px)


def sample_regions(alpha: np.ndarray, unit: float, rng: Generator) -> np.ndarray:
    """One to three soft ellipses, rectangles or polygons behind a person: (H, W) float32 in [0, 1]."""
    weights = np.zeros(alpha.shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        reach = unit * 512 * np.exp(rng.uniform(*np.log(_REACH), 2))
        centre = _sample_point(alpha, rng) + rng.normal(0, 0.35, 2) * reach
        outline = _sample_outline(rng) * reach
        angle = np.deg2rad(rng.uniform(-25, 25))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        mask = np.zeros(alpha.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(outline @ turn.T + centre).astype(np.int32)], 255, cv2.LINE_AA)
        soft = cv2.GaussianBlur(mask, (0, 0), unit * _log_uniform(_EDGE_PX, rng))
        weights = np.maximum(weights, soft.astype(np.float32) / np.float32(255))
    return weights


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
    """The people of the first frame over one another on the place's canvas: (H, W, 4) float32, premultiplied."""
    height, width = stage.place.shape[1:]
    to_frame = np.linalg.inv(stage.matrix)
    person = np.zeros((height, width, 4), np.float32)
    for actor in actors[::-1]:
        image = np.ascontiguousarray(actor.canvases[0].transpose(1, 2, 0))
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
    """The person's straight colours, blurred and extended over the whole canvas: (H, W, 3)."""
    height, width = person.shape[:2]
    small = _shrink(person)
    near = cv2.GaussianBlur(small, (0, 0), sigma * _SCALE)
    tiny = cv2.resize(near, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    far = cv2.GaussianBlur(tiny, (0, 0), _FAR_WIDTH * sigma * _SCALE * 0.25)
    both = near + np.float32(_FAR_WEIGHT) * cv2.resize(far, near.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    both += np.float32(_FAR_WEIGHT**2) * person.mean(axis=(0, 1))
    colours = both[..., :3] / np.maximum(both[..., 3:], 1e-9)
    return cv2.resize(colours, (width, height), interpolation=cv2.INTER_LINEAR)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    blurred = cv2.GaussianBlur(_shrink(image), (0, 0), sigma * _SCALE)
    return cv2.resize(blurred, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _shrink(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_AREA)


def _log_uniform(limits: tuple[float, float], rng: Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))
