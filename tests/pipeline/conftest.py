"""A tiny shot and its plate, and a predictor without a network."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import pytest
import torch

from howard.pipeline import plate_check, remove_background
from tests.pipeline.difference_key import DifferenceKey
from tests.pipeline.frame_writing import write_frames

WIDTH, HEIGHT = 320, 240


class Clips(NamedTuple):
    """Paths of a shot of six frames and a plate of three."""

    shot: Path
    plate: Path


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


@pytest.fixture
def write(clips, tmp_path) -> Callable[..., int]:
    """Writes frames of the shot into ``tmp_path/out`` with a made-up matte; arguments as those of `write_frames`."""

    def run(name: str, first: int = 2, last: int = 3, **keywords) -> int:
        return write_frames(name, first, last, **({"source": clips.shot, "output": tmp_path / "out"} | keywords))

    return run


@pytest.fixture
def deep_shot(tmp_path):
    """A shot as a sequence of two PNG of 16 bits with every bit in use, numbered from 1001."""
    rng = np.random.default_rng(2)
    (tmp_path / "shot").mkdir()
    for number in (1001, 1002):
        image = rng.integers(0, 65536, (72, 96, 3), dtype=np.uint16)
        cv2.imwrite(str(tmp_path / "shot" / f"shot.{number}.png"), image)
    return tmp_path / "shot"


@pytest.fixture
def speaking_shot(clips, tmp_path):
    """The shot with sound and timecode."""
    path = tmp_path / "speaking.mov"
    with av.open(str(clips.shot)) as given, av.open(str(path), "w") as container:
        movie = container.add_stream("libx264", rate=24)
        movie.width, movie.height, movie.pix_fmt, movie.options = 320, 240, "yuv420p", {"qp": "4"}
        movie.metadata["timecode"] = "10:00:00:00"
        sound = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number, frame in enumerate(given.decode(video=0)):
            frame.pts, frame.time_base = number, Fraction(1, 24)
            container.mux(movie.encode(frame))
        noise = np.random.default_rng(4).integers(-9000, 9000, (1, 12000), dtype=np.int16)
        spoken = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        spoken.sample_rate = 48000
        container.mux(sound.encode(spoken))
        for stream in (movie, sound):
            container.mux(stream.encode(None))
    return path
