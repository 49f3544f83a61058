"""Tables of the benchmark: scores of each method and clip, and of the aligned plates. Imports no torch."""

import math
from collections.abc import Mapping, Sequence

from howard.evaluation.benchmark.clip_report import METHODS, ClipReport
from howard.evaluation.tables import format_number, markdown_table

# Scores and measures of a method, and their headings; smaller is better for all.
COLUMNS = {
    "mad": "MAD",
    "mse": "MSE",
    "grad": "Grad",
    "conn": "Conn",
    "dtssd": "dtSSD",
    "dtssd_n": "dtSSD-n",
    "band_mad": "Band MAD",
    "person_dropouts": "Lost %",
    "background_dropouts": "Kept %",
    "foreground": "Colour",
    "shadow": "Shadow",
    "alignment": "Align",
    "seconds": "s/frame",
    "megabytes": "MB",
}
_FRACTIONS = ("person_dropouts", "background_dropouts")  # shown in percent
MEAN = "mean"


def clips_table(reports: Mapping[str, ClipReport], name: str | None = None) -> str:
    """A Markdown table with a row for each method and clip, and for each method's mean over the clips.

    Args:
        reports: by clip, with the same methods.
        name: of the method, if it is none of :data:`METHODS`.
    """
    rows = []
    for method in next(iter(reports.values())).scores:
        scores = {clip: _all_scores(report, method) for clip, report in reports.items()}
        if len(scores) > 1:
            scores[MEAN] = mean_scores(list(scores.values()))
        heading = METHODS.get(method, name or method)
        rows += [[heading, clip, *format_scores(each)] for clip, each in scores.items()]
    return markdown_table(["plate" if name is None else "method", "clip", *COLUMNS.values()], rows)


def mean_scores(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean over clips of each of the :data:`COLUMNS`, over the clips that have it; NaN if none has."""
    means = {}
    for column in COLUMNS:
        known = [value for each in scores if not math.isnan(value := each.get(column, math.nan))]
        means[column] = sum(known) / len(known) if known else math.nan
    return means


def format_scores(scores: Mapping[str, float]) -> list[str]:
    """The :data:`COLUMNS` as text, with a dash for what is not known."""
    return [_format(column, scores.get(column, math.nan)) for column in COLUMNS]


def _all_scores(report: ClipReport, method: str) -> dict[str, float]:
    """The scores of a method, with the report's measures if it is the first one."""
    is_first = method == next(iter(report.scores))
    return report.scores[method] | (report.measures if is_first else {})


def _format(column: str, value: float) -> str:
    if column == "megabytes" and not math.isnan(value):
        return f"{value:.0f}"
    return format_number(100 * value if column in _FRACTIONS else value)


def plates_table(reports: Mapping[str, ClipReport]) -> str:
    """A Markdown table with the scores of the aligned plate of each clip."""
    rows = []
    for clip, report in reports.items():
        plate = report.plate
        if plate is None:
            continue
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(plate.statuses.items()))
        measures = [f"{plate.residual:.2f}", f"{plate.wrong:.1%}", f"{plate.uncovered:.1%}"]
        rows.append([clip, str(report.frames), statuses, *measures])
    return markdown_table(["clip", "frames", "alignment", "levels off", "wrong", "uncovered"], rows)
