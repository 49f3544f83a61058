"""What a plate is worth: as it was filmed, with somebody in it, and made of the shot's own frames.

    python benchmarks/plate_kinds.py [CLIP ...] [--every 3] [--weights default] [--quality standard]

A clip is a folder like data/sample. For the plate with somebody in it, the clip's own person, mirrored and played
backwards, is laid over the plate in every frame. Prints MAD (thousandths), Grad, the share of sure person
pixels that are lost (alpha < 0.5), and sure background kept, in percent of the person's pixels.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from howard.colour import mix
from howard.evaluation import metrics
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.matting import load_matting
from howard.media import PngSequenceWriter, open_reader, read_still
from howard.options import RenderOptions
from howard.pipeline import Predictor, matte_clip
from howard.pipeline.frame_tensors import solve_frame_edges
from howard.pipeline.inputs import open_inputs
from howard.pipeline.plate_check import check_plate
from howard.pipeline.plate_indexing import PlateIndexer
from howard.progress import SilentProgress

ROOT = Path(__file__).parents[1]
SURE, SURE_EMPTY = 0.98, 0.02
KINDS = ("as filmed", "with a person", "with a person, not noticed", "self")


def lay_person_over(clip: TrueClip, folder: Path) -> Path:
    """The clip's plate with its person in it, as an image sequence."""
    writer = PngSequenceWriter(folder, "plate")
    with open_reader(clip.plate) as plate, open_reader(clip.shot) as shot:
        poses = len(shot)
        writer.begin(range(1, len(plate) + 1))
        for frame in plate:
            pose = poses - 1 - frame.index % poses
            alpha = cv2.resize(clip.alpha(pose), frame.image.shape[1::-1], interpolation=cv2.INTER_AREA)
            colour = read_still(clip.folder / "fgr" / f"{pose:04d}.jpg")
            colour, empty = ((image / 255).astype(np.float32) for image in (colour, frame.image))
            # Mirrored, so that the person never stands as in the shot, which would make them part of the place.
            alpha, colour = alpha[:, ::-1], colour[:, ::-1]
            picture = mix(colour, empty, alpha[..., None], True)
            writer.write(frame.number, writer.prepare(np.rint(255 * picture).clip(0, 255).astype(np.uint8)))
    return folder


def score(clip: TrueClip, kind: str, predictor: Predictor, every: int, quality: str) -> list[float]:
    """Mean scores of every n-th frame with one kind of plate."""
    with tempfile.TemporaryDirectory() as name:
        plate: Path | str = clip.plate
        if kind == "self":
            plate = "self"
        elif kind != "as filmed":
            plate = lay_person_over(clip, Path(name) / "plate")
        rows = []
        with (
            open_inputs(clip.shot, plate, RenderOptions(), SilentProgress()) as inputs,
            PlateIndexer(inputs.plate) as indexer,
        ):
            validity = check_plate(inputs, indexer.plate, predictor, "person").validity
            numbers = range(1, inputs.shot.info.frame_count + 1, every)
            validity = None if kind.endswith("not noticed") else validity
            for frame in matte_clip(inputs, indexer, predictor, numbers, quality=quality, validity=validity):
                true = clip.alpha(frame.source.index)
                alpha = solve_frame_edges(frame, linear_light=predictor.metadata.mixing == "linear").alpha
                rows.append(score_alpha(alpha[0, ..., 0].cpu().numpy(), true))
    return np.mean(rows, axis=0).tolist()


def score_alpha(alpha: np.ndarray, true: np.ndarray) -> list[float]:
    """MAD, Grad, and percentages of person pixels: those lost, and the background kept; mattes (H, W) in [0, 1]."""
    person = true > SURE
    lost = 100 * (alpha[person] < 0.5).mean()
    kept = 100 * ((true < SURE_EMPTY) & (alpha > 0.5)).sum() / person.sum()
    return [metrics.mad(alpha, true), metrics.gradient_error(alpha, true), lost, kept]


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "clips", nargs="*", type=Path, default=[ROOT / "data" / "sample", ROOT / "data" / "bench_public"]
    )
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--quality", default="standard")
    given = parser.parse_args()
    predictor = load_matting(given.weights)
    table = Table("clip", "plate", "MAD", "Grad", "lost %", "kept %")
    for folder in given.clips:
        for clip in find_clips(folder):
            for kind in KINDS:
                numbers = score(clip, kind, predictor, given.every, given.quality)
                table.add_row(clip.folder.name, kind, *(f"{number:.2f}" for number in numbers))
                print(clip.folder.name, kind, *(f"{number:.2f}" for number in numbers), file=sys.stderr)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
