"""How fast film comes in and goes out, and whether memory stays flat: ``python benchmarks/media.py``.

Times are medians of rounds in which the ways compared take turns, on one thread each unless said; what counts is the
ratio. Needs no network; everything is made from the sample clip in a temporary folder.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np

from howard.images import to_depth, without_hidden_colour
from howard.media import Frame, PngSequenceWriter, open_reader, open_writer
from howard.media.png_encoding import encode_png
from howard.parallel import OrderedSink

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
ROUNDS = 9
LONG_CLIP = 2000
HD = (1920, 1080)


def race(ways: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of each way, in turns; a first round warms up and does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            times[name].append(1000 * (time.perf_counter() - began))
    return {name: median(each[1:]) for name, each in times.items()}


def show(title: str, times: dict[str, float], reference: str) -> None:
    """Print times, and how many times as fast as the reference each way is."""
    print(title)
    for name, each in times.items():
        print(f"  {name:<24} {each:8.1f} ms   {times[reference] / each:5.2f} x {reference}")


def matted_frame() -> np.ndarray:
    """A frame of 1080p with its true alpha, straight RGBA uint16; its colour is still everywhere."""
    image = to_depth(
        cv2.resize(open_reader(SAMPLE / "shot.mp4")[4].image, HD, interpolation=cv2.INTER_CUBIC), np.uint16
    )
    alpha = to_depth(open_reader(SAMPLE / "alpha" / "0004.png")[0].image, np.uint16)
    return np.dstack([image, cv2.resize(alpha[..., 0], HD)])


def png_times() -> None:
    """Encoding one matted frame in memory: disks differ. Howard's writer clears what alpha hides, too."""
    deep = matted_frame()
    for given in (to_depth(deep, np.uint8), deep):
        bits, picture = 8 * given.itemsize, without_hidden_colour(given)
        writer = PngSequenceWriter("nowhere", "frame", bits)
        ways: dict[str, Callable[[], object]] = {
            "Howard": lambda picture=picture: encode_png(picture),
            "Howard, with clearing": lambda writer=writer, given=given: writer.prepare(given),
            "OpenCV": lambda picture=picture: cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA)),
        }
        if bits == 8:
            ways |= pillow_way(picture)
        show(f"PNG, {bits} bit, matted 1080p frame", race(ways), "OpenCV")
        sizes = (len(encode_png(picture)), len(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))[1]))
        print(f"  {sizes[0] / 1e6:.2f} MB, OpenCV {sizes[1] / 1e6:.2f} MB")


def pillow_way(picture: np.ndarray) -> dict[str, Callable[[], object]]:
    """Pillow, where it is installed; it knows 8 bits only."""
    try:
        from io import BytesIO

        from PIL import Image
    except ImportError:
        return {}
    return {"Pillow": lambda: Image.fromarray(picture).save(BytesIO(), "png")}


def make_clip(path: Path, size: tuple[int, int], frames: int, megabits: int | None = None) -> Path:
    """The sample's shot at a size, again and again; at so many Mbit/s, with grain, or as small as x264 likes."""
    rng = np.random.default_rng(0)
    with open_reader(SAMPLE / "shot.mp4") as shot:
        images = [np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC), np.uint8) for frame in shot]
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast"} if megabits else {"crf": "18", "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=24, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if megabits:
            stream.bit_rate = 1_000_000 * megabits
        for number in range(frames):
            image = images[number % len(images)]
            if megabits:
                image = np.asarray(cv2.add(image, rng.integers(0, 12, image.shape, np.uint8)), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def decode_times(folder: Path, title: str, megabits: int | None) -> None:
    """Reading a clip from end to end to RGB, both with all the threads they take by themselves."""
    frames = 60
    path = make_clip(folder / "hd.mp4", HD, frames, megabits)

    def howard() -> None:
        with open_reader(path) as reader:
            for _ in reader:
                pass

    def opencv() -> None:
        capture = cv2.VideoCapture(str(path))
        while (read := capture.read())[0]:
            cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
        capture.release()

    times = race({"Howard": howard, "OpenCV": opencv})
    rate = path.stat().st_size * 8 * 24 / frames / 1e6
    title = f"Decoding 1080p H.264 {title}, {rate:.0f} Mbit/s, a frame"
    show(title, {name: each / frames for name, each in times.items()}, "OpenCV")


def cut_outs(path: Path, frames: int) -> Iterator[Frame]:
    """Frames with a made-up alpha, RGBA."""
    with open_reader(path) as reader:
        for frame in reader:
            if frame.index == frames:
                return
            alpha = np.full((*frame.image.shape[:2], 1), 0, np.uint8)
            alpha[:, frame.image.shape[1] // 3 : frame.image.shape[1] // 2] = 255
            yield frame._replace(image=np.dstack([frame.image, alpha]))


def memory_slope(path: Path, folder: Path, output_format: str) -> str:
    """Read and write a long clip; the memory in use on the way, and a line fitted to its second half."""
    with open_reader(path) as reader:
        clip, frames = reader.info, len(reader)
    writer = open_writer(output_format, folder, clip, range(frames))
    numbers = range(1, frames + 1)
    writer.begin(numbers)
    used = []
    with OrderedSink(numbers, writer.prepare, writer.write) as work:
        for frame in cut_outs(path, frames):
            work.put(frame.number, frame.image)
            work.committed()
            used.append(memory_in_use())
    writer.finish({number: (number - 1) / clip.frame_rate for number in numbers})
    slope = 1000 * np.polyfit(np.arange(frames - frames // 2), used[frames // 2 :], 1)[0]
    quarters = ", ".join(f"{used[quarter * frames // 4 - 1]:.1f}" for quarter in (1, 2, 3, 4))
    return (
        f"{frames} frames of {clip.width}x{clip.height} read and written as {output_format}: {quarters} MB after each "
        f"quarter, {slope:+.2f} MB in 1000 frames, {memory_in_use():.1f} MB at the end"
    )


def memory_in_use() -> float:
    """Megabytes of memory that this process holds (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    """Run all; another number of frames for the memory may be given."""
    cv2.setNumThreads(1)
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else LONG_CLIP
    png_times()
    with tempfile.TemporaryDirectory() as folder:
        decode_times(Path(folder), "as cameras write it", megabits=50)
        decode_times(Path(folder), "as the web has it", megabits=None)
        if not Path("/proc/self/statm").exists():
            return
        path = make_clip(Path(folder) / "long.mp4", (640, 360), frames)
        for output_format in ("png", "prores"):
            # A process of its own for each, so that nothing is left of what ran before.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                print(process.submit(memory_slope, path, Path(folder) / output_format, output_format).result())


if __name__ == "__main__":
    main()
