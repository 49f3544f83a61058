"""Figures for reading, and the same as plain numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.aligning.harness import Row
from benchmarks.aligning.scoring import Score

# Method -> group -> column -> figure, None where it cannot be had.
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


def figures(rows: Sequence[Row], unions: Mapping[str, Sequence[str]]) -> Figures:
    """What each method comes to in each group, in "all", and in ``unions`` of groups.

    A group's figure is the mean over its frames (the median for px and ms); "all" and unions weigh groups alike.
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


def show_figures(found: Figures, group: str, title: str, console: Console) -> None:
    """Every figure of one group, a row for each method."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in Score._fields:
        table.add_column(_HEADINGS[column], justify="right", no_wrap=True)
    for method, groups in found.items():
        table.add_row(method, *(_text(column, groups[group][column]) for column in Score._fields))
    console.print(table)


def show_groups(found: Figures, column: str, title: str, console: Console) -> None:
    """One figure of every group, a row for each method."""
    groups = list(next(iter(found.values())))
    table = Table(title=title, title_justify="left")
    for heading in ("", *groups):
        table.add_column(heading, justify="right" if heading else "left")
    for method in found:
        table.add_row(method, *(_text(column, found[method][group][column]) for group in groups))
    console.print(table)


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
