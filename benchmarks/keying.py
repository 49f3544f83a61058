"""How well `howard.keying` keys, against truth: ``python benchmarks/keying.py``.

Takes are drawn figures, the sample's rendered people and photographed people (``--data``, left out where that is
missing) before the bad screens of ``benchmarks/screens.py``, green and blue in turns, as H.264. Seeds, and people of
the validation lists, were never tuned on; ``--tuning`` uses the others. Errors are means over frames, x1e3:

* MAD of alpha, that of a plain colour-difference key, and of the same key with the set masked away by hand
* foreground MAD, weighted by true alpha: what is seen of an error in a composite. Beside it "codec", the same measure
  of the filmed picture inside the person, 12 pixels from its edge, where there is little spill: nobody can do better
* dtSSD x1e2 of the moving take, and "static", that of a person who stands still, near the edge (10 pixels)
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

ROOT = Path(__file__).resolve().parents[1]
# A script is given its own folder to import from, not the project's.
sys.path.insert(0, str(ROOT))

from benchmarks.screens import SCREENS, Take, drawn_take, plain_key, still_take, write_clip  # noqa: E402
from howard.colour import srgb_to_linear  # noqa: E402
from howard.evaluation.metrics import dtssd, edge_band, mad  # noqa: E402
from howard.keying import KeyedFrame, find_key, key_frame  # noqa: E402
from howard.media import open_reader, read_still  # noqa: E402

_COLUMNS = ("MAD", "plain", "plain, no set", "foreground", "codec", "dtSSD", "static", "frames/s")


def main() -> None:
    """Score the takes and print a table."""
    parser = argparse.ArgumentParser(description="Measures howard.keying; smaller is better, but for frames/s.")
    parser.add_argument("--takes", type=int, default=8, help="takes of each kind (default: 8)")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of people_real")
    parser.add_argument("--tuning", action="store_true", help="seeds and people to tune on, not for figures")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    folders = {"rendered": ROOT / "data" / "sample" / "people", "photographed": arguments.data / "people_real"}
    first, split = (100, "train") if arguments.tuning else (5000, "val")
    print(f"{'take':<20}" + "".join(f"{name:>15}" for name in _COLUMNS))
    means = []
    for kind in ("drawn", *folders):
        people = folders.get(kind)
        if people is not None and not people.is_dir():
            print(f"no {kind} people: {people} is not here")
            continue
        rows = []
        for seed in range(first, first + arguments.takes):
            screen = list(SCREENS)[seed % 2]
            moving, still = cut_out_takes(seed, screen, people, split) if people else drawn_takes(seed, screen)
            rows.append(score(moving, still, screen))
            _print(f"{kind} {screen} {seed}", rows[-1])
        means.append(np.mean(rows, axis=0))
        _print(f"{kind}, mean", [*means[-1][:-1], statistics.median(row[-1] for row in rows)])
    _print("mean of kinds", np.mean(means, axis=0))


def drawn_takes(seed: int, screen: str) -> tuple[Take, Take]:
    """A take that moves and one that does not, of a drawn figure."""
    return drawn_take(seed, screen), drawn_take(seed, screen, speed=0.0)


def cut_out_takes(seed: int, screen: str, people: Path, split: str) -> tuple[Take, Take]:
    """The same of a person of a collection who does not wear the screen's colour."""
    rng = np.random.default_rng(seed)
    names = (people / f"{split}.txt").read_text().split()
    while True:
        name = names[rng.integers(len(names))]
        colour, alpha = read_still(people / f"{name}_fgr.jpg"), read_still(people / f"{name}_pha.png")[..., 0]
        if _can_be_keyed(colour[alpha > 128], screen):
            return still_take(seed, screen, colour, alpha), still_take(seed, screen, colour, alpha, step=0.0)


def score(moving: Take, still: Take, screen: str) -> list[float]:
    """One row of the table."""
    frames, keyed, seconds = _keyed(moving)
    plain = [plain_key(frame, screen) for frame in frames]
    pairs = list(zip(keyed, moving.alphas, moving.foregrounds, frames, strict=True))
    _, standing, _ = _keyed(still)
    return [
        _mean(mad(key.alpha, true) for key, true, _, _ in pairs),
        _mean(mad(key, true) for key, true in zip(plain, moving.alphas, strict=True)),
        _mean(mad(key * moving.stage, true) for key, true in zip(plain, moving.alphas, strict=True)),
        _mean(_colour_error(key.foreground, colour, true) for key, true, colour, _ in pairs),
        _mean(_colour_error(frame, colour, _inside(true)) for _, true, colour, frame in pairs),
        _mean(_changes(keyed, moving.alphas, np.ones(moving.stage.shape, bool))),
        _mean(_changes(standing, still.alphas, edge_band(still.alphas[0]))),
        1 / statistics.median(seconds),
    ]


def _keyed(take: Take) -> tuple[list[np.ndarray], list[KeyedFrame], list[float]]:
    """The frames as decoded, float32 in [0, 1], what came of them, and the seconds each took."""
    with TemporaryDirectory() as folder, open_reader(write_clip(Path(folder) / "take.mp4", take.frames)) as reader:
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
