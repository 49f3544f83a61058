"""Rendered screens with ground truth."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.screens import SCREENS, Take, drawn_take, write_clip
from howard.keying import Screen

ROOT = Path(__file__).parents[2]
RENDERED = ROOT / "data" / "sample" / "people"
PEOPLE = ROOT.parent / "shared" / "data" / "people_real"


class Filmed(NamedTuple):
    """A take, and the file it was compressed to."""

    take: Take
    path: Path
    screen: str


@pytest.fixture(scope="session", params=SCREENS)
def filmed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    """A drawn figure before each screen: three frames of 640 x 360."""
    take = drawn_take(41, request.param, count=3)
    return Filmed(take, write_clip(tmp_path_factory.mktemp("film") / "dance.mp4", take.frames), request.param)


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small frames before a green screen, for what is about files."""
    take = drawn_take(42, "green", count=4, size=(120, 212))
    return write_clip(tmp_path_factory.mktemp("film") / "small.mp4", take.frames)


@pytest.fixture
def green() -> Screen:
    return Screen("green", np.array(SCREENS["green"], np.float32), np.full(3, 0.003, np.float32))


@pytest.fixture
def disc() -> Callable[..., np.ndarray]:
    """Draws alpha (H, W) float32: a disc with a soft rim ``soft`` pixels wide."""

    def draw(height: int, width: int, x: float, y: float, radius: float, soft: float = 4.0) -> np.ndarray:
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        return np.clip((radius - np.hypot(columns - x, rows - y)) / soft + 0.5, 0, 1)

    return draw
