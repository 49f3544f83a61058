"""Scores with different plates: as filmed, with a person in it, and made of the shot's own frames.

    python benchmarks/plate_sources.py [CLIP ...] [--every 3] [--weights default] [--quality standard]

A clip is a folder like data/sample. The plate with a person has the clip's own person, mirrored and played backwards,
composited over every frame. Prints MAD (thousandths), Grad, the percentage of person pixels (true alpha above 0.98)
that are lost (alpha below 0.5), and kept background pixels (true alpha below 0.02) in percent of the person's pixels.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import PUBLIC_CLIPS, SAMPLE, print_table
from howard.colour import mix
from howard.evaluation import metrics
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.matting import load_matting
from howard.media import PngSequenceWriter, open_reader, read_still
from howard.options import RenderOptions
from howard.pipeline import Predictor, matte_clip
from howard.pipeline.frame_tensors import solve_frame_edges
from howard.pipeline.inputs import open_inputs
from howard.pipeline.plate_check import check_plate_is_empty
from howard.pipeline.plate_indexing import PlateIndexer
from howard.progress import SilentProgress

# True alpha of pixels that count as person and as background.
PERSON, BACKGROUND = 0.98, 0.02
SOURCES = ("as filmed", "with a person", "with a person, not detected", "self")


def add_person_to_plate(clip: TrueClip, folder: Path) -> Path:
    """Write the clip's plate with its person composited over it, as an image sequence."""
    writer = PngSequenceWriter(folder, "plate")
    with open_reader(clip.plate) as plate, open_reader(clip.shot) as shot:
        poses = len(shot)
        writer.begin(range(1, len(plate) + 1))
        for frame in plate:
            pose = poses - 1 - frame.index % poses
            alpha = cv2.resize(clip.alpha(pose), frame.image.shape[1::-1], interpolation=cv2.INTER_AREA)
            colour = read_still(clip.folder / "fgr" / f"{pose:04d}.jpg")
            colour, empty = ((image / 255).astype(np.float32) for image in (colour, frame.image))
            # Mirrored: at the same position as in the shot the person would be taken for background.
            alpha, colour = alpha[:, ::-1], colour[:, ::-1]
            picture = mix(colour, empty, alpha[..., None], True)
            writer.write(frame.number, writer.prepare(np.rint(255 * picture).clip(0, 255).astype(np.uint8)))
    return folder


def score(clip: TrueClip, source: str, predictor: Predictor, every: int, quality: str) -> list[float]:
    """Mean scores of every n-th frame with one of the `SOURCES` of plates."""
    with tempfile.TemporaryDirectory() as name:
        plate: Path | str = clip.plate
        if source == "self":
            plate = "self"
        elif source != "as filmed":
            plate = add_person_to_plate(clip, Path(name) / "plate")
        rows = []
        with (
            open_inputs(clip.shot, plate, RenderOptions(), SilentProgress()) as inputs,
            PlateIndexer(inputs.plate) as indexer,
        ):
            validity = check_plate_is_empty(inputs, indexer.plate, predictor, "person").validity
            numbers = range(1, inputs.shot.info.frame_count + 1, every)
            validity = None if source.endswith("not detected") else validity
            for frame in matte_clip(inputs, indexer, predictor, numbers, quality=quality, validity=validity):
                true = clip.alpha(frame.source.index)
                alpha = solve_frame_edges(frame, linear_light=predictor.metadata.mixing == "linear").alpha
                rows.append(score_alpha(alpha[0, ..., 0].cpu().numpy(), true))
    return np.mean(rows, axis=0).tolist()


def score_alpha(alpha: np.ndarray, true: np.ndarray) -> list[float]:
    """MAD, Grad, lost person and kept background in percent of the person; mattes (H, W) in [0, 1]."""
    person = true > PERSON
    lost = 100 * (alpha[person] < 0.5).mean()
    kept = 100 * ((true < BACKGROUND) & (alpha > 0.5)).sum() / person.sum()
    return [metrics.mad(alpha, true), metrics.gradient_error(alpha, true), lost, kept]


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, default=[SAMPLE, PUBLIC_CLIPS])
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--quality", default="standard")
    given = parser.parse_args()
    predictor = load_matting(given.weights)
    rows = []
    for folder in given.clips:
        for clip in find_clips(folder):
            for source in SOURCES:
                rows.append([clip.folder.name, source, *score(clip, source, predictor, given.every, given.quality)])
                print(*rows[-1][:2], *(f"{value:.2f}" for value in rows[-1][2:]), file=sys.stderr)
    print_table("", ("clip", "plate", "MAD", "Grad", "lost %", "kept %"), rows)


if __name__ == "__main__":
    main()
