"""Where the time of the shipped network goes on one thread: core-ms of each step, and its share of the whole.

    python benchmarks/network_steps.py             # a frame of the sample clip, enlarged to 1080p
    python benchmarks/network_steps.py --repeats 15 --precision bf16

Steps take turns; figures are medians of the processor time. "people" is the person prior, which runs before the network
and is no part of "matte". The two last steps are what reads the foreground: soft patches in a render, all of it in a
program that asks for ``matte.foreground``.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from howard.compositing.patches import find_unknown
from howard.matting import CoarseNetwork, MattingNetwork, coarse_scale, load_matting
from howard.matting.code_values import resize
from howard.matting.refiner import enlarge
from howard.media import open_reader, read_still

SIZE = (1080, 1920)


def read_pair() -> tuple[np.ndarray, np.ndarray]:
    """A frame of the sample clip and its true empty place, (1080, 1920, 3) uint8."""
    folder = Path(__file__).parents[1] / "data" / "sample"
    with open_reader(folder / "shot.mp4") as shot:
        frame = shot[17]
    clean = read_still(sorted((folder / "clean").iterdir())[frame.index])
    source, plate = (cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_CUBIC) for image in (frame.image, clean))
    return source, plate


def list_steps(precision: str) -> dict[str, Callable[[], object]]:
    """Each step as a function that repeats it."""
    predictor = load_matting("default", "cpu", precision)
    network, refine = predictor.network, predictor.metadata.refine
    assert isinstance(network, MattingNetwork)
    assert network.refiner is not None
    refiner = network.refiner
    pictures = read_pair()
    coverage = np.ones(SIZE, np.float32)
    codes = [torch.from_numpy(picture)[None].permute(0, 3, 1, 2) for picture in pictures]
    scale = coarse_scale(*SIZE, predictor.metadata.coarse_long_side)
    size = round(SIZE[0] / scale), round(SIZE[1] / scale)
    people = predictor.find_people(pictures[0])
    small, covered = [resize(each, size) for each in codes], torch.ones(1, 1, *size)
    coarse = network.coarse_matte(codes[0], codes[1], None, people, coarse_scale=scale)
    matte = predictor(*pictures, coverage, people)
    unknown = find_unknown(matte.alpha.movedim(1, 3), matte.refined)
    return {
        "people": lambda: predictor.find_people(pictures[0]),
        "matte": lambda: predictor(*pictures, coverage, people),
        "  codes to the coarse size": lambda: [resize(each, size) for each in codes],
        "  coarse network": lambda: CoarseNetwork.forward(
            network, small[0], small[1], covered, people, lazy_hidden=True
        ),
        "  alpha enlarged": lambda: enlarge(coarse.alpha, SIZE),
        "  refiner, enlarging included": lambda: refiner(codes[0], codes[1], coarse, refine),
        "foreground, soft patches": lambda: matte.colour.patches(*unknown[:3]),
        "foreground, whole": lambda: matte.colour.whole(),
    }


def measure(steps: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median core-ms of every step."""
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats + 1):
        for name, step in steps.items():
            started = time.process_time()
            step()
            spent[name].append(1e3 * (time.process_time() - started))
    # The first round warms up.
    return {name: float(np.median(times[1:])) for name, times in spent.items()}


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with torch.inference_mode():
        spent = measure(list_steps(arguments.precision), arguments.repeats)
    table = Table("step", title=f"shipped network, 1080p, {arguments.precision}, one thread")
    for heading in ("core-ms", "of matte"):
        table.add_column(heading, justify="right")
    for name, milliseconds in spent.items():
        table.add_row(name, f"{milliseconds:.1f}", f"{milliseconds / spent['matte']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
