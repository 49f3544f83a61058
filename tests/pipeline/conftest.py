"""A tiny shot and its plate, and a predictor that needs no network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
import pytest
import torch

from howard.media import to_depth
from howard.pipeline import plate_check, remove_background

WIDTH, HEIGHT = 320, 240


class Clips(NamedTuple):
    """Paths of a shot of six frames and a plate of three."""

    shot: Path
    plate: Path


@dataclass(frozen=True)
class KeyMetadata:
    """Describes the difference key as a weights file would describe its network."""

    name: str = "difference key"
    version: str = "1"
    encoder: str = "none"
    mixing: str = "linear"


class KeyCoarse(NamedTuple):
    """The coarse matte of a key that has none: the alpha at a quarter of the size."""

    alpha: np.ndarray
    error: np.ndarray


class KeyMatte(NamedTuple):
    """A matte that is numpy already."""

    alpha: np.ndarray
    foreground: np.ndarray
    coarse: KeyCoarse
    refined: np.ndarray

    def numpy(self) -> "KeyMatte":
        return self


@dataclass
class DifferenceKey:
    """A stand-in for the network: soft where source and plate differ a little, and the colour slightly dimmed.

    ``stop_after`` frames it behaves as if the user had pressed Ctrl-C; ``plates`` keeps what it was shown.
    ``find_people`` is that of a network that takes maps of people; ``people`` keeps those that it was given.
    """

    metadata: KeyMetadata = KeyMetadata()
    device: str = "cpu"
    precision: str = "fp32"
    digests: dict[str, str] = field(default_factory=dict)
    stop_after: int | None = None
    plates: list[np.ndarray] = field(default_factory=list)
    find_people: Callable[[np.ndarray, np.ndarray | None], Any] | None = None
    people: list[Any] = field(default_factory=list)

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray, person: Any = None) -> KeyMatte:
        if len(self.plates) == self.stop_after:
            raise KeyboardInterrupt
        self.plates.append(plate)
        self.people.append(person)
        source, plate = to_depth(source, np.float32), to_depth(plate, np.float32)
        difference = 255 * np.abs(source - plate).max(axis=2)
        alpha = np.clip((difference - 10) / 60, 0, 1)
        foreground = np.float32(0.9) * source.clip(0, 1)
        quarter = alpha[None, None, ::4, ::4]
        coarse = KeyCoarse(quarter, quarter * (1 - quarter))
        refined = (coarse.error > 0).astype(np.float32)
        return KeyMatte(alpha[None, None], np.moveaxis(foreground, -1, 0)[None], coarse, refined)

    def find_person(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray) -> np.ndarray:
        difference = np.abs(source.astype(np.float32) - plate).max(axis=2)
        return np.clip((difference - 10) / 60, 0, 1) * coverage


def encode(path: Path, images: Sequence[np.ndarray]) -> Path:
    """Write pictures, (H, W, 3) uint8 RGB, as a clip of 24 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"qp": "4"}
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> Clips:
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(5)
    place = np.clip(
        sum(
            40 * cv2.resize(rng.random((n, n, 3)), (400, 300), interpolation=cv2.INTER_CUBIC) for n in (5, 20, 60, 120)
        ),
        0,
        255,
    ).astype(np.uint8)
    shot, plate = [], []
    for step in range(6):
        image = place[20 + step : 20 + step + HEIGHT, 30 - step : 30 - step + WIDTH].copy()
        image[80:, 120 + 5 * step : 190 + 5 * step] = (220, 40, 60)
        shot.append(image)
    for step in range(3):
        plate.append(place[16 + 2 * step : 16 + 2 * step + HEIGHT, 24 + 3 * step : 24 + 3 * step + WIDTH])
    return Clips(encode(folder / "shot.mp4", shot), encode(folder / "plate.mp4", plate))


class Nobody:
    """Maps of a frame without people."""

    def person(self) -> torch.Tensor:
        return torch.zeros(1, 1, 6, 8)


@pytest.fixture(autouse=True)
def nobody_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders with a key need not wait for the person prior; tests of the plate's check have finders of their own."""
    monkeypatch.setattr(plate_check, "_load_people_finder", lambda device: lambda picture, mask: Nobody())


@pytest.fixture
def key() -> DifferenceKey:
    return DifferenceKey()


@pytest.fixture
def render(clips, tmp_path, key):
    """Render the clips into ``tmp_path/out``; keywords as those of `remove_background`."""

    def run(**keywords):
        settings = {"source": clips.shot, "plate": clips.plate, "output": tmp_path / "out", "predictor": key}
        return remove_background(**(settings | {"progress": False, "report": False} | keywords))

    return run
