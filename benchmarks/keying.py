"""Errors and speed of `howard.keying` against ground truth: ``python benchmarks/keying.py``.

Clips are drawn figures, the sample's rendered people and photographed people (``--data``) before the bad screens of
``benchmarks/screens.py``, green and blue alternately, as H.264. Nothing was tuned on these seeds and on people of the
validation lists; ``--tuning`` uses others. Errors are means over frames, x1e3:

* MAD of alpha, of a plain colour-difference key ("plain"), and of that key with everything beside the screen masked
* MAD of the foreground, weighted by true alpha, and "codec": the same of the input inside the person, 12 pixels from
  its edge, where there is little spill, a lower bound
* dtSSD x1e2 of the moving clip, and "static": that of a person who does not move, near the edge (10 pixels)
* median frames a second on one thread
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import DATA, SAMPLE
from benchmarks.screens import SCREENS, ScreenClip, cutout_clip, drawn_clip, plain_key, write_clip
from howard.colour import srgb_to_linear
from howard.evaluation.metrics import dtssd, edge_band, mad
from howard.keying import KeyedFrame, find_key, key_frame
from howard.media import open_reader, read_still

_COLUMNS = ("MAD", "plain", "plain, masked", "foreground", "codec", "dtSSD", "static", "frames/s")


def main() -> None:
    """Score the clips and print a table."""
    parser = argparse.ArgumentParser(description="Measures howard.keying; smaller is better, but for frames/s.")
    parser.add_argument("--clips", type=int, default=8, help="clips of each kind (default: 8)")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of people_real")
    parser.add_argument("--tuning", action="store_true", help="seeds and people to tune on, not for figures")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    folders = {"rendered": SAMPLE / "people", "photographed": arguments.data / "people_real"}
    first, split = (100, "train") if arguments.tuning else (5000, "val")
    print(f"{'clip':<20}" + "".join(f"{name:>15}" for name in _COLUMNS))
    means = []
    for kind in ("drawn", *folders):
        people = folders.get(kind)
        if people is not None and not people.is_dir():
            print(f"without {kind} people: {people} does not exist")
            continue
        rows = []
        for seed in range(first, first + arguments.clips):
            screen = list(SCREENS)[seed % 2]
            moving, still = cutout_clips(seed, screen, people, split) if people else drawn_clips(seed, screen)
            rows.append(score(moving, still, screen))
            _print(f"{kind} {screen} {seed}", rows[-1])
        means.append(np.mean(rows, axis=0))
        _print(f"{kind}, mean", [*means[-1][:-1], statistics.median(row[-1] for row in rows)])
    _print("mean of kinds", np.mean(means, axis=0))


def drawn_clips(seed: int, screen: str) -> tuple[ScreenClip, ScreenClip]:
    """A moving and a static clip of a drawn figure."""
    return drawn_clip(seed, screen), drawn_clip(seed, screen, speed=0.0)


def cutout_clips(seed: int, screen: str, people: Path, split: str) -> tuple[ScreenClip, ScreenClip]:
    """The same of a person of a collection without the screen's colour."""
    rng = np.random.default_rng(seed)
    names = (people / f"{split}.txt").read_text().split()
    while True:
        name = names[rng.integers(len(names))]
        colour, alpha = read_still(people / f"{name}_fgr.jpg"), read_still(people / f"{name}_pha.png")[..., 0]
        if _can_be_keyed(colour[alpha > 128], screen):
            return cutout_clip(seed, screen, colour, alpha), cutout_clip(seed, screen, colour, alpha, step=0.0)


def score(moving: ScreenClip, still: ScreenClip, screen: str) -> list[float]:
    """A row of the table."""
    frames, keyed, seconds = _key_clip(moving)
    plain = [plain_key(frame, screen) for frame in frames]
    pairs = list(zip(keyed, moving.alphas, moving.foregrounds, frames, strict=True))
    _, static, _ = _key_clip(still)
    return [
        _mean(mad(key.alpha, true) for key, true, _, _ in pairs),
        _mean(mad(key, true) for key, true in zip(plain, moving.alphas, strict=True)),
        _mean(mad(key * moving.screen_area, true) for key, true in zip(plain, moving.alphas, strict=True)),
        _mean(_colour_error(key.foreground, colour, true) for key, true, colour, _ in pairs),
        _mean(_colour_error(frame, colour, _inside(true)) for _, true, colour, frame in pairs),
        _mean(_changes(keyed, moving.alphas, np.ones(moving.screen_area.shape, bool))),
        _mean(_changes(static, still.alphas, edge_band(still.alphas[0]))),
        1 / statistics.median(seconds),
    ]


def _key_clip(clip: ScreenClip) -> tuple[list[np.ndarray], list[KeyedFrame], list[float]]:
    """The decoded frames, float32 in [0, 1], the keyed ones, and the seconds of each."""
    with TemporaryDirectory() as folder, open_reader(write_clip(Path(folder) / "clip.mp4", clip.frames)) as reader:
        key = find_key(reader)
        frames, keyed, seconds = [], [], []
        for frame in reader:
            started = time.perf_counter()
            keyed.append(key_frame(frame.image, key.screen, key.markers))
            seconds.append(time.perf_counter() - started)
            frames.append(frame.image.astype(np.float32) / 255)
    return frames, keyed, seconds


def _can_be_keyed(pixels: np.ndarray, screen: str) -> bool:
    linear = srgb_to_linear(pixels.astype(np.float32) / 255)
    channel = 1 if screen == "green" else 2
    return bool((linear[:, channel] - np.delete(linear, channel, axis=1).max(axis=1) > 0.05).mean() < 0.01)


def _colour_error(colour: np.ndarray, true: np.ndarray, weight: np.ndarray) -> float:
    return float(1e3 * (np.abs(colour - true).mean(axis=2) * weight).sum() / weight.sum())


def _inside(alpha: np.ndarray) -> np.ndarray:
    return cv2.erode((alpha > 0.99).astype(np.float32), np.ones((25, 25), np.uint8), borderValue=1)


def _changes(keyed: list[KeyedFrame], alphas: list[np.ndarray], where: np.ndarray) -> Iterator[float]:
    for now in range(1, len(keyed)):
        values = keyed[now].alpha, alphas[now], keyed[now - 1].alpha, alphas[now - 1]
        yield dtssd(*(each[where] for each in values))


def _mean(values: Iterator[float]) -> float:
    return statistics.fmean(values)


def _print(name: str, values: list[float] | np.ndarray) -> None:
    print(f"{name:<20}" + "".join(f"{value:15.2f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
