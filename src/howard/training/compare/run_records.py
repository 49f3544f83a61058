"""Reading the settings, curves and pictures of a run from its folder. Does not import torch."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from howard.errors import InputError
from howard.training.moved_keys import move_stored
from howard.training.run_folders import EXPORTED, REVISION, SETTINGS, read_yaml

Curve = list[tuple[int, float]]  # (step, value), sorted by step


@dataclass(frozen=True)
class RunRecord:
    """A run: ``label`` is its last two folders, ``settings`` have dotted keys, ``curves`` are by metric.

    ``panel`` is the last validation panel, ``timelapse`` the time-lapse movie.
    """

    label: str
    settings: dict[str, str]
    curves: dict[str, Curve]
    revision: str
    is_finished: bool
    panel: Path | None
    timelapse: Path | None

    def last(self, metric: str) -> float | None:
        """The metric's last value, or None."""
        curve = self.curves.get(metric)
        return curve[-1][1] if curve else None


def read_run(folder: Path) -> RunRecord:
    """Read a run folder.

    Raises:
        InputError: it is not a run folder, or has no metrics yet.
    """
    files = sorted(folder.glob("csv/version_*/metrics.csv"), key=lambda path: int(path.parent.name.split("_")[1]))
    if not (folder / SETTINGS).is_file():
        raise InputError(f"{folder} is not a run folder: it has no {SETTINGS}; give runs/NAME/DATE")
    curves = read_curves(files)
    if not curves:
        raise InputError(f"{folder} has no metrics yet; wait until a few steps are done")
    revision, timelapse = folder / REVISION, folder / "timelapse.mp4"
    return RunRecord(
        label="/".join(folder.resolve().parts[-2:]),
        settings=dict(_flat(move_stored(read_yaml(folder / SETTINGS)))),
        curves=curves,
        revision=revision.read_text(encoding="utf-8").strip() if revision.is_file() else "unknown",
        is_finished=(folder / EXPORTED).is_file(),
        panel=max(folder.glob("panels/*.png"), default=None),
        timelapse=timelapse if timelapse.is_file() else None,
    )


def read_curves(files: list[Path]) -> dict[str, Curve]:
    """Join the metrics of a run's sessions; of steps repeated after an interruption the last values count."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for file in files:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                for name, value in row.items():
                    if value and name not in ("step", "epoch"):
                        found[name][int(row["step"])] = float(value)
    return {name: sorted(values.items()) for name, values in sorted(found.items())}


def differing_settings(runs: list[RunRecord]) -> dict[str, list[str]]:
    """Dotted keys whose values differ between the runs, with each run's value; ``-`` if it has none."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    values = {key: [run.settings.get(key, "-") for run in runs] for key in keys}
    return {key: each for key, each in values.items() if len(set(each)) > 1}


def best_of(values: list[float | None]) -> float | None:
    """The smallest value that is not None; None if there are fewer than two values."""
    known = [value for value in values if value is not None]
    return min(known) if len(known) > 1 else None


def _flat(node: Any, prefix: str = "") -> list[tuple[str, str]]:
    if not isinstance(node, dict):
        return [(prefix, "-" if node is None else str(node))]
    return [pair for key, value in node.items() for pair in _flat(value, f"{prefix}.{key}" if prefix else str(key))]
