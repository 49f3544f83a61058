"""Benchmark clips at the end of a run: metrics and pictures of each, as files and as a W&B table."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from lightning import Trainer
from lightning.pytorch.loggers import WandbLogger
from numpy.typing import NDArray

from howard.evaluation.benchmark.clip_report import PIPELINE
from howard.evaluation.benchmark.clip_scores import ScoredFrame, score_clip
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.images import to_uint8
from howard.matting import MattingPredictor, load_matting
from howard.media import open_reader, write_atomically
from howard.media.png_encoding import encode_png
from howard.quality import QUALITIES
from howard.training.run_end import FinishedRun, RunEndCallback
from howard.training.run_folders import EXPORTED

FOLDER, SCORES = "bench", "scores.csv"
TABLE = "bench_clips"
METRICS = ("mad", "mse", "grad", "conn", "dtssd", "band_mad")
_MEAN = "mean"
_WIDTH = 240  # pixels of a picture in a strip
_TOO_HIGH, _TOO_LOW = (255, 128, 0), (0, 128, 255)  # RGB colours of positive and negative errors of alpha


class ScoredClip(NamedTuple):
    """A clip's name, number of scored frames, scores by :data:`METRICS`, and strip of pictures, HxWx3 uint8 RGB."""

    name: str
    frames: int
    scores: dict[str, float]
    strip: NDArray[np.uint8]


class BenchTable(RunEndCallback):
    """Scores the exported weights on benchmark clips, with the inference pipeline including plate alignment.

    Writes ``bench/scores.csv`` (a row per clip, and the mean) and ``bench/CLIP.png`` into the run folder. All loggers
    receive ``bench/CLIP/METRIC`` and ``bench/mean/METRIC``, W&B also the table ``bench_clips`` with the pictures.

    Args:
        clips: a folder with the layout of data/sample, or a folder of such folders.
        frames: maximum number of consecutive frames of each clip, from its middle; None uses all.
        pictures: number of frames of each clip that are shown.
        quality: one of :data:`howard.quality.QUALITIES`.

    Raises:
        ValueError: ``frames`` or ``pictures`` is below 1.
    """

    def __init__(self, clips: str, frames: int | None = 24, pictures: int = 4, quality: str = "standard") -> None:
        if pictures < 1 or (frames is not None and frames < 1):
            raise ValueError(f"frames={frames} and pictures={pictures} must be at least 1")
        self.clips, self.frames, self.pictures, self.quality = Path(clips), frames, pictures, str(quality)

    def on_run_end(self, trainer: Trainer, run: FinishedRun) -> None:
        """Score, write and log; raises InputError if the clips cannot be read."""
        clips = find_clips(self.clips)
        device = trainer.strategy.root_device.type
        predictor = load_matting(run.folder / EXPORTED, device, augmented=QUALITIES[self.quality].augmented)
        scored = []
        for clip in clips:
            print(f"benchmark clip {clip.folder.name}")
            scored.append(self._score(clip, predictor))
        write_files(run.folder / FOLDER, scored)
        log_scores(trainer, scored)

    def _score(self, clip: TrueClip, predictor: MattingPredictor) -> ScoredClip:
        with open_reader(clip.shot) as shot:
            chosen = middle_frames(len(shot), self.frames)
            first = shot.info.first_number
        strip = StripMaker(spread_indices(chosen, self.pictures))
        numbers = f"{chosen[0] + first}-{chosen[-1] + first}"
        report = score_clip(clip, predictor, numbers, quality=self.quality, on_frame=strip)
        scores = {metric: report.scores[PIPELINE][metric] for metric in METRICS}
        return ScoredClip(clip.folder.name, report.frames, scores, strip.strip())


def middle_frames(count: int, limit: int | None) -> range:
    """Zero-based indices of at most ``limit`` consecutive frames around the middle of a clip of ``count``."""
    taken = count if limit is None else min(limit, count)
    first = (count - taken) // 2
    return range(first, first + taken)


