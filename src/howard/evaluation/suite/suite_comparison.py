"""Compares two results of the suite: ratios of the metrics with bootstrap confidence intervals."""

import math

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from howard.errors import InputError
from howard.evaluation.paired_bootstrap import SEED, MetricRatio, mean_ratio, resampled_means
from howard.evaluation.suite.results import HEADINGS, MEAN, SuiteResults

COMPARED = ("mad", "grad", "band_mad", "hair_band_mad", "lost", "kept", "background_kept", "clip_mad", "dtssd")


def compare_results(first: SuiteResults, second: SuiteResults) -> dict[str, dict[str, MetricRatio]]:
    """Ratios second / first by phenomenon and metric, and of the means over all phenomena.

    Composites are paired by number; those that only one result has are ignored.

    Raises:
        InputError: the results are of different versions of the suite or of different data, or share no phenomenon.
    """
    for key in ("suite", "data"):
        digests = [each.about.get(key, {}).get("digest") for each in (first, second)]
        if digests[0] != digests[1]:
            raise InputError(
                f"the results are of different {key} ({digests[0]} and {digests[1]}); run the suite again for one"
            )
    shared = [name for name in first.rows if name in second.rows]
    if not shared:
        raise InputError("the results share no phenomenon; run the suite for the same ones")
    found: dict[str, dict[str, MetricRatio]] = {name: {} for name in shared}
    overall: dict[str, MetricRatio] = {}
    for metric in COMPARED:
        rng = np.random.default_rng(SEED)
        sampled = [resampled_means(_paired(first, second, name, metric), rng) for name in shared]
        for name, means in zip(shared, sampled, strict=True):
            if means is not None:
                found[name][metric] = mean_ratio(means)
        known = [means for means in sampled if means is not None]
        if known:
            overall[metric] = mean_ratio(np.mean(known, axis=0))
    return found | {MEAN: overall}


def ratios_table(ratios: dict[str, dict[str, MetricRatio]]) -> Table:
    """A table of ratios and their intervals by phenomenon and metric; significant ratios are bold."""
    metrics = list(dict.fromkeys(name for each in ratios.values() for name in each))
    table = Table("phenomenon", box=box.SIMPLE)
    for name in metrics:
        table.add_column(HEADINGS[name], justify="right")
    for phenomenon, each in ratios.items():
        table.add_row(phenomenon, *(_cell(each.get(name)) for name in metrics))
    return table


def _paired(first: SuiteResults, second: SuiteResults, phenomenon: str, metric: str) -> NDArray[np.float64]:
    """(2, n): the values of the composites for which the metric is defined in both results."""
    pairs = list(zip(first.values(phenomenon, metric), second.values(phenomenon, metric), strict=False))
    values = np.array(pairs, np.float64).reshape(-1, 2).T
    return values[:, ~np.isnan(values).any(axis=0)]


def _cell(ratio: MetricRatio | None) -> str:
    if ratio is None or math.isnan(ratio.ratio):
        return "-"
    text = f"{ratio.ratio:.2f}\n{ratio.low:.2f}-{ratio.high:.2f}"
    return f"[bold]{text}[/bold]" if ratio.is_significant else text
