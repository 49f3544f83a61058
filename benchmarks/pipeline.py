"""What a frame costs on its way from the shot to the disk, at several sizes: ``python benchmarks/pipeline.py``.

For each size a table row of the stages alone, in core-ms (processor time of the whole process, whatever its threads;
medians over frames), then the whole pipeline as users run it, in a process of its own: frames a second from the first
frame written to the last, without the report's pictures, and peak memory. With ``--against`` another checkout of the
project renders the same clips in the same run, and the ratio of both is printed. Then memory over a long clip, and
seconds until the command answers. Clips are made from the sample in a temporary folder.

    python benchmarks/pipeline.py --frames 16
    python benchmarks/pipeline.py --sizes 1080p 4K --against ../before --long 0
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

from howard.machine import count_cores

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import av
import cv2
import numpy as np

from howard.align import PlateAligner, default_cache_folder
from howard.matting import load_matting
from howard.media import open_reader, open_writer
from howard.operating_system import resident_memory
from howard.pipeline import AlignedFrame, Predictor, matte_frames, remove_background
from howard.pipeline.frame_finisher import Composer, ComposeSettings
from howard.pipeline.frame_measures import measure_frame

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
SIZES = {"180p": (320, 180), "540p": (960, 540), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
SMALL = (256, 144)
Result = TypeVar("Result")

# What another process runs: arguments are shot, plate, output folder, quality.
_RENDER = """
import json, sys, time
from howard.__main__ import limit_threads
limit_threads(None)
import howard
from howard.operating_system import peak_memory
shot, plate, output, quality = sys.argv[1:]
times = []
note = lambda event: times.append(time.perf_counter())
howard.remove_background(shot, plate, output, quality=quality, report=False, progress=note)
rate = (len(times) - 1) / (times[-1] - times[0])
print(json.dumps({"rate": rate, "megabytes": (peak_memory() or 0) / 2**20}))
"""


class Whole(NamedTuple):
    """The whole pipeline: frames a second, and peak memory in megabytes."""

    rate: float
    megabytes: float


def scaled(name: str, folder: Path, size: tuple[int, int], count: int) -> Path:
    """A clip of the sample at another size and length, running to and fro."""
    path = folder / f"{name}_{size[1]}_{count}.mp4"
    with open_reader(SAMPLE / f"{name}.mp4") as reader, av.open(str(path), "w") as container:
        pictures = [cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC) for frame in reader]
        stream = container.add_stream("libx264", rate=24, options={"crf": "16"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        period = 2 * len(pictures) - 2
        for index in range(count):
            picture = pictures[min(index % period, period - index % period)]
            picture = np.asarray(picture, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


class Costs:
    """Processor time of this process, in all its threads, by stage."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}

    def of(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do some work, and record what it cost."""
        began = time.process_time()
        result = work()
        self._times.setdefault(stage, []).append(1000 * (time.process_time() - began))
        return result

    def medians(self) -> dict[str, float]:
        """Core-ms of every stage; its first time, which warms up, does not count."""
        return {stage: median(times[1:]) for stage, times in self._times.items()}


def stage_costs(shot: Path, plate: Path, predictor: Predictor, folder: Path, quality: str) -> dict[str, float]:
    """Median core-ms a frame of every stage, one after the other, the plate's features in the cache."""
    costs = Costs()
    with open_reader(shot) as source, open_reader(plate) as empty:
        aligner = PlateAligner(empty, quality=quality, cache=default_cache_folder())
        for frame in source:  # now every feature that is needed is in the cache
            aligner.align(frame)
        writer = open_writer("png", folder / f"frames_{shot.stem}", source.info, range(len(source)))
        writer.begin(range(1, len(source) + 1))
        composer = Composer(ComposeSettings(depths=(writer.dtype,)), predictor.device)
        frames = iter(source)
        for number in range(1, len(source) + 1):
            frame = costs.of("decode", lambda: next(frames))
            aligned = AlignedFrame(frame, costs.of("align", partial(aligner.align, frame)))
            (matte,) = costs.of("network", lambda: list(matte_frames([aligned], predictor)))  # noqa: B023
            pixels = costs.of("compose", lambda: composer.begin(matte)())  # noqa: B023
            rgba = pixels.rgba[writer.dtype]
            pictures = rgba, pixels.plate, pixels.coverage
            costs.of("measure", partial(measure_frame, matte, *pictures, linear_light=True))
            costs.of("write", lambda: writer.write(number, writer.prepare(rgba)))  # noqa: B023
        writer.close()
    return costs.medians()


def render_whole(root: Path, shot: Path, plate: Path, output: Path, quality: str) -> Whole:
    """Render a clip with the checkout of the project at ``root``, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    # The command chooses these itself.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "THP_MEM_ALLOC_ENABLE"):
        environment.pop(name)
    line = [sys.executable, "-c", _RENDER, str(shot), str(plate), str(output), quality]
    done = subprocess.run(line, capture_output=True, check=True, env=environment, text=True)
    return Whole(**json.loads(done.stdout.splitlines()[-1]))


def compare_sizes(options: argparse.Namespace, predictor: Predictor, folder: Path) -> None:
    """Print a row for every size."""
    print(f"core-ms a frame, {predictor.device}, {predictor.precision}, quality={options.quality}")
    for name in options.sizes:
        count = options.frames
        shot, plate = scaled("shot", folder, SIZES[name], count), scaled("plate", folder, SIZES[name], 48)
        costs = stage_costs(shot, plate, predictor, folder, options.quality)
        row = "  ".join(f"{stage} {cost:.0f}" for stage, cost in costs.items())
        whole = render_whole(ROOT, shot, plate, folder / f"now_{name}", options.quality)
        print(f"{name:>6}  {row}  all {sum(costs.values()):.0f}", flush=True)
        print(f"        {whole.rate:.2f} frames/s on {count_cores()} cores, peak {whole.megabytes:.0f} MB", flush=True)
        if options.against is not None:
            before = render_whole(options.against, shot, plate, folder / f"before_{name}", options.quality)
            print(
                f"        before: {before.rate:.2f} frames/s, peak {before.megabytes:.0f} MB;"
                f" now {whole.rate / before.rate:.2f} x as fast",
                flush=True,
            )


def watch_memory(folder: Path, predictor: Predictor, frames: int) -> list[float]:
    """Resident megabytes at every tenth of a long render of small frames."""
    shot, plate = scaled("shot", folder, SMALL, frames), scaled("plate", folder, SMALL, 48)
    seen: list[float] = []

    def note(event: object) -> None:
        done = event.done  # type: ignore[attr-defined]
        if done % max(1, frames // 10) == 0:
            seen.append((resident_memory() or 0) / 2**20)

    output = folder / "long"
    remove_background(shot, plate, output, predictor=predictor, quality="fast", report=False, progress=note)
    return seen


def answers(*arguments: str) -> float:
    """Median seconds until the command has answered."""
    line = [sys.executable, str(ROOT / "infer.py"), *arguments]
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(line, capture_output=True, check=False)
        times.append(time.perf_counter() - began)
    return median(times)


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description="What a frame costs on its way from the shot to the disk.")
    parser.add_argument(
        "--sizes", nargs="+", choices=SIZES, default=list(SIZES)[1:], help="sizes (default: all but 180p)"
    )
    parser.add_argument("--frames", type=int, default=16, help="frames of each size")
    parser.add_argument("--against", type=Path, help="another checkout of the project to compare with")
    parser.add_argument("--long", type=int, default=2000, help="small frames whose memory is watched; 0 for none")
    parser.add_argument("--quality", default="standard", help="of the alignment")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    predictor = load_matting("default")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = name
        compare_sizes(options, predictor, folder)
        if options.long:
            seen = watch_memory(folder, predictor, options.long)
            print(f"megabytes over {options.long} frames: {' '.join(f'{each:.0f}' for each in seen)}")
    print(f"seconds to answer: --help {answers('--help'):.2f}", end=", ")
    print(f"a missing file {answers('input=nowhere.mp4', 'plate=nowhere.mp4'):.2f}")


if __name__ == "__main__":
    main()
