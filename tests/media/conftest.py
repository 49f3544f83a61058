"""Fixtures: small clips encoded with FFmpeg, test images, and a reference decoder."""

import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest

from howard.media import ClipInfo

Encode = Callable[..., Path]


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """A function that writes images, (H, W, 3) uint8 RGB, as a nearly lossless clip."""

    def write(
        images: Sequence[np.ndarray],
        name: str = "clip.mp4",
        *,
        rate: int | Fraction = 24,
        stamps: Sequence[int] | None = None,
        rotation: int | None = None,
        gop: int = 6,
        colour: dict[str, Any] | None = None,
        options: dict[str, str] | None = None,
        timecode: str | None = None,
    ) -> Path:
        path = tmp_path / name
        # The muxer reads a name with a colon or a leading dash as something else.
        with av.open(f"file:{path}", "w", container_options=options or {}) as container:
            if timecode is not None:
                container.metadata["timecode"] = timecode
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
    """Twenty images of 64 x 48, each with a different grey, and a bright top left quarter."""
    images = []
    for number in range(20):
        image = np.full((48, 64, 3), 20 + 8 * number, np.uint8)
        image[:24, :32] = 230
        images.append(image)
    return images


def draw_hair(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Straight RGBA, (H, W, 4) float32 in [0, 1]: a soft disc and thin strands in strong colours; 0 where alpha is."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    alpha = np.clip((min(height, width) / 4 - np.hypot(x - width / 2, y - height / 2)) / 6 + 0.5, 0, 1)
    for strand in range(8):
        middle = rng.uniform(0, width) + rng.uniform(-0.5, 0.5) * y + 4 * np.sin(y / 9 + strand)
        alpha = np.maximum(alpha, np.clip(1.2 - np.abs(x - middle), 0, 1))
    colour = np.stack([0.6 + 0.4 * np.sin(x / 23), y / height, 1 - x / width], axis=2)
    colour[: height // 3] = (0.95, 0.02, 0.05)
    colour[height // 3 : height // 2, : width // 2] = (0.02, 0.9, 0.1)
    return np.dstack([np.where(alpha[..., None] > 0, colour, 0), alpha]).astype(np.float32)


@pytest.fixture
def hair() -> Callable[..., np.ndarray]:
    """A function that renders images with thin strands: see `draw_hair`."""
    return draw_hair


@pytest.fixture(scope="session")
def decode() -> Callable[..., np.ndarray]:
    """A second decoder, the ffmpeg program: (frames, H, W, 4), of "rgba" (uint8) or "rgba64le" (uint16).

    Options go before the input. The matrix and the range are those of the file's own tags.
    """

    def read(path: Path, width: int, height: int, pixel_format: str = "rgba", *options: str) -> np.ndarray:
        scale = "scale=out_range=full:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
        line = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *options, "-i", f"file:{path}", "-vf", scale]
        line += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", pixel_format, "-"]
        done = subprocess.run(line, capture_output=True, check=True, timeout=60)
        assert not done.stderr, done.stderr.decode()
        values = np.frombuffer(done.stdout, np.uint8 if pixel_format == "rgba" else np.uint16)
        return values.reshape(-1, height, width, 4)

    return read


@pytest.fixture
def describe(tmp_path: Path) -> Callable[..., ClipInfo]:
    """Says of a clip that need not exist what a writer asks; more keywords as those of `ClipInfo`."""

    def clip(width: int, height: int, frame_count: int = 24, rate: Fraction = Fraction(24), **more: Any) -> ClipInfo:
        path = tmp_path / "shot.mov"
        known: dict[str, Any] = {"path": path, "files": (path,), "name": "shot", "pixel_format": "rgb24"}
        known |= {"width": width, "height": height, "frame_count": frame_count, "frame_rate": rate}
        return ClipInfo(**(known | {"duration": frame_count / rate} | more))

    return clip
