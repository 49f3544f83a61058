"""A textured place, and views of it through known homographies."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import pytest


class Scene(NamedTuple):
    """``place`` (H, W, 3) uint8 is larger than any view of it."""

    place: np.ndarray

    def view(self, to_view: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """What a camera of ``size`` (width, height) sees; ``to_view`` maps pixels of the place to pixels seen."""
        return cv2.warpPerspective(self.place, to_view, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def make_texture(seed: int, height: int, width: int) -> np.ndarray:
    """Blots of many sizes under a few hundred boxes: corners everywhere, no two alike."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((4, 90), (16, 60), (64, 40)):
        blots = rng.random((cells, cells, 3)).astype(np.float32)
        image += strength * cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(400):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(4, 40, 2)
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), rng.integers(20, 230, 3).tolist(), -1)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.7), 15, 235).astype(np.uint8)


@pytest.fixture(scope="session")
def scene() -> Scene:
    """One place of 640 x 480 pixels."""
    return Scene(make_texture(3, 480, 640))


@pytest.fixture(scope="session")
def texture() -> Callable[[int, int, int], np.ndarray]:
    """More places: ``texture(seed, height, width)``."""
    return make_texture


@pytest.fixture
def homography() -> Callable[..., np.ndarray]:
    """``homography(seed, offset, strength)``: a hand-held camera's view of the scene, place to view pixels."""

    def make(seed: int, offset: tuple[float, float] = (-120, -80), strength: float = 1.0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        angle = strength * rng.uniform(-0.03, 0.03)
        zoom = 1 + strength * rng.uniform(-0.04, 0.04)
        x, y = np.array(offset) + strength * rng.uniform(-8, 8, 2)
        c, s = zoom * np.cos(angle), zoom * np.sin(angle)
        tilt = strength * rng.uniform(-3e-5, 3e-5, 2)
        return np.array([[c, -s, x], [s, c, y], [*tilt, 1]])

    return make


@pytest.fixture(scope="session")
def corners_apart() -> Callable[[np.ndarray, np.ndarray, tuple[int, int]], float]:
    """Largest distance, in pixels, between the corners of a picture (width, height) mapped by two homographies."""

    def measure(found: np.ndarray, true: np.ndarray, size: tuple[int, int]) -> float:
        right, bottom = size[0] - 1.0, size[1] - 1.0
        corners = np.array([[[0, 0], [right, 0], [right, bottom], [0, bottom]]])
        moved = cv2.perspectiveTransform(corners, found) - cv2.perspectiveTransform(corners, true)
        return float(np.linalg.norm(moved, axis=2).max())

    return measure
