"""Start-up time of the command: ``python benchmarks/start.py``.

Seconds from starting ``infer.py`` to its help page, to an error message, to the first frame of a render whose plate is
new or was used before, and to each step of a preview, for the sample and for a pair of large movies (ProRes in MOV, the
packets of the sample repeated) that must not be read completely. Medians, with a warm disk cache.

    python benchmarks/start.py --gigabytes 1.3 --plates 48 600 --runs 5
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import NamedTuple

import av

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import ROOT, SAMPLE
from benchmarks.movies import forward_and_back, sample_frames, write_movie
from howard.media import open_reader

SAMPLE_SIZE = (1280, 720)
HD = (1920, 1080)
# Frames of the sample whose packets are repeated.
_ENCODED = 12
# Frames between two keyframes of the plates: one second.
_KEYFRAMES = 24


class Start(NamedTuple):
    """Seconds to the first event of each name, and the megabytes read from files until the preview was done."""

    seconds: dict[str, float]
    megabytes_read: float


def large_movie(name: str, path: Path, gigabytes: float) -> Path:
    """A ProRes movie of about ``gigabytes`` that repeats some frames of the sample's clip ``name``."""
    images = sample_frames(name, HD)[:_ENCODED]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("prores_ks", rate=24, options={"profile": "3"})
        stream.width, stream.height = HD
        stream.pix_fmt = "yuv422p10le"
        packets = []
        for image in images:
            packets += stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
        packets += stream.encode(None)
        contents = [bytes(packet) for packet in packets]
        written, number = 0, 0
        while written < gigabytes * 1e9:
            packet = av.Packet(contents[number % len(contents)])
            packet.stream, packet.time_base = stream, Fraction(1, 24)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            container.mux(packet)
            written, number = written + packet.size, number + 1
    return path


def write_plate(path: Path, frames: int) -> Path:
    """An H.264 plate of ``frames`` frames: the sample's, forward and back."""
    images = forward_and_back(sample_frames("plate", SAMPLE_SIZE), frames)
    return write_movie(path, images, keyframes=_KEYFRAMES, preset="veryfast", crf="20")


def first_frame(plate: Path, folder: Path, cache: Path) -> float:
    """Seconds until a render of the sample has written its first frame; the render is stopped then."""
    output = folder / "first"
    shutil.rmtree(output, ignore_errors=True)
    settings = (f"input={SAMPLE / 'shot.mp4'}", f"plate={plate}", f"output={output}", "progress=none")
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, str(ROOT / "infer.py"), *settings], env=environment) as process:
        while not any(output.rglob("*.png")):
            if process.poll() is not None:
                raise SystemExit(f"the render of {plate.name} ended without a picture")
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        process.kill()
    return seconds


def print_first_frames(folder: Path, plates: list[int], runs: int) -> None:
    """Print the seconds to the first frame, for plates of several lengths, new and used before."""
    for frames in plates:
        plate, seconds = write_plate(folder / f"plate{frames}.mp4", frames), ([], [])
        for run in range(runs):
            cache = folder / f"cache{frames}_{run}"
            for kind in seconds:
                kind.append(first_frame(plate, folder, cache))
        new, used = (median(kind) for kind in seconds)
        print(f"the first frame, a plate of {frames} frames: {new:.1f} s, {used:.1f} s where it was used before")


def run_time(*arguments: str) -> float:
    """Seconds until the command has ended."""
    began = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "infer.py"), *arguments], capture_output=True, check=False)
    return time.perf_counter() - began


def preview(shot: Path, plate: Path, output: Path) -> Start:
    """Preview the middle frame of a shot."""
    with open_reader(shot) as reader:
        number = len(reader) // 2
    settings = (f"input={shot}", f"plate={plate}", f"output={output}", f"preview={number}", "progress=json")
    began = time.perf_counter()
    seconds: dict[str, float] = {}
    bytes_read = 0
    line = [sys.executable, str(ROOT / "infer.py"), *settings]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            seconds.setdefault(json.loads(text)["event"], time.perf_counter() - began)
            bytes_read = bytes_read_by(process.pid) or bytes_read
    if process.returncode:
        raise SystemExit(process.returncode)
    return Start(seconds, bytes_read / 1e6)


def bytes_read_by(pid: int) -> int:
    """Bytes that a process has read from files or their cache; 0 where the system does not report it."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    return int(dict(line.split(": ") for line in lines)["rchar"])


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description="Start-up time of the command.")
    parser.add_argument("--gigabytes", type=float, default=1.3, help="size of each of the large movies; 0 for none")
    parser.add_argument("--plates", type=int, nargs="*", default=[48, 600], help="lengths of plates in frames")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement")
    options = parser.parse_args()
    print(f"--help: {median(run_time('--help') for _ in range(options.runs)):.2f} s")
    missing = ("input=nowhere.mp4", "plate=nowhere.mp4")
    print(f"a missing file: {median(run_time(*missing) for _ in range(options.runs)):.2f} s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print_first_frames(folder, options.plates, options.runs)
        pairs = {"sample": (SAMPLE / "shot.mp4", SAMPLE / "plate.mp4")}
        if options.gigabytes:
            movies = [large_movie(each, folder / f"{each}.mov", options.gigabytes) for each in ("shot", "plate")]
            pairs[f"{options.gigabytes:g} GB each"] = (movies[0], movies[1])
        for title, (shot, plate) in pairs.items():
            runs = [preview(shot, plate, folder / "out") for _ in range(options.runs)]
            print(f"a preview, {title}: {median(run.megabytes_read for run in runs):.0f} MB read")
            for event in runs[0].seconds:
                print(f"  {event:<12} {median(run.seconds[event] for run in runs):6.2f} s")


if __name__ == "__main__":
    main()
