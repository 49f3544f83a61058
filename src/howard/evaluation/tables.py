"""A clip's scores for reading, and for other programs."""

import json
import math
from dataclasses import asdict
from typing import Any

from rich.table import Table

from howard.evaluation.benchmark import ClipReport
from howard.evaluation.predictions import PredictionReport

ROADS = {
    "film": "film road",
    "clean": "perfect plate",
    "predictions": "predictions",
    "key": "difference key",
}


def score_table(report: ClipReport | PredictionReport, title: str) -> Table:
    """One row for each score, one column for each road; smaller is better throughout."""
    line = _plate_line(report) if isinstance(report, ClipReport) else _measure_line(report)
    table = Table(title=title, caption=f"{report.frames} frames, smaller is better. {line}", caption_justify="left")
    table.add_column("score")
    roads = [road for road in ROADS if road in report.roads]
    for road in roads:
        table.add_column(ROADS[road], justify="right")
    for name in report.roads[roads[0]]:
        table.add_row(name, *(_number(report.roads[road].get(name, math.nan)) for road in roads))
    return table


def as_json(report: ClipReport | PredictionReport, **about: Any) -> str:
    """The report as JSON, with ``about`` ahead of it; a score that could not be had is null."""
    return json.dumps(_without_nan(about | asdict(report)), indent=2) + "\n"


def _plate_line(report: ClipReport) -> str:
    plate = report.plate
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(plate.statuses.items()))
    return (
        f"Aligned plate: {statuses}; {plate.residual:.2f} levels off, {plate.wrong:.1%} wrong, "
        f"{plate.uncovered:.1%} uncovered"
    )


def _measure_line(report: PredictionReport) -> str:
    return "Besides: " + ", ".join(f"{name} {_number(value)}" for name, value in report.measures.items())


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
