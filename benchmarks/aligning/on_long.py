"""What long clips cost: time and memory to read a plate of many minutes, and memory over many source frames."""

import argparse
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.aligning.harness import use_one_thread
from benchmarks.scenes import MemoryClip, Size
from benchmarks.scenes.drawn import place
from howard.align import PlateAligner
from howard.media import Frame, open_reader

_SIZE, _RATE = Size(960, 540), 24
# The place is this much wider and higher than what the camera sees of it.
_ROOM = 1.4
_SHOTS = 6
_STEADY_SIZE, _STEADY_PLATE = Size(320, 180), 48
# Until then caches fill and libraries settle.
_SETTLED = 200
_MEBIBYTE = 2**20


class _Camera(NamedTuple):
    """Pans over a drawn ``place`` for ``count`` frames and shakes a little; sees ``size`` pixels of it."""

    place: np.ndarray
    size: Size
    count: int

    def frame(self, number: float) -> np.ndarray:
        """What is seen at a frame's time, (h, w, 3) uint8."""
        free = np.array([self.place.shape[1] - self.size.width, self.place.shape[0] - self.size.height])
        turn = 2 * np.pi * number / self.count
        where = free * (0.5 + 0.45 * np.array([np.sin(turn), np.cos(3 * turn)])) + np.sin(number * np.array([1.1, 1.7]))
        matrix = np.array([[1, 0, -where[0]], [0, 1, -where[1]]])
        return cv2.warpAffine(self.place, matrix, self.size)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, float]]:
    """Draw, read and use a plate of ``arguments.minutes``, then align ``arguments.steady`` frames; print and return."""
    use_one_thread()
    found = {"plate": _long_plate(arguments.minutes)}
    found |= {f"steady, {name}": _steady(name, arguments.steady) for name in ("standard", "best")}
    table = Table(title=f"Long clips: a plate of {arguments.minutes:g} min {_SIZE.width} x {_SIZE.height}, H.264, "
                  f"{_RATE} fps; {arguments.steady} source frames", title_justify="left")  # fmt: skip
    for heading in ("", "figure", "value"):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for name, figures in found.items():
        for figure, value in figures.items():
            table.add_row(name, figure, f"{value:.1f}")
    console.print(table)
    return found


def _long_plate(minutes: float) -> dict[str, float]:
    count = max(2, round(minutes * 60 * _RATE))
    whole = Size(round(_ROOM * _SIZE.width), round(_ROOM * _SIZE.height))
    camera = _Camera(place(np.random.default_rng(3), whole), _SIZE, count)
    with TemporaryDirectory() as folder:
        path = Path(folder, "plate.mp4")
        _film(camera, path)
        with open_reader(path) as plate:
            before, started = _resident(), time.perf_counter()
            aligner = PlateAligner(plate, quality="fast", cache=Path(folder, "cache"))
            indexed, seconds = _resident(), time.perf_counter() - started
            times, good = [], 0
            for number in np.linspace(0.1, 0.9, _SHOTS) * count:
                began = time.perf_counter()
                aligned = aligner.align(Frame(camera.frame(number + 0.5), 0, 1, Fraction(0)))
                times.append(time.perf_counter() - began)
                # A pan comes by a place more than once; what fits is what shows the same, whenever that was.
                good += aligned.status == "good"
            return {
                "frames": count,
                "minutes to read it through": seconds / 60,
                "MiB more after reading": indexed - before,
                "MiB more after aligning": _resident() - before,
                "s for a source frame the first time": float(np.median(times)),
                "share of source frames that are good": good / _SHOTS,
            }


def _steady(quality: str, count: int) -> dict[str, float]:
    """MiB that are in use more after ``count`` frames than after the first ones."""
    whole = Size(round(_ROOM * _STEADY_SIZE.width), round(_ROOM * _STEADY_SIZE.height))
    camera = _Camera(place(np.random.default_rng(4), whole), _STEADY_SIZE, _STEADY_PLATE)
    plate = MemoryClip.of("plate", [camera.frame(number) for number in range(_STEADY_PLATE)])
    aligner, settled = PlateAligner(plate, quality=quality), 0.0
    for number in range(count):
        aligner.align(Frame(camera.frame(number * 0.37), 0, 1, Fraction(0)))
        if number == min(_SETTLED, count // 2):
            settled = _resident()
    return {"frames": count, "MiB more at the end than when settled": _resident() - settled}


def _film(camera: _Camera, path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"preset": "ultrafast", "crf": "26"})
        stream.width, stream.height, stream.pix_fmt = *camera.size, "yuv420p"
        for packet in _encoded(stream, camera):
            container.mux(packet)


def _encoded(stream: av.VideoStream, camera: _Camera) -> Iterator[av.Packet]:
    for number in range(camera.count):
        yield from stream.encode(av.VideoFrame.from_ndarray(camera.frame(number), format="rgb24"))
    yield from stream.encode()


def _resident() -> float:
    """MiB of memory in use; NaN where the system does not tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return float("nan")
    return int(status.read_text(encoding="ascii").split()[1]) * 4096 / _MEBIBYTE
