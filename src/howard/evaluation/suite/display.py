"""Results of the suite as tables for people."""

import math

from rich import box
from rich.table import Table

from howard.evaluation.markdown import number
from howard.evaluation.suite.comparison import MetricRatio
from howard.evaluation.suite.results import CLIP_METRICS, MEAN, STILL_METRICS, SuiteResults

_SHOWN_OF_CLIPS = ("clip_mad", "clip_lost", "clip_kept", "dtssd")
_HEADINGS = STILL_METRICS | CLIP_METRICS


def results_table(results: SuiteResults) -> Table:
    """A row for each phenomenon and for the mean of them all, a column for each metric that was measured."""
    means = results.means()
    metrics = [name for name in (*STILL_METRICS, *_SHOWN_OF_CLIPS) if name in means[MEAN]]
    table = Table("phenomenon", box=box.SIMPLE)
    for name in metrics:
        table.add_column(_HEADINGS[name], justify="right")
    for phenomenon, each in means.items():
        if phenomenon == MEAN:
            table.add_section()
        table.add_row(phenomenon, *(number(each.get(name, math.nan)) for name in metrics))
    return table


def ratios_table(ratios: dict[str, dict[str, MetricRatio]]) -> Table:
    """A row for each phenomenon, a column for each metric: the ratio, and its interval below it; certain ones bold."""
    metrics = list(dict.fromkeys(name for each in ratios.values() for name in each))
    table = Table("phenomenon", box=box.SIMPLE)
    for name in metrics:
        table.add_column(_HEADINGS[name], justify="right")
    for phenomenon, each in ratios.items():
        table.add_row(phenomenon, *(_cell(each.get(name)) for name in metrics))
    return table


def _cell(ratio: MetricRatio | None) -> str:
    if ratio is None or math.isnan(ratio.ratio):
        return "-"
    text = f"{ratio.ratio:.2f}\n{ratio.low:.2f}-{ratio.high:.2f}"
    return f"[bold]{text}[/bold]" if ratio.is_certain else text
