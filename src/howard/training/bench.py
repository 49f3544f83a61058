"""Benchmark clips at the end of a run: scores and pictures of each, as a W&B table and as files."""

import csv
import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lightning import Trainer
from lightning.pytorch.loggers import WandbLogger
from numpy.typing import NDArray

from howard.evaluation.benchmark.clip_scores import PIPELINE, score_clip
from howard.evaluation.true_clip import TrueClip, find_clips
from howard.matting import MattingPredictor, load_matting
from howard.media import open_reader, write_whole
from howard.media.png import encode_png
from howard.quality import QUALITIES
from howard.training.bench_strips import StripMaker, spread_indices
from howard.training.folders import EXPORTED
from howard.training.run_end import FinishedRun, RunEndCallback

FOLDER, SCORES = "bench", "scores.csv"
TABLE = "bench_clips"
METRICS = ("mad", "mse", "grad", "conn", "dtssd", "band_mad")
_MEAN = "mean"


class ScoredClip(NamedTuple):
    """A clip's name, how many frames were scored, the scores by :data:`METRICS`, and its pictures, HxWx3 uint8 RGB."""

    name: str
    frames: int
    scores: dict[str, float]
    strip: NDArray[np.uint8]


class BenchTable(RunEndCallback):
    """Mattes benchmark clips with the exported weights by the inference pipeline, plate alignment included.

    Written into ``bench/`` of the run's folder: ``scores.csv``, a row for each clip and the mean, and ``CLIP.png``. All
    loggers get ``bench/CLIP/METRIC`` and ``bench/mean/METRIC``, W&B also the table ``bench_clips`` with the pictures.

    Args:
        clips: a folder laid out like data/sample, or a folder of such folders.
        frames: at most so many consecutive frames of each clip, from its middle; None takes all.
        pictures: frames of each clip that are shown.
        quality: one of :data:`howard.quality.QUALITIES`.

    Raises:
        ValueError: ``frames`` or ``pictures`` is below 1.
    """

    def __init__(self, clips: str, frames: int | None = 24, pictures: int = 4, quality: str = "standard") -> None:
        if pictures < 1 or (frames is not None and frames < 1):
            raise ValueError(f"frames={frames} and pictures={pictures} must be at least 1")
        self.clips, self.frames, self.pictures, self.quality = Path(clips), frames, pictures, str(quality)

    def on_run_end(self, trainer: Trainer, run: FinishedRun) -> None:
        """Raises InputError where the clips cannot be read."""
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
    """By metric, the mean over the clips that have it; NaN where none has."""
    means = {}
    for metric in METRICS:
        known = [each.scores[metric] for each in scored if not math.isnan(each.scores[metric])]
        means[metric] = sum(known) / len(known) if known else math.nan
    return means


def write_files(folder: Path, scored: list[ScoredClip]) -> None:
    """Write ``scores.csv``, in which a score that there is not is empty, and a picture for each clip."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["clip", "frames", *METRICS])
    rows = [(each.name, each.frames, each.scores) for each in scored]
    for name, frames, scores in [*rows, (_MEAN, sum(each.frames for each in scored), mean_scores(scored))]:
        writer.writerow([name, frames, *("" if math.isnan(scores[each]) else scores[each] for each in METRICS)])
    write_whole(folder / SCORES, text.getvalue().encode())
    for each in scored:
        write_whole(folder / f"{each.name}.png", encode_png(each.strip))


def log_scores(trainer: Trainer, scored: list[ScoredClip]) -> None:
    """Log every score to every logger, and the table to W&B."""
    by_clip = {each.name: each.scores for each in scored} | {_MEAN: mean_scores(scored)}
    figures = {f"{FOLDER}/{clip}/{name}": value for clip, scores in by_clip.items() for name, value in scores.items()}
    for logger in trainer.loggers:
        known = {name: value for name, value in figures.items() if not math.isnan(value)}
        logger.log_metrics(known, step=trainer.global_step)
        logger.save()
        if isinstance(logger, WandbLogger):
            logger.log_table(TABLE, *bench_table(scored), step=trainer.global_step)


def bench_table(scored: list[ScoredClip]) -> tuple[list[str], list[list]]:
    """Columns and rows of the W&B table: a row for each clip, its pictures last."""
    import wandb

    rows = []
    for each in scored:
        scores = [None if math.isnan(value) else value for value in each.scores.values()]
        rows.append([each.name, each.frames, *scores, wandb.Image(each.strip)])
    return ["clip", "frames", *METRICS, "pictures"], rows
