"""What a frame of 1080p costs on its way from the shot to the disk: ``python benchmarks/film_road.py``.

Stages alone, in core-ms: the processor time of the whole process, whatever its threads, per frame; medians over frames.
Then the whole road beside its slowest stage alone with the same threads, and beside the least that all stages' core-ms
allow on so many cores: once with one frame aligned at a time, which leaves other cores to the network, so that the two
stages overlap freely; and once as people run it, with all cores busy, which is sooner done. Then memory over a long
clip, and how soon the command answers. Everything is made from the sample clip in a temporary folder.

    python benchmarks/film_road.py --frames 24 --long 2000
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from howard.cores import count_cores

os.environ.setdefault("OMP_NUM_THREADS", str(max(1, count_cores() // 2)))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import av
import cv2
import numpy as np

from howard.align import PlateAligner, default_cache_folder
from howard.matting import load_matting
from howard.media import open_reader, open_writer
from howard.operating_system import resident_memory
from howard.pipeline import AlignedFrame, Predictor, align_frames, matte_frames, remove_background
from howard.pipeline.compose import Composer, ComposeSettings
from howard.pipeline.record import measure_frame

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
HD, SMALL = (1920, 1080), (256, 144)
Result = TypeVar("Result")


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
        """Do some work, and put down what it cost."""
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
        writer = open_writer("png", folder / "frames", source.info, range(len(source)))
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


def wall_ms(stream: Iterable[object]) -> float:
    """Milliseconds an item, of a stream run through; the first, which warms up, does not count."""
    times = [time.perf_counter()]
    for _ in stream:
        times.append(time.perf_counter())
    return 1000 * (times[-1] - times[1]) / (len(times) - 2)


def stages_alone(
    shot: Path, plate: Path, predictor: Predictor, folder: Path, quality: str, threads: int
) -> dict[str, float]:
    """Milliseconds a frame of the two long stages, each alone with the threads that it has on the road."""
    with open_reader(shot) as source, open_reader(plate) as empty:
        everything = range(len(source))
        cache = default_cache_folder()
        kept: list[AlignedFrame] = []

        def keep() -> Iterator[None]:
            for frame in align_frames(source, empty, everything, quality=quality, cache=cache, workers=threads):
                kept.append(frame)
                yield

        align = wall_ms(keep())
        return {"align": align, "network": wall_ms(matte_frames(kept, predictor))}


def road(
    shot: Path, plate: Path, predictor: Predictor, output: Path, quality: str, threads: int
) -> tuple[float, float]:
    """Milliseconds, and core-ms, a frame of the whole road from the second frame on."""
    told: list[tuple[float, float]] = []
    remove_background(
        shot,
        plate,
        output,
        predictor=predictor,
        quality=quality,
        threads=threads,
        report=False,
        progress=lambda event: told.append((time.perf_counter(), time.process_time())),
    )
    first, last = told[0], told[-1]
    return tuple(1000 * (end - start) / (len(told) - 1) for start, end in zip(first, last, strict=True))  # type: ignore[return-value]


def memory(folder: Path, predictor: Predictor, frames: int) -> list[float]:
    """Resident megabytes at every tenth of a long render of small frames."""
    shot, plate = scaled("shot", folder, SMALL, frames), scaled("plate", folder, SMALL, 48)
    seen: list[float] = []

    def look(event: object) -> None:
        done = event.done  # type: ignore[attr-defined]
        if done % max(1, frames // 10) == 0:
            seen.append((resident_memory() or 0) / 2**20)

    output = folder / "long"
    remove_background(shot, plate, output, predictor=predictor, quality="fast", report=False, progress=look)
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
    parser.add_argument("--frames", type=int, default=16, help="frames of 1080p")
    parser.add_argument("--long", type=int, default=2000, help="small frames whose memory is watched; 0 for none")
    parser.add_argument("--quality", default="standard", help="of the alignment")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    predictor = load_matting("default")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = name
        shot, plate = scaled("shot", folder, HD, options.frames), scaled("plate", folder, HD, 48)
        costs = stage_costs(shot, plate, predictor, folder, options.quality)
        print(f"core-ms a frame of 1080p, {predictor.device}, {predictor.precision}, quality={options.quality}")
        for stage, cost in costs.items():
            print(f"  {stage:<10} {cost:7.1f}")
        print(f"  decode + write {costs['decode'] + costs['write']:.1f}")
        print(f"  compose + measure {costs['compose'] + costs['measure']:.1f}")
        least = sum(costs.values()) / count_cores()
        for threads in sorted({1, count_cores()}):
            alone = stages_alone(shot, plate, predictor, folder, options.quality, threads)
            wall, total = road(shot, plate, predictor, folder / f"road{threads}", options.quality, threads)
            slowest = max(alone.values())
            print(f"milliseconds a frame, aligned {threads} at a time: the road {wall:.0f}, ", end="")
            print(", ".join(f"{stage} alone {ms:.0f}" for stage, ms in alone.items()))
            print(
                f"  the road takes {wall / slowest:.2f} x its slowest stage, {wall / sum(alone.values()):.2f} x both,"
            )
            print(f"  {wall / least:.2f} x all stages' core-ms over {count_cores()} cores; ", end="")
            print(f"all together less the stages {total - sum(costs.values()):+.1f} core-ms")
        if options.long:
            seen = memory(folder, predictor, options.long)
            print(f"megabytes over {options.long} frames: {' '.join(f'{each:.0f}' for each in seen)}")
    print(f"seconds to answer: --help {answers('--help'):.2f}", end=", ")
    print(f"a missing file {answers('input=nowhere.mp4', 'plate=nowhere.mp4'):.2f}")


if __name__ == "__main__":
    main()
