"""Cost of a rendered frame by step and size: ``python benchmarks/pipeline.py``.

For each size: the steps one after the other, in core-ms (processor time of all threads, medians over frames), then a
render in a new process: frames a second from the first written frame to the last, without the report, and peak memory.
With ``--against`` another checkout of the project renders the same clips in the same run, and the ratio is printed.
Then memory over a long clip (``--long``). Clips are made from the sample.

    python benchmarks/pipeline.py --frames 16
    python benchmarks/pipeline.py --sizes 1080p 4K --against ../before --long 0
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import ROOT, time_once
from benchmarks.movies import forward_and_back, sample_frames, write_movie
from howard.align import PlateAligner, default_cache_folder
from howard.machine import count_cores
from howard.matting import load_matting
from howard.media import open_reader, open_writer
from howard.operating_system import resident_memory
from howard.pipeline import AlignedFrame, Predictor, matte_frames, remove_background
from howard.pipeline.frame_finisher import Composer, ComposeSettings
from howard.pipeline.frame_measures import measure_frame

SIZES = {"180p": (320, 180), "540p": (960, 540), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
SMALL = (256, 144)

# Program of the rendering process; its arguments are shot, plate, output folder and quality.
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
print(json.dumps({"frames_per_second": rate, "megabytes": (peak_memory() or 0) / 2**20}))
"""


class Whole(NamedTuple):
    """A whole render: frames a second, and peak memory in megabytes."""

    frames_per_second: float
    megabytes: float


def scaled_clip(name: str, folder: Path, size: tuple[int, int], count: int) -> Path:
    """A clip of the sample at another size and length, forward and back."""
    frames = forward_and_back(sample_frames(name, size), count)
    return write_movie(folder / f"{name}_{size[1]}_{count}.mp4", frames, crf="16")


def step_costs(shot: Path, plate: Path, predictor: Predictor, folder: Path, quality: str) -> dict[str, float]:
    """Median core-ms a frame of every step, run one after the other with the plate's features in the cache."""
    costs: dict[str, list[float]] = {}

    def measure(step, work):
        results = []
        costs.setdefault(step, []).append(time_once(lambda: results.append(work())).cpu)
        return results[0]

    with open_reader(shot) as source, open_reader(plate) as empty:
        aligner = PlateAligner(empty, quality=quality, cache=default_cache_folder())
        for frame in source:  # fills the cache
            aligner.align(frame)
        writer = open_writer("png", folder / f"frames_{shot.stem}", source.info, range(len(source)))
        writer.begin(range(1, len(source) + 1))
        composer = Composer(ComposeSettings(depths=(writer.dtype,)), predictor.device)
        frames = iter(source)
        for number in range(1, len(source) + 1):
            frame = measure("decode", partial(next, frames))
            aligned = AlignedFrame(frame, measure("align", partial(aligner.align, frame)))
            (matte,) = measure("network", lambda: list(matte_frames([aligned], predictor)))  # noqa: B023
            pixels = measure("compose", lambda: composer.begin(matte)())  # noqa: B023
            rgba = pixels.rgba[writer.dtype]
            pictures = rgba, pixels.plate, pixels.coverage
            measure("measure", partial(measure_frame, matte, *pictures, linear_light=True))
            measure("write", lambda: writer.write(number, writer.prepare(rgba)))  # noqa: B023
        writer.close()
    # The first frame warms up.
    return {step: median(values[1:]) for step, values in costs.items()}


def render_whole(root: Path, shot: Path, plate: Path, output: Path, quality: str) -> Whole:
    """Render a clip with the checkout of the project at ``root``, in a new process."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    # The command sets these itself.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "THP_MEM_ALLOC_ENABLE"):
        environment.pop(name)
    line = [sys.executable, "-c", _RENDER, str(shot), str(plate), str(output), quality]
    done = subprocess.run(line, capture_output=True, check=True, env=environment, text=True)
    return Whole(**json.loads(done.stdout.splitlines()[-1]))


def compare_sizes(options: argparse.Namespace, predictor: Predictor, folder: Path) -> None:
    """Print the costs of every size."""
    print(f"core-ms a frame, {predictor.device}, {predictor.precision}, quality={options.quality}")
    for name in options.sizes:
        count = options.frames
        shot, plate = scaled_clip("shot", folder, SIZES[name], count), scaled_clip("plate", folder, SIZES[name], 48)
        costs = step_costs(shot, plate, predictor, folder, options.quality)
        row = "  ".join(f"{step} {cost:.0f}" for step, cost in costs.items())
        whole = render_whole(ROOT, shot, plate, folder / f"now_{name}", options.quality)
        print(f"{name:>6}  {row}  all {sum(costs.values()):.0f}", flush=True)
        print(
            f"        {whole.frames_per_second:.2f} frames/s on {count_cores()} cores, peak {whole.megabytes:.0f} MB",
            flush=True,
        )
        if options.against is not None:
            before = render_whole(options.against, shot, plate, folder / f"before_{name}", options.quality)
            print(
                f"        before: {before.frames_per_second:.2f} frames/s, peak {before.megabytes:.0f} MB;"
                f" {whole.frames_per_second / before.frames_per_second:.2f} x as fast",
                flush=True,
            )


def measure_memory(folder: Path, predictor: Predictor, frames: int) -> list[float]:
    """Resident memory in MB after every tenth of a long render of small frames."""
    shot, plate = scaled_clip("shot", folder, SMALL, frames), scaled_clip("plate", folder, SMALL, 48)
    measured: list[float] = []

    def note(event: object) -> None:
        done = event.done  # type: ignore[attr-defined]
        if done % max(1, frames // 10) == 0:
            measured.append((resident_memory() or 0) / 2**20)

    output = folder / "long"
    remove_background(shot, plate, output, predictor=predictor, quality="fast", report=False, progress=note)
    return measured


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description="Cost of a rendered frame by step and size.")
    parser.add_argument(
        "--sizes", nargs="+", choices=SIZES, default=list(SIZES)[1:], help="sizes (default: all but 180p)"
    )
    parser.add_argument("--frames", type=int, default=16, help="frames of each size")
    parser.add_argument("--against", type=Path, help="another checkout of the project to compare with")
    parser.add_argument("--long", type=int, default=2000, help="frames of the long render; 0 for none")
    parser.add_argument("--quality", default="standard", help="of the alignment")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    predictor = load_matting("default")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = name
        compare_sizes(options, predictor, folder)
        if options.long:
            measured = measure_memory(folder, predictor, options.long)
            print(f"megabytes over {options.long} frames: {' '.join(f'{each:.0f}' for each in measured)}")


if __name__ == "__main__":
    main()
