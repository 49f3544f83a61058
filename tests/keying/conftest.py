"""Rendered screens with ground truth."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.screens import SCREENS, ScreenClip, drawn_clip, write_clip
from howard.keying import Screen

ROOT = Path(__file__).parents[2]
RENDERED = ROOT / "data" / "sample" / "people"
PEOPLE = ROOT.parent / "shared" / "data" / "people_real"


class Filmed(NamedTuple):
    """A clip and the file that it was compressed to."""

    clip: ScreenClip
    path: Path
    screen: str


@pytest.fixture(scope="session", params=SCREENS)
def filmed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    """A drawn figure before each screen: three frames of 640 x 360."""
    clip = drawn_clip(41, request.param, count=3)
    return Filmed(clip, write_clip(tmp_path_factory.mktemp("film") / "dance.mp4", clip.frames), request.param)


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small frames before a green screen, for what is about files."""
    clip = drawn_clip(42, "green", count=4, size=(120, 212))
    return write_clip(tmp_path_factory.mktemp("film") / "small.mp4", clip.frames)


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
