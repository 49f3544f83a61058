"""Results of the suite: one value per composite and metric, stored as JSON and shown as a table."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from howard.errors import InputError
from howard.evaluation.suite.frozen_recipe import KINDS
from howard.evaluation.tables import format_number, to_json

# Metrics of stills and their headings; smaller is better for all.
STILL_METRICS = {
    "mad": "MAD",
    "mse": "MSE",
    "grad": "Grad",
    "conn": "Conn",
    "band_mad": "band MAD",
    "hair_band_mad": "hair band MAD",
    "lost": "lost %",
    "kept": "kept %",
    "background_kept": "background kept %",
}
# The same for clips, under names that differ from those of stills.
CLIP_METRICS = {f"clip_{name}": f"clip {heading}" for name, heading in STILL_METRICS.items()} | {"dtssd": "dtSSD"}
HEADINGS = STILL_METRICS | CLIP_METRICS
# Metrics of clips in the table of results.
_SHOWN_CLIP_METRICS = ("clip_mad", "clip_lost", "clip_kept", "dtssd")
# Name of the mean over all phenomena.
MEAN = "mean"
# Values of a phenomenon by kind and metric, one for each composite in order; NaN if the metric is undefined.
Rows = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class SuiteResults:
    """Results of a run of the suite.

    Attributes:
        about: version and digest of the suite, digest of the data, weights, settings and seconds.
        rows: values by phenomenon.
    """

    about: Mapping[str, Any]
    rows: Mapping[str, Rows]

    def values(self, phenomenon: str, metric: str) -> Sequence[float]:
        """The values of a metric of :data:`STILL_METRICS` or :data:`CLIP_METRICS`; empty if it was not measured."""
        kind, name = (KINDS[0], metric) if metric in STILL_METRICS else (KINDS[1], metric.removeprefix("clip_"))
        return self.rows[phenomenon].get(kind, {}).get(name, [])

    def means(self) -> dict[str, dict[str, float]]:
        """Mean of each metric by phenomenon, over the composites for which it is defined, and :data:`MEAN` of these."""
        found = {
            phenomenon: {
                metric: float(known.mean())
                for metric in (*STILL_METRICS, *CLIP_METRICS)
                if len(known := _defined(self.values(phenomenon, metric)))
            }
            for phenomenon in self.rows
        }
        metrics = [
            metric for metric in (*STILL_METRICS, *CLIP_METRICS) if any(metric in each for each in found.values())
        ]
        overall = {
            metric: float(np.mean([each[metric] for each in found.values() if metric in each])) for metric in metrics
        }
        return found | {MEAN: overall}

    def to_json(self) -> str:
        """The results as JSON for :func:`read_results`, with the means."""
        return to_json(**self.about, means=self.means(), rows=dict(self.rows))


def read_results(path: Path) -> SuiteResults:
    """Read results from a JSON file; raises InputError if it is not a file of results."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows = {
            phenomenon: {kind: _null_to_nan(each) for kind, each in kinds.items()}
            for phenomenon, kinds in stored["rows"].items()
        }
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a results.json file of the suite") from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise InputError(f"{path} has no results of the suite; give a results.json file") from None
    return SuiteResults({key: value for key, value in stored.items() if key not in ("rows", "means")}, rows)


def results_table(results: SuiteResults) -> Table:
    """A table with a row for each phenomenon and for their mean, and a column for each measured metric."""
    means = results.means()
    metrics = [name for name in (*STILL_METRICS, *_SHOWN_CLIP_METRICS) if name in means[MEAN]]
    table = Table("phenomenon", box=box.SIMPLE)
    for name in metrics:
        table.add_column(HEADINGS[name], justify="right")
    for phenomenon, each in means.items():
        if phenomenon == MEAN:
            table.add_section()
        table.add_row(phenomenon, *(format_number(each.get(name, math.nan)) for name in metrics))
    return table


def _defined(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[~np.isnan(array)]


def _null_to_nan(rows: dict[str, list[float | None]]) -> dict[str, list[float]]:
    return {metric: [math.nan if value is None else value for value in values] for metric, values in rows.items()}
