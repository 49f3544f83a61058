"""Scores for reading, as Markdown tables, and for other programs."""

import json
import math
from collections.abc import Mapping
from typing import Any

from howard.evaluation.markdown import markdown_table, number
from howard.evaluation.predictions import PredictionReport
from howard.evaluation.roads import ROADS, ClipReport

# The scores of a clip that a table has room for, and how they are headed.
_COLUMNS = {
    "mad": "MAD",
    "mse": "MSE",
    "grad": "Grad",
    "conn": "Conn",
    "dtssd": "dtSSD",
    "dtssd_n": "dtSSD-n",
    "band_mad": "Band MAD",
}


def clips_table(reports: Mapping[str, ClipReport]) -> str:
    """One row for each clip and road, and for each road's mean over the clips; smaller is better throughout."""
    rows = []
    for road, about in ROADS.items():
        scores = {clip: report.roads[road] for clip, report in reports.items()}
        if len(scores) > 1:
            scores["mean"] = {name: sum(each[name] for each in scores.values()) / len(scores) for name in _COLUMNS}
        rows += [[about, clip, *(number(each[name]) for name in _COLUMNS)] for clip, each in scores.items()]
    return markdown_table(["plate", "clip", *_COLUMNS.values()], rows)


def plates_table(reports: Mapping[str, ClipReport]) -> str:
    """One row for each clip: how well its plate was aligned."""
    rows = []
    for clip, report in reports.items():
        plate = report.plate
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(plate.statuses.items()))
        measures = [f"{plate.residual:.2f}", f"{plate.wrong:.1%}", f"{plate.uncovered:.1%}"]
        rows.append([clip, str(report.frames), statuses, *measures])
    return markdown_table(["clip", "frames", "alignment", "levels off", "wrong", "uncovered"], rows)


def score_table(report: PredictionReport) -> str:
    """One row for each score, one column for each matte, then what needs no truth."""
    rows = [
        [name, *(number(scores.get(name, math.nan)) for scores in report.roads.values())]
        for name in report.roads["predictions"]
    ]
    beside = len(report.roads) - 1
    rows += [[name, number(value), *["-"] * beside] for name, value in report.measures.items()]
    return markdown_table([f"{report.frames} frames", *report.roads], rows)


def as_json(**about: Any) -> str:
    """What is given as JSON; a score that could not be had is null."""
    return json.dumps(_without_nan(about), indent=2) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
