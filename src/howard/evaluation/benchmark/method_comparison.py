"""Compares two results files: ratios of the scores with intervals of a paired bootstrap over clips and over frames."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from howard.errors import InputError
from howard.evaluation.benchmark.clip_tables import COLUMNS
from howard.evaluation.benchmark.method_results import MethodResults, heading
from howard.evaluation.paired_bootstrap import SEED, MetricRatio, mean_ratio, resampled_means
from howard.evaluation.tables import markdown_table

# What differs between machines, and with what else they do, is not compared.
COMPARED = tuple(name for name in COLUMNS if name not in ("seconds", "megabytes"))
# Below this number of clips a percentile interval is clearly too narrow: with three clips there are ten resamplings.
FEW_CLIPS = 10


@dataclass(frozen=True)
class ScoreComparison:
    """Ratios second / first of a score.

    Attributes:
        clips: number of clips that have the score in both results.
        over_clips: the ratio of the means over clips, with the interval of resampled clips; None for a single clip.
        over_frames: the same with the clips fixed and their frames resampled; None if the score has no frames.
    """

    clips: int
    means: tuple[float, float]
    over_clips: MetricRatio
    over_frames: MetricRatio | None


def compare_methods(first: MethodResults, second: MethodResults) -> dict[str, ScoreComparison]:
    """Compare two methods on the clips that both results have, score by score; scores that one lacks are left out.

    Raises:
        InputError: the results share no clip, or were made of different clips or frames of one name.
    """
    shared = _shared_clips(first, second)
    found = {}
    for score in COMPARED:
        with_score = [clip for clip in shared if all(score in each.clips[clip].scores for each in (first, second))]
        if not with_score:
            continue
        values = np.array([[each.clips[clip].scores[score] for clip in with_score] for each in (first, second)])
        means = resampled_means(values, np.random.default_rng(SEED))
        if means is None:
            continue
        before, after = values.mean(axis=1).tolist()
        over_frames = _compare_frames(first, second, with_score, score)
        found[score] = ScoreComparison(len(with_score), (before, after), mean_ratio(means), over_frames)
    return found


def comparison_text(first: MethodResults, second: MethodResults, compared: Mapping[str, ScoreComparison]) -> str:
    """The comparison as a Markdown table, below and above what it rests on."""
    rows = []
    for score, each in compared.items():
        means = [f"{100 * value:.2f}" if "%" in COLUMNS[score] else f"{value:.2f}" for value in each.means]
        over_frames = ["-"] * 2 if each.over_frames is None else _ratio_cells(each.over_frames)
        over_clips = _ratio_cells(each.over_clips)
        if each.clips == 1:
            over_clips[1] = "-"
        rows.append([COLUMNS[score], *means, str(each.clips), *over_clips, over_frames[1]])
    headings = ["score", "first", "second", "clips", "second/first", "95 % over clips", "95 % over frames"]
    lines = [f"first  = {heading(first)}", f"second = {heading(second)}", "", markdown_table(headings, rows), ""]
    return "\n".join([*lines, *_notes(max((each.clips for each in compared.values()), default=0))])


def _notes(clips: int) -> list[str]:
    notes = [
        f"Paired bootstrap over {clips} clips. Smaller is better: an interval below 1 favours the second method."
        if clips > 1
        else "One clip: no interval over clips, and no conclusion about other clips."
    ]
    if 1 < clips < FEW_CLIPS:
        notes.append(
            f"{clips} clips are few: the interval over clips is too narrow and proves little about other clips."
        )
    return [*notes, "The interval over frames is of these clips alone; the frames of a clip resemble one another."]


def _shared_clips(first: MethodResults, second: MethodResults) -> list[str]:
    shared = [name for name in first.clips if name in second.clips]
    if not shared:
        raise InputError("the results share no clip; score both methods on the same clips")
    for name in shared:
        before, after = first.clips[name], second.clips[name]
        if before.sha256 != after.sha256:
            raise InputError(f"the results are of different clips called {name}; score both methods on the same files")
        if before.frames != after.frames or first.method.get("frames") != second.method.get("frames"):
            raise InputError(f"the results are of different frames of {name}; score both with the same frames=")
    return shared


def _compare_frames(first: MethodResults, second: MethodResults, clips: list[str], score: str) -> MetricRatio | None:
    """The ratio of the means over clips, with frames resampled within each clip."""
    rng = np.random.default_rng(SEED)
    sampled = [resampled_means(_frame_values(first, second, clip, score), rng) for clip in clips]
    known = [means for means in sampled if means is not None]
    return mean_ratio(np.mean(known, axis=0)) if len(known) == len(clips) else None


def _frame_values(first: MethodResults, second: MethodResults, clip: str, score: str) -> NDArray[np.float64]:
    """(2, n): values of the frames for which the score is defined in both results."""
    columns = [each.clips[clip].per_frame.get(score, []) for each in (first, second)]
    values = np.array(list(zip(*columns, strict=False)), np.float64).reshape(-1, 2).T
    return values[:, ~np.isnan(values).any(axis=0)]


def _ratio_cells(ratio: MetricRatio) -> list[str]:
    if not ratio.is_known:
        return ["-", "-"]
    return [f"{ratio.ratio:.2f}", f"{ratio.low:.2f} to {ratio.high:.2f}"]
