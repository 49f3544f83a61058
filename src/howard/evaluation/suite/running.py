"""The suite from end to end: composites rendered where they are missing, matted, measured, and shown."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from howard.evaluation.suite.filling import fill_store
from howard.evaluation.suite.frozen_recipe import Kind, Phenomenon, SuiteRecipe
from howard.evaluation.suite.measuring import Measured, SuiteRunner
from howard.evaluation.suite.person_view import open_person_view
from howard.evaluation.suite.rendering import Job
from howard.evaluation.suite.results import Rows, SuiteResults
from howard.evaluation.suite.sheets import encode_sheet, sheet_row, worst_numbers
from howard.evaluation.suite.sources import find_sources
from howard.evaluation.suite.store import CompositeStore
from howard.media import write_whole
from howard.media.files import make_folder
from howard.operating_system import cache_folder
from howard.pipeline import Predictor
from howard.progress import Progress, SilentProgress

_CAPTIONED = ("mad", "lost", "kept", "background_kept")


@dataclass(frozen=True)
class SuiteOptions:
    """How much of the suite is run.

    Attributes:
        phenomena: their names; None for all.
        limit: so many composites of each phenomenon and kind, the first ones; None for all.
        stills_only: whether clips are left out.
        has_conn: whether ``conn`` is measured too.
        sheets: folder for contact sheets; None for none.
        worst: how many composites a contact sheet shows.
        edges: how soft edges are made, one of `howard.choices.EDGES`.
    """

    phenomena: Sequence[str] | None = None
    limit: int | None = None
    stills_only: bool = False
    has_conn: bool = False
    sheets: Path | None = None
    worst: int = 12
    edges: str = "network"


class SuiteRun:
    """One version of the suite on one data folder.

    Args:
        recipe: the version.
        root: folder of collections.
        options: how much of it.
        cache: folder for rendered composites, of this and other versions.
        workers: processes that render composites which are missing; see :func:`fill_store`.

    Raises:
        InputError: the folder or a collection is missing. SettingsError: there is no such phenomenon.
    """

    def __init__(
        self,
        recipe: SuiteRecipe,
        root: Path,
        options: SuiteOptions = SuiteOptions(),
        cache: Path | None = None,
        workers: int = 0,
    ) -> None:
        self.recipe, self.options, self.workers = recipe, options, workers
        self.phenomena = recipe.choose(options.phenomena)
        self.sources = find_sources(root, recipe.people, recipe.places)
        folder = f"v{recipe.version}-{recipe.digest}-{self.sources.digest}"
        self.store = CompositeStore((cache or cache_folder("suite")) / folder)

    def run(self, predictor: Predictor, about: dict[str, Any], progress: Progress | None = None) -> SuiteResults:
        """Measure a predictor.

        Args:
            predictor: takes batches of frames.
            about: kept with the results, beside what the suite knows of itself.
            progress: told after every composite that was rendered, and every batch of frames that was matted.

        Raises:
            OutputError: composites or sheets cannot be written. InputError: a picture cannot be read.
        """
        progress = progress or SilentProgress()
        runner = SuiteRunner(
            self.store, predictor, open_person_view(predictor), self.options.has_conn, self.options.edges
        )
        parts = self._parts()
        start = time.perf_counter()
        wanted = [Job(phenomenon, kind, number) for phenomenon, kind, count in parts for number in range(count)]
        fill_store(self.store, wanted, self.sources, self.workers, progress)
        runner.seconds.rendering = time.perf_counter() - start
        total = sum(kind.frames * count for _, kind, count in parts)
        progress.step("matting", f"matting {total} frames of the validation suite")
        runner.on_frames = lambda done: progress.advance(done, total)
        rows: dict[str, Rows] = {}
        for phenomenon, kind, count in parts:
            measured = runner.measure(phenomenon, kind, count)
            rows.setdefault(phenomenon.name, {})[kind.name] = measured.rows
            if self.options.sheets is not None:
                self._write_sheet(phenomenon, kind, measured, self.options.sheets)
        known = {
            "suite": {"version": self.recipe.version, "digest": self.recipe.digest},
            "data": {"digest": self.sources.digest, **self.sources.counts},
            "seconds": vars(runner.seconds),
        }
        return SuiteResults(known | about, rows)

    def _parts(self) -> list[tuple[Phenomenon, Kind, int]]:
        kinds = [kind for kind in self.recipe.kinds if kind.frames == 1 or not self.options.stills_only]
        limit = self.options.limit
        return [
            (phenomenon, kind, kind.count if limit is None else min(limit, kind.count))
            for phenomenon in self.phenomena
            for kind in kinds
        ]

    def _write_sheet(self, phenomenon: Phenomenon, kind: Kind, measured: Measured, folder: Path) -> None:
        rows = []
        for number in worst_numbers(measured.rows, self.options.worst):
            values = {name: measured.rows[name][number] for name in _CAPTIONED}
            figures = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if not math.isnan(value))
            composite = self.store.read(Job(phenomenon, kind, number))
            rows.append(sheet_row(composite, measured.alphas[number], f"{phenomenon.name} {number}: {figures}"))
        make_folder(folder)
        write_whole(folder / f"{phenomenon.name}_{kind.name}.jpg", encode_sheet(rows))


def describe_weights(path: Path) -> dict[str, str]:
    """The name of a weights file and the first 12 hexadecimal digits of its SHA-256."""
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()[:12]}
