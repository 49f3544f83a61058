"""Time of every step of the shipped network on one thread, and its fraction of the whole.

    python benchmarks/network_steps.py             # a frame of the sample clip, enlarged to 1080p
    python benchmarks/network_steps.py --repeats 15 --precision bf16

Figures are medians of alternating runs in core-ms. "person prior" runs before the network and is not part of "matte".
The two last rows are what reads the foreground: soft patches in a render, all of it in a program that asks for
``matte.foreground``.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import SAMPLE, alternate, median_ms, print_table, use_one_thread
from howard.compositing.patches import find_unknown
from howard.matting import CoarseNetwork, MattingNetwork, coarse_scale, load_matting
from howard.matting.code_values import resize
from howard.matting.refiner import enlarge
from howard.media import open_reader, read_still

SIZE = (1080, 1920)


def read_pair() -> tuple[np.ndarray, np.ndarray]:
    """A frame of the sample clip and its true background, (1080, 1920, 3) uint8 each."""
    with open_reader(SAMPLE / "shot.mp4") as shot:
        frame = shot[17]
    clean = read_still(sorted((SAMPLE / "clean").iterdir())[frame.index])
    source, plate = (cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_CUBIC) for image in (frame.image, clean))
    return source, plate


def list_steps(precision: str) -> dict[str, Callable[[], object]]:
    """Every step as a function that runs it."""
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
        "person prior": lambda: predictor.find_people(pictures[0]),
        "matte": lambda: predictor(*pictures, coverage, people),
        "  resize to the coarse size": lambda: [resize(each, size) for each in codes],
        "  coarse network": lambda: CoarseNetwork.forward(
            network, small[0], small[1], covered, people, lazy_hidden=True
        ),
        "  enlarge alpha": lambda: enlarge(coarse.alpha, SIZE),
        "  refiner, with enlarging": lambda: refiner(codes[0], codes[1], coarse, refine),
        "foreground, soft patches": lambda: matte.colour.patches(*unknown[:3]),
        "foreground, whole": lambda: matte.colour.whole(),
    }


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    arguments = parser.parse_args()
    use_one_thread()
    with torch.inference_mode():
        times = alternate(list_steps(arguments.precision), arguments.repeats)
    medians = {name: median_ms(each) for name, each in times.items()}
    rows = ([name, f"{value:.1f}", value / medians["matte"]] for name, value in medians.items())
    print_table(f"shipped network, 1080p, {arguments.precision}, one thread", ("step", "core-ms", "of matte"), rows)


if __name__ == "__main__":
    main()
