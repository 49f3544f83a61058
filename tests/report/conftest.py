"""A small render with its report, with the network that ships, and render folders written by the tests."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import howard

WIDTH, HEIGHT = 320, 192
NAME = "täke &amp; <script>alert(1) \"x\" 'y'"


def draw_clips(folder: Path) -> None:
    """A shot of four frames, the last before a blank wall, and a plate of two; the shot's name is there to be escaped.

    Both look at one place from a little further left or right.
    """
    rng = np.random.default_rng(5)
    blots = (40 * cv2.resize(rng.random((n, n, 3)), (600, 240), interpolation=cv2.INTER_CUBIC) for n in (5, 20, 60, 99))
    place = sum(blots).clip(0, 255).astype(np.uint8)
    wall = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    views = {left: place[20 : 20 + HEIGHT, left : left + WIDTH].copy() for left in (30, 26, 20, 24, 36)}
    for clip, pictures in ((NAME, [views[30], views[26], views[20], wall]), ("plate", [views[24], views[36]])):
        (folder / clip).mkdir()
        for number, picture in enumerate(pictures, start=1):
            if clip == NAME:
                cv2.ellipse(picture, (150, 150), (40, 110), 0, 0, 360, (40, 60, 220), -1, cv2.LINE_AA)
            cv2.imwrite(str(folder / clip / f"{clip}.{number:04d}.png"), picture)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real render; not to be written to."""
    folder = tmp_path_factory.mktemp("clips")
    draw_clips(folder)
    output = folder / "out"
    howard.remove_background(folder / NAME, folder / "plate", output, quality="fast", progress=False)
    return output


@pytest.fixture
def render(finished: Path, tmp_path: Path) -> Path:
    """A copy of a real render, to be drawn again."""
    return Path(shutil.copytree(finished, tmp_path / "render"))


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """``written(lines, sidecar)``: a render's folder with these frame lines, dicts or text, and this sidecar."""

    def write(lines: list[dict[str, Any] | str], sidecar: Any = None) -> Path:
        folder = tmp_path / "written"
        folder.mkdir()
        (folder / "howard.json").write_text(json.dumps({} if sidecar is None else sidecar))
        rows = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        (folder / "howard.frames.jsonl").write_text("".join(f"{row}\n" for row in rows))
        return folder

    return write