def mean_scores(scored: list[ScoredClip]) -> dict[str, float]:
    """Mean of every metric over the clips that have it; NaN if none has."""
    means = {}
    for metric in METRICS:
        known = [each.scores[metric] for each in scored if not math.isnan(each.scores[metric])]
        means[metric] = sum(known) / len(known) if known else math.nan
    return means


def write_files(folder: Path, scored: list[ScoredClip]) -> None:
    """Write ``scores.csv``, with empty cells for missing scores, and a picture for each clip."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["clip", "frames", *METRICS])
    rows = [(each.name, each.frames, each.scores) for each in scored]
    for name, frames, scores in [*rows, (_MEAN, sum(each.frames for each in scored), mean_scores(scored))]:
        writer.writerow([name, frames, *("" if math.isnan(scores[each]) else scores[each] for each in METRICS)])
    write_atomically(folder / SCORES, text.getvalue().encode())
    for each in scored:
        write_atomically(folder / f"{each.name}.png", encode_png(each.strip))


def log_scores(trainer: Trainer, scored: list[ScoredClip]) -> None:
    """Log all scores to every logger, and the table to W&B."""
    by_clip = {each.name: each.scores for each in scored} | {_MEAN: mean_scores(scored)}
    metrics = {f"{FOLDER}/{clip}/{name}": value for clip, scores in by_clip.items() for name, value in scores.items()}
    for logger in trainer.loggers:
        known = {name: value for name, value in metrics.items() if not math.isnan(value)}
        logger.log_metrics(known, step=trainer.global_step)
        logger.save()
        if isinstance(logger, WandbLogger):
            logger.log_table(TABLE, *bench_table(scored), step=trainer.global_step)


def bench_table(scored: list[ScoredClip]) -> tuple[list[str], list[list]]:
    """Columns and rows of the W&B table: a row per clip, with its pictures in the last column."""
    import wandb

    rows = []
    for each in scored:
        scores = [None if math.isnan(value) else value for value in each.scores.values()]
        rows.append([each.name, each.frames, *scores, wandb.Image(each.strip)])
    return ["clip", "frames", *METRICS, "pictures"], rows


class StripMaker:
    """Collects pictures of a clip's frames while they are scored; passed to ``score_clip`` as ``on_frame``.

    Args:
        indices: zero-based indices of the frames to show.
    """

    def __init__(self, indices: Sequence[int]) -> None:
        self.indices = frozenset(indices)
        self._columns: list[NDArray[np.uint8]] = []

    def __call__(self, frame: ScoredFrame) -> None:
        if frame.index in self.indices:
            alpha = frame.alphas[PIPELINE]
            pictures = (frame.source, _grey(frame.true), _grey(alpha), _error(alpha - frame.true))
            self._columns.append(np.concatenate([_shrink(each) for each in pictures], axis=0))

    def strip(self) -> NDArray[np.uint8]:
        """HxWx3 uint8 RGB: a column per frame, with source, true alpha, predicted alpha and error of alpha as rows."""
        return np.concatenate(self._columns, axis=1)


def spread_indices(frames: range, count: int) -> list[int]:
    """At most ``count`` evenly spaced indices of a range, including its ends."""
    places = np.linspace(0, len(frames) - 1, min(count, len(frames)))
    return [frames[round(place)] for place in places]


def _grey(alpha: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.repeat(to_uint8(alpha)[..., None], 3, axis=2)


def _error(difference: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Orange where alpha is too high, blue where it is too low, black where it is correct."""
    high, low = difference.clip(0, 1)[..., None], (-difference).clip(0, 1)[..., None]
    picture = high * np.array(_TOO_HIGH, np.float32) + low * np.array(_TOO_LOW, np.float32)
    return np.rint(picture).astype(np.uint8)


def _shrink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = max(1, round(picture.shape[0] * _WIDTH / picture.shape[1]))
    return cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
