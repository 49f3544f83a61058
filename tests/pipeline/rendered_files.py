"""Reading back what a render has written."""

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from howard.render_record import read_lines


def read_rgba(path: Path) -> np.ndarray:
    """A PNG file of colour and alpha, (H, W, 4) RGBA of its own depth."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)


def frame_lines(folder: Path) -> list[dict[str, Any]]:
    """The records of frames in a render's journals, in their order."""
    return [facts for facts in read_lines(folder) if "number" in facts]


def frame_numbers(folder: Path) -> list[int]:
    """The numbers of the frames in a render's journals, in their order."""
    return [facts["number"] for facts in frame_lines(folder)]


def read_sidecar(folder: Path) -> dict[str, Any]:
    """A render's ``howard.json``."""
    return json.loads((folder / "howard.json").read_text())


def movie_frames(path: Path, pixel_format: str = "rgb24") -> list[np.ndarray]:
    """All frames of a movie, as PyAV gives them in that pixel format."""
    with av.open(str(path)) as movie:
        return [frame.to_ndarray(format=pixel_format) for frame in movie.decode(video=0)]
