"""Errors and time of solving soft edges: ``python benchmarks/edges.py --data ../shared/data``.

Frames with known alpha and foreground are aligned and matted as in a render. The solver's constants for colours were
chosen on three sets: people of the validation split over rooms of the validation split, as stills (``rooms``) and as
clips of moving people (``moving``), and ``sample``; not on the clips of the public benchmark. Printed for the network's
matte and for the solved one are means over frames of Band MAD and Grad; the error of the foreground (x 1e3), weighted
by true alpha, where both true alpha and matte are soft; and the error of the written RGBA over the aligned plate
against the source (8-bit levels) where true alpha is soft. ``--time`` prints milliseconds on one thread at 1920x1080
instead.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import DATA, PUBLIC_CLIPS, SAMPLE, alternate, median_ms, print_table, use_one_thread
from benchmarks.moving_people import write_moving_clips
from howard.align import PlateAligner
from howard.colour import mix
from howard.errors import InputError
from howard.evaluation.metrics import band_mad, gradient_error
from howard.evaluation.true_clip import TrueClip
from howard.matting import MattingPredictor, load_matting
from howard.media import Frame, Reader, open_reader, read_still, to_depth
from howard.pipeline import AlignedFrame, MattedFrame, matte_frames
from howard.pipeline.frame_finisher import Composer, ComposeSettings, FrameFinisher, compose_tensors
from howard.pipeline.frame_tensors import solve_frame_edges

EDGES = ("network", "solved")
SCORES = ("Band MAD", "Grad", "foreground", "recomposition")
# Mean absolute error from which a matte has gross errors and is left out.
GROSS_ERROR = 0.02
# Range of true alpha of soft pixels.
SOFT = (0.02, 0.98)
HEIGHT, WIDTH = 1080, 1920
REPEATS = 9


class Case(NamedTuple):
    """A matted frame and ground truth: alpha (H, W) in [0, 1], foreground (H, W, 3) uint8."""

    frame: MattedFrame
    alpha: np.ndarray
    foreground: np.ndarray


def matte(frame: Frame, plate: Reader, predictor: MattingPredictor) -> MattedFrame:
    """Align a plate to a frame and matte it."""
    return next(iter(matte_frames([AlignedFrame(frame, PlateAligner(plate).align(frame))], predictor)))


def room_cases(data: Path, count: int, predictor: MattingPredictor) -> Iterator[Case]:
    """Rendered people over plate pairs, both of the validation split, mixed in linear light."""
    pairs, people = data / "plate_pairs", data / "people_rendered"
    if not (pairs / "val.txt").is_file() or not (people / "val.txt").is_file():
        raise InputError(f"{data} has no plate_pairs and people_rendered; give their folder with --data")
    names, persons = ((folder / "val.txt").read_text().split() for folder in (pairs, people))
    random = np.random.default_rng(3)
    for index, name in enumerate(names[:count]):
        place = read_still(pairs / f"{name}_src.jpg")
        source, alpha, foreground = person_over(place, people / persons[index % len(persons)], random)
        with open_reader(pairs / f"{name}_plate.jpg") as plate:
            yield Case(matte(Frame(source, 0, 1, Fraction(0)), plate, predictor), alpha, foreground)


def person_over(place: np.ndarray, person: Path, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A person at a random position over ``place`` (H, W, 3) uint8: source, alpha in [0, 1] and foreground, uint8."""
    colour, cover = read_still(Path(f"{person}_fgr.jpg")), read_still(Path(f"{person}_pha.png"))[..., 0]
    height, width = place.shape[:2]
    scale = 0.9 * height / len(colour)
    shift = random.uniform(0, max(1.0, width - scale * colour.shape[1]))
    matrix = np.array([[scale, 0, shift], [0, scale, height - scale * len(colour)]])
    foreground = cv2.warpAffine(colour, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    alpha = to_depth(cv2.warpAffine(cover, matrix, (width, height)), np.float32)
    mixed = mix(to_depth(foreground, np.float32), to_depth(place, np.float32), alpha[..., None])
    noisy = mixed + random.normal(0, 0.008, mixed.shape)
    return to_depth(noisy.astype(np.float32), np.uint8), alpha, foreground


def clip_cases(folder: Path, step: int, predictor: MattingPredictor) -> Iterator[Case]:
    """Every ``step``-th frame of a clip with its ground truth."""
    clip = TrueClip(folder)
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate:
        aligner = PlateAligner(plate)
        for index in range(0, len(shot), step):
            frame = shot[index]
            (matted,) = matte_frames([AlignedFrame(frame, aligner.align(frame))], predictor)
            yield Case(matted, clip.alpha(index), read_still(folder / "fgr" / f"{index:04d}.jpg"))


def moving_cases(data: Path, step: int, predictor: MattingPredictor) -> Iterator[Case]:
    """Every ``step``-th frame of the clips of `write_moving_clips`."""
    with tempfile.TemporaryDirectory() as folder:
        for clip in write_moving_clips(data, Path(folder)):
            yield from clip_cases(clip, step, predictor)


def score(case: Case, edges: str) -> list[float]:
    """The `SCORES` of a case."""
    rgba = Composer(ComposeSettings(depths=(np.dtype(np.uint8),), edges=edges)).begin(case.frame)().rgba
    pixels = to_depth(rgba[np.dtype(np.uint8)], np.float32)
    colour, alpha, true = pixels[..., :3], pixels[..., 3], case.alpha
    source, plate = (to_depth(each, np.float32) for each in (case.frame.source.image, case.frame.plate.image))
    is_soft = (alpha > 0) & (alpha < 1) & (true > SOFT[0]) & (true < SOFT[1])
    error = np.abs(colour - to_depth(case.foreground, np.float32)).mean(axis=2)
    soft = (true > 0) & (true < 1) & (case.frame.plate.coverage >= 0.5)
    recomposition = np.abs(mix(colour, plate, alpha[..., None]) - source).mean(axis=2)
    return [
        band_mad(alpha, true),
        gradient_error(alpha, true),
        1e3 * float(np.average(error[is_soft], weights=true[is_soft])) if is_soft.any() else float("nan"),
        255 * float(recomposition[soft].mean()) if soft.any() else float("nan"),
    ]


def print_scores(name: str, cases: Iterator[Case]) -> None:
    """Print the rows of a set."""
    usable = [case for case in cases if np.abs(case.frame.alpha[0, ..., 0].numpy() - case.alpha).mean() < GROSS_ERROR]
    for edges in EDGES:
        means = np.nanmean([score(case, edges) for case in usable], axis=0)
        print(f"{name:<12} {edges:<8} {len(usable):4d} " + " ".join(f"{value:13.2f}" for value in means), flush=True)


@torch.inference_mode()
def print_times(predictor: MattingPredictor) -> None:
    """Print the time of every step after the network for a frame of the sample, enlarged."""
    use_one_thread()
    with open_reader(SAMPLE / "shot.mp4") as shot, open_reader(SAMPLE / "plate.mp4") as plate:
        frame = shot[0]
        aligned = PlateAligner(plate, sparse=True).align(frame)
    image, empty, coverage = (
        cv2.resize(each, (WIDTH, HEIGHT)) for each in (frame.image, aligned.image, aligned.coverage)
    )
    aligned = aligned._replace(image=empty, coverage=(coverage > 0.5).astype(np.float32))
    (matted,) = matte_frames([AlignedFrame(frame._replace(image=image), aligned)], predictor)
    settings = ComposeSettings(depths=(np.dtype(np.uint8),))
    edges, finisher = solve_frame_edges(matted), FrameFinisher(settings)
    steps = {
        "solved edges": lambda: solve_frame_edges(matted),
        "RGBA": lambda: compose_tensors(matted.tensors, edges, settings),
        "all, with quality measures": lambda: finisher.finish(matted),
    }
    rows = ([name, f"{median_ms(times, 'wall'):.1f}"] for name, times in alternate(steps, REPEATS).items())
    print_table(f"{len(edges.patches.row)} patches of {WIDTH}x{HEIGHT}", ("step", "ms"), rows)


def main() -> None:
    """Print the table, or the times."""
    parser = argparse.ArgumentParser(description="Errors and time of solving soft edges.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of plate_pairs, people_rendered, people_moving")
    parser.add_argument("--pairs", type=int, default=24, help="validation rooms; 0 leaves out rooms and moving")
    parser.add_argument("--step", type=int, default=3, help="every n-th frame of clips")
    parser.add_argument(
        "--clips", type=Path, nargs="*", help="folders of clips (default: the sample and the public clips)"
    )
    parser.add_argument("--time", action="store_true", help="print times")
    options = parser.parse_args()
    predictor = load_matting("default", "cpu")
    if options.time:
        print_times(predictor)
        return
    clips = options.clips
    if clips is None:
        clips = [SAMPLE, *(PUBLIC_CLIPS / name for name in ("rotation", "moderate", "strong"))]
    print(f"{'':<12} {'edges':<8} {'':4} " + " ".join(f"{name:>13}" for name in SCORES))
    try:
        if options.pairs:
            print_scores("rooms", room_cases(options.data, options.pairs, predictor))
            print_scores("moving", moving_cases(options.data, options.step, predictor))
        for folder in clips:
            print_scores(folder.name, clip_cases(folder, options.step, predictor))
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
