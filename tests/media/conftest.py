"""Small clips, encoded for the occasion."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

Encode = Callable[..., Path]


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """Write pictures, (H, W, 3) uint8 RGB, as a nearly lossless clip; more keywords as below."""

    def write(
        images: Sequence[np.ndarray],
        name: str = "clip.mp4",
        *,
        rate: int = 24,
        stamps: Sequence[int] | None = None,
        rotation: int | None = None,
        gop: int = 6,
        colour: dict[str, Any] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=rate)
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = "yuv444p"
            stream.options = {"qp": "1", "g": str(gop), "bf": "2"}
            if rotation is not None:
                stream.set_display_rotation(rotation)
            for attribute, value in (colour or {}).items():
                setattr(stream.codec_context, attribute, value)
            for number, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv444p")
                for attribute, value in (colour or {}).items():
                    setattr(frame, attribute, value)
                frame.pts = number if stamps is None else stamps[number]
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def numbered() -> list[np.ndarray]:
    """Twenty pictures of 64 x 48, each of its own grey, with a bright top left quarter."""
    images = []
    for number in range(20):
        image = np.full((48, 64, 3), 20 + 8 * number, np.uint8)
        image[:24, :32] = 230
        images.append(image)
    return images
