"""A clip's scores for reading, and for other programs."""

import json
import math
from dataclasses import asdict
from typing import Any

from rich.table import Table

from howard.evaluation.benchmark import ClipReport

ROADS = {"film": "film road", "clean": "perfect plate", "key": "difference key"}


def score_table(report: ClipReport, title: str) -> Table:
    """One row for each score, one column for each road; smaller is better throughout."""
    table = Table(title=title, caption=_plate_line(report), caption_justify="left")
    table.add_column("score")
    for heading in ROADS.values():
        table.add_column(heading, justify="right")
    for name in next(iter(report.roads.values())):
        table.add_row(name, *(_number(report.roads[road][name]) for road in ROADS))
    return table


def as_json(report: ClipReport, **about: Any) -> str:
    """The report as JSON, with ``about`` ahead of it; a score that could not be had is null."""
    return json.dumps(_without_nan(about | asdict(report)), indent=2) + "\n"


def _plate_line(report: ClipReport) -> str:
    plate = report.plate
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(plate.statuses.items()))
    return (
        f"{report.frames} frames, smaller is better. Aligned plate: {statuses}; {plate.residual:.2f} levels off, "
        f"{plate.wrong:.1%} wrong, {plate.uncovered:.1%} uncovered"
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
