"""What the suite measured: one value a composite and metric, as JSON and back."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from howard.errors import InputError
from howard.evaluation.suite.frozen_recipe import KINDS
from howard.evaluation.tables import as_json

# Metrics of stills, and how they are headed; all are better when smaller.
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
# The same of clips, by the names that they have beside those of stills.
CLIP_METRICS = {f"clip_{name}": f"clip {heading}" for name, heading in STILL_METRICS.items()} | {"dtssd": "dtSSD"}
# The name of the mean over all phenomena.
MEAN = "mean"
# Rows of a phenomenon: by kind, then by metric, one value for each composite in its order; NaN where it has none.
Rows = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class SuiteResults:
    """A run of the suite.

    Attributes:
        about: suite version and digest, digest of the data, weights, settings and seconds.
        rows: by phenomenon.
    """

    about: Mapping[str, Any]
    rows: Mapping[str, Rows]

    def values(self, phenomenon: str, metric: str) -> Sequence[float]:
        """The values of a metric of :data:`STILL_METRICS` or :data:`CLIP_METRICS`; empty where it was not measured."""
        kind, name = (KINDS[0], metric) if metric in STILL_METRICS else (KINDS[1], metric.removeprefix("clip_"))
        return self.rows[phenomenon].get(kind, {}).get(name, [])

    def means(self) -> dict[str, dict[str, float]]:
        """By phenomenon, the mean of every metric over the composites that have it; and :data:`MEAN` of these."""
        found = {
            phenomenon: {
                metric: float(known.mean())
                for metric in (*STILL_METRICS, *CLIP_METRICS)
                if len(known := _known(self.values(phenomenon, metric)))
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
        """What :func:`read_results` reads, and the means."""
        return as_json(**self.about, means=self.means(), rows=dict(self.rows))


def read_results(path: Path) -> SuiteResults:
    """Read a file that the suite wrote; raises InputError where it is none."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows = {
            phenomenon: {kind: _unknown_as_nan(each) for kind, each in kinds.items()}
            for phenomenon, kinds in stored["rows"].items()
        }
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a results.json of the suite") from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise InputError(f"{path} holds no results of the suite; give a results.json of it") from None
    return SuiteResults({key: value for key, value in stored.items() if key not in ("rows", "means")}, rows)


def _known(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[~np.isnan(array)]


def _unknown_as_nan(rows: dict[str, list[float | None]]) -> dict[str, list[float]]:
    return {metric: [math.nan if value is None else value for value in values] for metric, values in rows.items()}
