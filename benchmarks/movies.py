"""Movies made of the sample clip, for benchmarks of files."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.measuring import SAMPLE
from howard.media import open_reader


def sample_frames(name: str, size: tuple[int, int]) -> list[np.ndarray]:
    """All frames of a clip of ``data/sample``, resized to (width, height): (h, w, 3) uint8 each."""
    with open_reader(SAMPLE / f"{name}.mp4") as reader:
        return [np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC), np.uint8) for frame in reader]


def forward_and_back(images: list[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """``count`` frames that run through ``images`` forward, backward, forward and so on, without a cut."""
    period = 2 * len(images) - 2
    return (images[min(index % period, period - index % period)] for index in range(count))


def write_movie(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    megabits: int | None = None,
    keyframes: int | None = None,
    **options: str,
) -> Path:
    """Write RGB frames as H.264, 4:2:0, 24 frames a second.

    Args:
        path: where.
        frames: (H, W, 3) uint8 each.
        megabits: bit rate in Mbit/s.
        keyframes: frames from one keyframe to the next.
        options: those of x264, such as ``crf`` and ``preset``.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options=options)
        stream.pix_fmt = "yuv420p"
        if megabits is not None:
            stream.bit_rate = 1_000_000 * megabits
        if keyframes is not None:
            stream.codec_context.gop_size = keyframes
        images = iter(frames)
        first = next(images)
        stream.height, stream.width = first.shape[:2]
        for image in chain([first], images):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path
