"""Speed of reading and writing, and memory over a long clip: ``python benchmarks/media.py``.

Times are medians of alternating runs, on one thread unless said otherwise. Clips are made from the sample.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import SAMPLE, alternate, median_ms, print_table
from benchmarks.movies import sample_frames, write_movie
from howard.images import to_depth, without_hidden_colour
from howard.media import Frame, PngSequenceWriter, open_reader, open_writer
from howard.media.exr_writing import EXR_COMPRESSIONS, exr_pixels, write_exr
from howard.media.png_encoding import encode_png
from howard.operating_system import resident_memory
from howard.parallel import OrderedSink

LONG_CLIP = 2000
HD = (1920, 1080)


def show(title: str, runs: dict[str, Callable[[], object]], reference: str, rounds: int, frames: int = 1) -> None:
    """Print median milliseconds of the runs a frame, and how many times as fast as the reference each is."""
    times = {name: median_ms(each, "wall") / frames for name, each in alternate(runs, rounds).items()}
    rows = ([name, f"{value:.1f}", times[reference] / value] for name, value in times.items())
    print_table(title, ("", "ms", f"x {reference}"), rows)


def matted_frame() -> np.ndarray:
    """A 1080p frame with its true alpha, straight RGBA uint16, with colour where alpha is 0."""
    image = to_depth(
        cv2.resize(open_reader(SAMPLE / "shot.mp4")[4].image, HD, interpolation=cv2.INTER_CUBIC), np.uint16
    )
    alpha = to_depth(open_reader(SAMPLE / "alpha" / "0004.png")[0].image, np.uint16)
    return np.dstack([image, cv2.resize(alpha[..., 0], HD)])


def png_times(rounds: int) -> None:
    """Encode a matted frame in memory; Howard's writer also clears colour where alpha is 0."""
    deep = matted_frame()
    for given in (to_depth(deep, np.uint8), deep):
        bits, picture = 8 * given.itemsize, without_hidden_colour(given)
        writer = PngSequenceWriter("nowhere", "frame", bits)
        runs: dict[str, Callable[[], object]] = {
            "Howard": lambda picture=picture: encode_png(picture),
            "Howard, with clearing": lambda writer=writer, given=given: writer.prepare(given),
            "OpenCV": lambda picture=picture: cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA)),
        }
        if bits == 8:
            runs |= pillow_run(picture)
        show(f"PNG, {bits} bit, matted 1080p frame", runs, "OpenCV", rounds)
        sizes = (len(encode_png(picture)), len(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))[1]))
        print(f"  {sizes[0] / 1e6:.2f} MB, OpenCV {sizes[1] / 1e6:.2f} MB")


def pillow_run(picture: np.ndarray) -> dict[str, Callable[[], object]]:
    """Pillow, where it is installed; 8 bits only."""
    try:
        from io import BytesIO

        from PIL import Image
    except ImportError:
        return {}
    return {"Pillow": lambda: Image.fromarray(picture).save(BytesIO(), "png")}


def exr_times(folder: Path, rounds: int) -> None:
    """Write a matted frame as EXR, by OpenEXR's own module and by OpenImageIO."""
    pixels = exr_pixels(to_depth(matted_frame(), np.float32))
    height, width = pixels.shape[:2]

    def openimageio(compression: str) -> None:
        spec = OpenImageIO.ImageSpec(width, height, 4, "half")
        spec.channelnames = ("R", "G", "B", "A")
        spec["compression"] = compression
        path = str(folder / "openimageio.exr")
        output = OpenImageIO.ImageOutput.create(path)
        assert output is not None, OpenImageIO.geterror()
        output.open(path, spec)
        output.write_image(pixels)
        output.close()

    for compression in EXR_COMPRESSIONS:
        runs: dict[str, Callable[[], object]] = {
            "Howard": partial(write_exr, folder / "howard.exr", pixels, compression=compression),
            "OpenImageIO": partial(openimageio, compression),
        }
        show(f"EXR, {compression}, matted 1080p frame", runs, "OpenImageIO", rounds)


def make_clip(path: Path, size: tuple[int, int], frames: int, megabits: int | None = None) -> Path:
    """The sample's shot at a size, repeated; at so many Mbit/s with grain, or at constant quality."""
    rng = np.random.default_rng(0)
    images = cycle(sample_frames("shot", size))
    if megabits is None:
        return write_movie(path, islice(images, frames), crf="18", preset="veryfast")
    noisy = (np.asarray(cv2.add(image, rng.integers(0, 12, image.shape, np.uint8)), np.uint8) for image in images)
    return write_movie(path, islice(noisy, frames), megabits=megabits, preset="veryfast")


def decode_times(folder: Path, title: str, megabits: int | None, rounds: int) -> None:
    """Decode a clip to RGB, with each library's default number of threads."""
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

    mbit = path.stat().st_size * 8 * 24 / frames / 1e6
    title = f"Decoding 1080p H.264 {title}, {mbit:.0f} Mbit/s, a frame"
    show(title, {"Howard": howard, "OpenCV": opencv}, "OpenCV", rounds, frames)


def cut_outs(path: Path, frames: int) -> Iterator[Frame]:
    """RGBA frames with an arbitrary alpha."""
    with open_reader(path) as reader:
        for frame in reader:
            if frame.index == frames:
                return
            alpha = np.full((*frame.image.shape[:2], 1), 0, np.uint8)
            alpha[:, frame.image.shape[1] // 3 : frame.image.shape[1] // 2] = 255
            yield frame._replace(image=np.dstack([frame.image, alpha]))


def memory_slope(path: Path, folder: Path, output_format: str) -> str:
    """Read and write a long clip; describes the memory used and the slope of its second half."""
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
            used.append((resident_memory() or 0) / 2**20)
    writer.finish({number: (number - 1) / clip.frame_rate for number in numbers})
    slope = 1000 * np.polyfit(np.arange(frames - frames // 2), used[frames // 2 :], 1)[0]
    quarters = ", ".join(f"{used[quarter * frames // 4 - 1]:.1f}" for quarter in (1, 2, 3, 4))
    return (
        f"{frames} frames of {clip.width}x{clip.height} read and written as {output_format}: {quarters} MB after each "
        f"quarter, {slope:+.2f} MB in 1000 frames"
    )


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description="Speed of reading and writing, and memory over a long clip.")
    parser.add_argument("--frames", type=int, default=LONG_CLIP, help="frames of the long clip (default: 2000)")
    parser.add_argument("--rounds", type=int, default=9, help="timed runs of each (default: 9)")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    frames, rounds = arguments.frames, arguments.rounds
    png_times(rounds)
    with tempfile.TemporaryDirectory() as folder:
        exr_times(Path(folder), rounds)
        decode_times(Path(folder), "at a camera's bit rate", megabits=50, rounds=rounds)
        decode_times(Path(folder), "at a low bit rate", megabits=None, rounds=rounds)
        if resident_memory() is None:
            return
        path = make_clip(Path(folder) / "long.mp4", (640, 360), frames)
        for output_format in ("png", "prores"):
            # A new process for each, so that memory of the previous one does not count.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                print(process.submit(memory_slope, path, Path(folder) / output_format, output_format).result())


if __name__ == "__main__":
    main()
