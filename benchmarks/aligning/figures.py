"""Means of scores by group, as tables and as plain numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console

from benchmarks.aligning.scoring import Row, Score
from benchmarks.measuring import print_table

# Method -> group -> column -> figure, None where it is not known.
Figures = dict[str, dict[str, dict[str, float | None]]]

_HEADINGS = {
    "wrong": "wrong %",
    "near": "near %",
    "behind": "behind %",
    "uncovered": "uncov. %",
    "px": "px",
    "px95": "p95 px",
    "h_px": "hom. px",
    "h_px95": "hom. p95",
    "failed": "failed %",
    "wall_ms": "ms",
    "cpu_ms": "cpu ms",
}


def average(rows: Sequence[Row], unions: Mapping[str, Sequence[str]]) -> Figures:
    """Figures of each method in each group, in "all" groups, and in ``unions`` of groups.

    A group's figure is the mean over its frames (the median for px and ms); "all" and unions weight groups equally.
    """
    found: Figures = {}
    for method in dict.fromkeys(row.method for row in rows):
        groups = {}
        for group in dict.fromkeys(row.group for row in rows):
            scores = [row.score for row in rows if row.method == method and row.group == group]
            groups[group] = {column: _figure(column, scores) for column in Score._fields}
        for name, members in {"all": tuple(groups), **unions}.items():
            kept = [groups[member] for member in members if member in groups]
            groups[name] = {column: _mean([each[column] for each in kept]) for column in Score._fields}
        found[method] = {name: {c: _plain(v) for c, v in each.items()} for name, each in groups.items()}
    return found


def print_figures(found: Figures, group: str, title: str, console: Console) -> None:
    """Every figure of a group, one row per method."""
    rows = (
        [method, *(_text(column, groups[group][column]) for column in _HEADINGS)] for method, groups in found.items()
    )
    print_table(title, ("", *_HEADINGS.values()), rows, console)


def print_groups(found: Figures, column: str, title: str, console: Console) -> None:
    """One figure of every group, one row per method."""
    groups = list(next(iter(found.values())))
    rows = ([method, *(_text(column, found[method][group][column]) for group in groups)] for method in found)
    print_table(title, ("", *groups), rows, console)


def _figure(column: str, scores: list[Score]) -> float:
    known = np.array([getattr(each, column) for each in scores], float)
    known = known[~np.isnan(known)]
    if not known.size:
        return float("nan")
    return float(np.median(known) if "px" in column or column.endswith("ms") else known.mean())


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 5)


def _text(column: str, value: float | None) -> str:
    if value is None:
        return "-"
    if column.endswith("ms"):
        return f"{value:.0f}"
    return f"{value:.2f}" if "px" in column else f"{100 * value:.1f}"
