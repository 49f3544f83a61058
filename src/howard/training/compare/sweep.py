"""The runs of a sweep: a row for each, and the mean and spread over the seeds of each combination of settings."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from howard.training.compare.records import RunRecord, best_of, differing_settings

# Figures that a row has room for, where any run has them.
_SHOWN = ("val/mad", "val/grad", "val/conn", "val/band_mad", "val/foreground_mad", "val/loss")
_SHOWN_ONCE = ("suite/mean/mad", "bench/mean/mad")  # figures of the end of a run, no curves
_SEEDS = ("seed", "data.seed")
_REMARKS = ("tags", "notes", "logger", "runs", "paths", "resume")  # do not change what is trained


class Row(NamedTuple):
    """A line of a table: its cells as text, and whether each is the best of its column."""

    cells: list[str]
    is_best: list[bool]


class FigureTable(NamedTuple):
    """Headings and rows, for the terminal and the page alike."""

    title: str
    headings: list[str]
    rows: list[Row]


class SeedGroup(NamedTuple):
    """Runs that differ in nothing but the seed; ``label`` says in which settings the group differs from others."""

    label: str
    runs: list[RunRecord]


def run_rows(runs: Sequence[RunRecord]) -> FigureTable:
    """A row for each run: its folder, the settings in which runs differ, and its last figures."""
    settings = {key: values for key, values in _differing(runs).items() if not _is_remark(key)}
    metrics = _metrics(runs)
    values = {metric: [run.last(metric) for run in runs] for metric in metrics}
    best = {metric: best_of(column) for metric, column in values.items()}
    rows = []
    for index, run in enumerate(runs):
        figures = [values[metric][index] for metric in metrics]
        cells = [run.label.rpartition("/")[2], *(each[index] for each in settings.values()), *map(_shown, figures)]
        marks = [figure is not None and figure == best[metric] for metric, figure in zip(metrics, figures, strict=True)]
        rows.append(Row(cells, [False] * (1 + len(settings)) + marks))
    title = f"{len(runs)} runs, last figures, smaller is better"
    return FigureTable(title, ["run", *settings, *metrics], rows)


def seed_groups(runs: Sequence[RunRecord]) -> list[SeedGroup]:
    """Runs by their settings without seeds and remarks, in the order in which each combination is first met."""
    found: dict[tuple, list[RunRecord]] = defaultdict(list)
    for run in runs:
        found[tuple(sorted((key, value) for key, value in run.settings.items() if not _is_left_out(key)))].append(run)
    firsts = [members[0] for members in found.values()]
    settings = {key: values for key, values in differing_settings(firsts).items() if not _is_left_out(key)}
    labels = [", ".join(f"{key}={values[index]}" for key, values in settings.items()) for index in range(len(firsts))]
    return [SeedGroup(label or "all", members) for label, members in zip(labels, found.values(), strict=True)]


def spread_rows(runs: Sequence[RunRecord]) -> FigureTable | None:
    """Mean and sample standard deviation over the seeds of each group; None where no settings were run twice."""
    groups = seed_groups(runs)
    if all(len(group.runs) < 2 for group in groups):
        return None
    metrics = _metrics(runs)
    figures = {metric: [_values(group, metric) for group in groups] for metric in metrics}
    best = {metric: best_of([_mean(values) for values in column]) for metric, column in figures.items()}
    rows = []
    for index, group in enumerate(groups):
        columns = [figures[metric][index] for metric in metrics]
        cells = [group.label, str(len(group.runs)), *map(_shown_spread, columns)]
        means = [_mean(values) for values in columns]
        marks = [mean is not None and mean == best[metric] for metric, mean in zip(metrics, means, strict=True)]
        rows.append(Row(cells, [False, False, *marks]))
    return FigureTable("mean and standard deviation over seeds", ["settings", "runs", *metrics], rows)


def _metrics(runs: Sequence[RunRecord]) -> list[str]:
    known = {name for run in runs for name in run.curves}
    return [name for name in (*_SHOWN, *_SHOWN_ONCE) if name in known]


def _differing(runs: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Settings that differ; a seed that follows another is left out."""
    return {key: values for key, values in differing_settings(list(runs)).items() if key != _SEEDS[1]}


def _is_remark(key: str) -> bool:
    return key.partition(".")[0] in _REMARKS


def _is_left_out(key: str) -> bool:
    return key in _SEEDS or _is_remark(key)


def _values(group: SeedGroup, metric: str) -> list[float]:
    return [value for run in group.runs if (value := run.last(metric)) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _shown_spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return _shown(_mean(values))
    return f"{statistics.fmean(values):.4g} ± {statistics.stdev(values):.2g}"
