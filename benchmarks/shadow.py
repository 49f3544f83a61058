"""Errors of the estimated shadow pass: ``python benchmarks/shadow.py``.

Clips like ``data/sample`` are aligned and matted as in a render; a clip without ``shadow/`` has no shadow. Printed are
mean absolute errors of the shadow factor over pixels with a true alpha below 0.5:

* shadow: where the true factor is below 0.97
* no pass: the same for a factor of 1 everywhere, and the ratio of the two
* no shadow: where the true factor is above 0.995
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import MOVING_CLIPS, PUBLIC_CLIPS, SAMPLE, print_table
from howard.errors import InputError
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.matting import MattingPredictor, load_matting
from howard.media import open_reader, read_still, to_depth
from howard.pipeline import MattedFrame, align_frames, matte_frames
from howard.pipeline.frame_finisher import make_shadow
from howard.pipeline.frame_tensors import solve_frame_edges

CLIPS = [SAMPLE, PUBLIC_CLIPS, MOVING_CLIPS]
SHADOW, NO_SHADOW = 0.97, 0.995


def matted(clip: TrueClip, count: int, predictor: MattingPredictor) -> Iterator[MattedFrame]:
    """At most ``count`` frames, evenly spread."""
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate:
        indices = range(0, len(shot), -(-len(shot) // count))
        aligned = align_frames(shot, plate, indices)
        yield from matte_frames(aligned, predictor)


def predicted_shadow(frame: MattedFrame, linear_light: bool) -> np.ndarray:
    """The factor (H, W, 3) as in a render."""
    return make_shadow(frame, solve_frame_edges(frame, linear_light=linear_light)).cpu().numpy()


def true_shadow(clip: TrueClip, index: int, shape: tuple[int, int]) -> np.ndarray:
    """The factor (H, W), 1 in a clip without shadow."""
    path = clip.folder / "shadow" / f"{index:04d}.png"
    if not path.parent.is_dir():
        return np.ones(shape, np.float32)
    half = to_depth(read_still(path)[..., 0], np.float32)
    return cv2.resize(half, shape[::-1], interpolation=cv2.INTER_LINEAR)


def errors(predicted: np.ndarray, true: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Sums over pixels: error in shadows, error of 1 there, error without shadow, and both pixel counts."""
    error = np.abs(predicted - true[..., None]).mean(axis=2)
    shadow, none = ((alpha < 0.5) & where for where in (true < SHADOW, true > NO_SHADOW))
    return np.array([error[shadow].sum(), (1 - true[shadow]).sum(), error[none].sum(), shadow.sum(), none.sum()])


def table_row(name: str, sums: np.ndarray) -> list[str]:
    """The means of sums made by `errors`."""
    shadow, ones, none, shadow_pixels, none_pixels = sums
    values = (shadow / shadow_pixels, ones / shadow_pixels, shadow / ones) if shadow_pixels else (np.nan,) * 3
    return [name, *(f"{value:.4f}" for value in (*values, none / max(none_pixels, 1)))]


def main() -> None:
    """Print a row for each clip and one for all pixels."""
    parser = argparse.ArgumentParser(description="Errors of the estimated shadow pass.")
    parser.add_argument(
        "--clips", type=Path, nargs="+", default=CLIPS, help="clips like data/sample, or folders of such clips"
    )
    parser.add_argument("--frames", type=int, default=6, help="of each clip (default: 6)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        clips = [clip for folder in options.clips for clip in find_clips(folder)]
    except InputError as error:
        sys.exit(f"error: {error} (--clips)")
    predictor = load_matting("default")
    sums = {}
    for clip in clips:
        row = np.zeros(5)
        for frame in matted(clip, options.frames, predictor):
            index = frame.source.index
            true = true_shadow(clip, index, frame.source.image.shape[:2])
            predicted = predicted_shadow(frame, predictor.metadata.mixing == "linear")
            row += errors(predicted, true, clip.alpha(index))
        sums[clip.folder.name] = row
    sums["all"] = np.sum(list(sums.values()), axis=0)
    rows = (table_row(name, row) for name, row in sums.items())
    print_table("Errors of the shadow factor", ("clip", "shadow", "no pass", "ratio", "no shadow"), rows)


if __name__ == "__main__":
    main()
