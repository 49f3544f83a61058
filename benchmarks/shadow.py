"""How well the shadow pass is estimated: ``python benchmarks/shadow.py``.

Clips laid out like ``data/sample`` are aligned and matted as in a render; one without ``shadow/`` has no shadow.
Printed are mean absolute errors of the factor over pixels of true alpha below 0.5:

* shadow: where the true factor is below 0.97
* of 1: the same of predicting 1 everywhere, and the ratio of the two
* no shadow: where the true factor is above 0.995
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from howard.errors import InputError
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.matting import MattingPredictor, load_matting
from howard.media import open_reader, read_still, to_depth
from howard.pipeline import MattedFrame, align_frames, choose_person_finder, matte_frames
from howard.pipeline.frame_finisher import make_shadow
from howard.pipeline.frame_tensors import solve_frame_edges

ROOT = Path(__file__).resolve().parents[1]
CLIPS = [ROOT / "data" / "sample", ROOT / "data" / "bench_public", ROOT.parent / "shared" / "data" / "bench_v2"]

SHADOW, NO_SHADOW = 0.97, 0.995


def matted(clip: TrueClip, count: int, predictor: MattingPredictor) -> Iterator[MattedFrame]:
    """At most ``count`` frames, evenly spread."""
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate:
        indices = range(0, len(shot), -(-len(shot) // count))
        aligned = align_frames(shot, plate, indices, find_person=choose_person_finder("standard", predictor))
        yield from matte_frames(aligned, predictor)


def predicted_shadow(frame: MattedFrame, linear_light: bool) -> np.ndarray:
    """The factor (H, W, 3), as a render makes it."""
    return make_shadow(frame, solve_frame_edges(frame, linear_light=linear_light)).cpu().numpy()


def true_shadow(clip: TrueClip, index: int, shape: tuple[int, int]) -> np.ndarray:
    """The factor (H, W), 1 in a clip without shadow."""
    path = clip.folder / "shadow" / f"{index:04d}.png"
    if not path.parent.is_dir():
        return np.ones(shape, np.float32)
    half = to_depth(read_still(path)[..., 0], np.float32)
    return cv2.resize(half, shape[::-1], interpolation=cv2.INTER_LINEAR)


def errors(predicted: np.ndarray, true: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Sums of errors over shadow pixels, of predicting 1 there, and over pixels without, and both pixel counts."""
    error = np.abs(predicted - true[..., None]).mean(axis=2)
    shadow, none = ((alpha < 0.5) & where for where in (true < SHADOW, true > NO_SHADOW))
    return np.array([error[shadow].sum(), (1 - true[shadow]).sum(), error[none].sum(), shadow.sum(), none.sum()])


def line(name: str, sums: np.ndarray) -> str:
    """A row of the table."""
    shadow, ones, none, shadow_pixels, none_pixels = sums
    values = (shadow / shadow_pixels, ones / shadow_pixels, shadow / ones) if shadow_pixels else (np.nan,) * 3
    return f"{name:<14}" + "".join(f"{value:11.4f}" for value in (*values, none / max(none_pixels, 1)))


def main() -> None:
    """Print a line a clip, and one of all pixels."""
    parser = argparse.ArgumentParser(description="Errors of the estimated shadow pass.")
    parser.add_argument(
        "--clips", type=Path, nargs="+", default=CLIPS, help="folders laid out like data/sample, or of such"
    )
    parser.add_argument("--frames", type=int, default=6, help="of each clip (default: 6)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        clips = [clip for folder in options.clips for clip in find_clips(folder)]
    except InputError as error:
        sys.exit(f"error: {error} (--clips)")
    predictor = load_matting("default")
    print(f"{'clip':<14}" + "".join(f"{name:>11}" for name in ("shadow", "of 1", "ratio", "no shadow")))
    rows = []
    for clip in clips:
        row = np.zeros(5)
        for frame in matted(clip, options.frames, predictor):
            index = frame.source.index
            true = true_shadow(clip, index, frame.source.image.shape[:2])
            predicted = predicted_shadow(frame, predictor.metadata.mixing == "linear")
            row += errors(predicted, true, clip.alpha(index))
        rows.append(row)
        print(line(clip.folder.name, row), flush=True)
    print(line("all", np.sum(rows, axis=0)))


if __name__ == "__main__":
    main()
