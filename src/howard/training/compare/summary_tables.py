"""Summary tables of many runs: a row per run, and mean and standard deviation over seeds per combination."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from howard.training.compare.run_records import RunRecord, best_of, differing_settings

# Metrics shown, if any run has them.
_SHOWN = ("val/mad", "val/grad", "val/conn", "val/band_mad", "val/foreground_mad", "val/loss")
_SHOWN_ONCE = ("suite/mean/mad", "bench/mean/mad")  # of the exported weights, logged once
_SEEDS = ("seed", "data.seed")
_REMARKS = ("tags", "notes", "logger", "runs", "paths", "resume")  # settings without effect on the trained weights


class Row(NamedTuple):
    """A row of a table: its cells as text, and whether each is the best of its column."""

    cells: list[str]
    is_best: list[bool]


class SummaryTable(NamedTuple):
    """Headings and rows, for the terminal and for the page."""

    title: str
    headings: list[str]
    rows: list[Row]


class SeedGroup(NamedTuple):
    """Runs that differ only in the seed; ``label`` has the settings in which the group differs from other groups."""

    label: str
    runs: list[RunRecord]


def run_rows(runs: Sequence[RunRecord]) -> SummaryTable:
    """A row per run: its folder, the settings that differ between the runs, and its last metrics."""
    settings = {key: values for key, values in _differing(runs).items() if not _is_remark(key)}
    metrics = _metrics(runs)
    values = {metric: [run.last(metric) for run in runs] for metric in metrics}
    best = {metric: best_of(column) for metric, column in values.items()}
    rows = []
    for index, run in enumerate(runs):
        last = [values[metric][index] for metric in metrics]
        cells = [run.label.rpartition("/")[2], *(each[index] for each in settings.values()), *map(_format, last)]
        marks = [value is not None and value == best[metric] for metric, value in zip(metrics, last, strict=True)]
        rows.append(Row(cells, [False] * (1 + len(settings)) + marks))
    title = f"{len(runs)} runs, last values, smaller is better"
    return SummaryTable(title, ["run", *settings, *metrics], rows)


def seed_groups(runs: Sequence[RunRecord]) -> list[SeedGroup]:
    """Group runs by their settings without seeds and remarks; groups are in order of first occurrence."""
    found: dict[tuple, list[RunRecord]] = defaultdict(list)
    for run in runs:
        found[tuple(sorted((key, value) for key, value in run.settings.items() if not _is_left_out(key)))].append(run)
    firsts = [members[0] for members in found.values()]
    settings = {key: values for key, values in differing_settings(firsts).items() if not _is_left_out(key)}
    labels = [", ".join(f"{key}={values[index]}" for key, values in settings.items()) for index in range(len(firsts))]
    return [SeedGroup(label or "all", members) for label, members in zip(labels, found.values(), strict=True)]


def spread_rows(runs: Sequence[RunRecord]) -> SummaryTable | None:
    """Mean and sample standard deviation over the seeds of each group; None if no group has two runs."""
    groups = seed_groups(runs)
    if all(len(group.runs) < 2 for group in groups):
        return None
    metrics = _metrics(runs)
    values = {metric: [_values(group, metric) for group in groups] for metric in metrics}
    best = {metric: best_of([_mean(each) for each in column]) for metric, column in values.items()}
    rows = []
    for index, group in enumerate(groups):
        columns = [values[metric][index] for metric in metrics]
        cells = [group.label, str(len(group.runs)), *map(_format_spread, columns)]
        means = [_mean(each) for each in columns]
        marks = [mean is not None and mean == best[metric] for metric, mean in zip(metrics, means, strict=True)]
        rows.append(Row(cells, [False, False, *marks]))
    return SummaryTable("mean and standard deviation over seeds", ["settings", "runs", *metrics], rows)


def _metrics(runs: Sequence[RunRecord]) -> list[str]:
    known = {name for run in runs for name in run.curves}
    return [name for name in (*_SHOWN, *_SHOWN_ONCE) if name in known]


def _differing(runs: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Settings that differ, without ``data.seed``, which follows ``seed``."""
    return {key: values for key, values in differing_settings(list(runs)).items() if key != _SEEDS[1]}


def _is_remark(key: str) -> bool:
    return key.partition(".")[0] in _REMARKS


def _is_left_out(key: str) -> bool:
    return key in _SEEDS or _is_remark(key)


def _values(group: SeedGroup, metric: str) -> list[float]:
    return [value for run in group.runs if (value := run.last(metric)) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _format_spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return _format(_mean(values))
    return f"{statistics.fmean(values):.4g} ± {statistics.stdev(values):.2g}"
