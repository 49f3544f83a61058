"""Known geometry is recovered through exposure, blur, noise and a person, to fractions of a pixel.

Pictures are 1920 wide, because the limits are in pixels of that.
"""

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align import PlateAligner
from howard.align.fusion import map_layer
from howard.align.pictures import Size
from howard.align.warp import plate_positions

SIZE = Size(1920, 1080)
# Lower middle: 30 % of the picture.
PERSON = (slice(280, 1080), slice(560, 1338))


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


class Pair(NamedTuple):
    """Source and plate, with the true plate position of every source pixel, (H, W, 2)."""

    source: np.ndarray
    plate: np.ndarray
    positions: np.ndarray


@pytest.fixture(scope="module")
def place(texture):
    return cv2.resize(texture(8, 700, 1100), (2400, 1530), interpolation=cv2.INTER_CUBIC)


def _view(seed):
    rng = np.random.default_rng(seed)
    angle, zoom = rng.uniform(-0.02, 0.02), rng.uniform(0.98, 1.02)
    c, s = zoom * np.cos(angle), zoom * np.sin(angle)
    x, y = rng.uniform(-280, -200), rng.uniform(-260, -200)
    return np.array([[c, -s, x], [s, c, y], [*rng.uniform(-6e-6, 6e-6, 2), 1]])


def _expose(image, stops):
    """As a longer exposure records it: gain in linear light."""
    linear = (image / 255.0) ** 2.2 * 2**stops
    return 255 * np.minimum(linear, 1) ** (1 / 2.2)


def _record(clean, texture, *, stops=0.0, blur=1, noise=0.0):
    """The source with a person, brighter by ``stops``, blurred sideways over ``blur`` pixels, with noise in levels."""
    image = clean.copy()
    height, width = (side.stop - side.start for side in PERSON)
    image[PERSON] = cv2.resize(texture(21, height // 3, width // 3), (width, height), interpolation=cv2.INTER_CUBIC)
    image = cv2.blur(_expose(image, stops), (blur, 1))
    image += np.random.default_rng(5).normal(0, noise, image.shape) if noise else 0
    return np.rint(np.clip(image, 0, 255)).astype(np.uint8)


def _fit(pair):
    (layer,) = PlateAligner([Shot(pair.plate)]).fit(Shot(pair.source))
    return layer


def _errors(found, pair):
    """Distances between a map and the true one in the visible background, in pixels."""
    visible = np.ones((SIZE.height, SIZE.width), bool)
    visible[PERSON] = False
    inside = ((pair.positions > 2) & (pair.positions < np.array(SIZE) - 3)).all(axis=2)
    return np.linalg.norm(found - pair.positions, axis=2)[visible & inside]


@pytest.mark.parametrize(
    ("harm", "limit"),
    [
        ({"stops": 0.7}, 0.5),
        ({"blur": 15}, 0.5),
        ({"noise": 10.0}, 0.5),
        ({"stops": 0.7, "blur": 15, "noise": 10.0}, 1.2),
    ],
    ids=["exposure", "blur", "noise", "all"],
)
def test_a_known_homography_is_recovered(place, texture, harm, limit):
    to_source, to_plate = _view(1), _view(2)
    clean, plate = (cv2.warpPerspective(place, view, SIZE, flags=cv2.INTER_CUBIC) for view in (to_source, to_plate))
    positions = plate_positions(to_source @ np.linalg.inv(to_plate), SIZE)
    pair = Pair(_record(clean, texture, **harm), plate, positions)
    layer = _fit(pair)
    matrix = layer.candidate.estimate.matrix
    assert np.median(_errors(plate_positions(matrix, SIZE), pair)) < limit
    # Mesh and flow have nothing to add here but their own noise; it stays small, where there is any texture.
    assert np.median(_errors(map_layer(layer, matrix, SIZE), pair)) < 1.2


def test_known_parallax_between_planes_is_recovered(place, texture):
    """A near slab on the left, shifted against the wall behind by 14 pixels between the takes."""
    near = np.zeros((SIZE.height, SIZE.width), bool)
    near[300:, :420] = True
    slab = texture(31, 600, 1000)
    slab = cv2.resize(slab, (2400, 1530), interpolation=cv2.INTER_CUBIC)
    to_source, to_plate = _view(3), _view(4)
    shift = np.array([[1.0, 0, 14], [0, 1, -4], [0, 0, 1]])
    wall, wall_plate = (cv2.warpPerspective(place, view, SIZE) for view in (to_source, to_plate))
    front = cv2.warpPerspective(slab, to_source, SIZE)
    to_near = np.linalg.inv(shift @ to_plate @ np.linalg.inv(to_source))
    clean = np.where(near[..., None], front, wall)
    near_plate = cv2.warpPerspective(near.astype(np.uint8), np.linalg.inv(to_near), SIZE) > 0
    plate = np.where(near_plate[..., None], cv2.warpPerspective(slab, shift @ to_plate, SIZE), wall_plate)
    positions = np.where(
        near[..., None], plate_positions(to_near, SIZE), plate_positions(to_source @ np.linalg.inv(to_plate), SIZE)
    )
    pair = Pair(_record(clean, texture), plate, positions)
    layer = _fit(pair)
    errors = _errors(map_layer(layer, layer.candidate.estimate.matrix, SIZE), pair)
    assert np.percentile(errors, 90) < 1.5
