"""Runs the suite: renders missing composites, mattes and measures all, and writes contact sheets of the worst."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from howard.evaluation.suite.composite_store import CompositeStore, fill_store
from howard.evaluation.suite.frozen_recipe import Kind, Phenomenon, SuiteRecipe
from howard.evaluation.suite.measuring import CompositeMeasurer, MeasuredComposites, open_person_prior
from howard.evaluation.suite.rendering import CompositeId
from howard.evaluation.suite.results import Rows, SuiteResults
from howard.evaluation.suite.sheets import encode_sheet, sheet_row, worst_numbers
from howard.evaluation.suite.validation_sources import find_validation_sources
from howard.media import write_atomically
from howard.media.files import make_folder
from howard.operating_system import cache_folder
from howard.pipeline import Predictor
from howard.progress import Progress, SilentProgress

_CAPTION_METRICS = ("mad", "lost", "kept", "background_kept")


@dataclass(frozen=True)
class SuiteOptions:
    """What part of the suite is run, and how.

    Attributes:
        phenomena: names of phenomena; None for all.
        limit: number of composites of each phenomenon and kind, the first ones; None for all.
        stills_only: whether clips are left out.
        has_conn: whether ``conn`` is computed too.
        sheets: folder for contact sheets; None for none.
        worst: number of composites on a contact sheet.
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
        recipe: the version of the suite.
        root: folder of collections.
        options: what part of the suite is run, and how.
        cache: folder for rendered composites of this and other versions; the user's cache folder if None.
        workers: processes that render missing composites; see :func:`fill_store`.

    Raises:
        InputError: the folder or a collection is missing.
        SettingsError: a phenomenon is unknown.
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
        self.sources = find_validation_sources(root, recipe.people, recipe.places)
        folder = f"v{recipe.version}-{recipe.digest}-{self.sources.digest}"
        self.store = CompositeStore((cache or cache_folder("suite")) / folder)

    def run(self, predictor: Predictor, about: dict[str, Any], progress: Progress | None = None) -> SuiteResults:
        """Measure a predictor.

        Args:
            predictor: takes batches of frames.
            about: additional entries of :attr:`SuiteResults.about`, such as the weights.
            progress: called after each rendered composite and after each batch of matted frames.

        Raises:
            OutputError: composites or sheets cannot be written.
            InputError: an image cannot be read.
        """
        progress = progress or SilentProgress()
        measurer = CompositeMeasurer(
            self.store, predictor, open_person_prior(predictor), self.options.has_conn, self.options.edges
        )
        parts = self._parts()
        start = time.perf_counter()
        wanted = [CompositeId(phenomenon, kind, number) for phenomenon, kind, count in parts for number in range(count)]
        fill_store(self.store, wanted, self.sources, self.workers, progress)
        measurer.seconds.rendering = time.perf_counter() - start
        total = sum(kind.frames * count for _, kind, count in parts)
        progress.step("matting", f"matting {total} frames of the validation suite")
        measurer.on_frames = lambda done: progress.advance(done, total)
        rows: dict[str, Rows] = {}
        for phenomenon, kind, count in parts:
            measured = measurer.measure(phenomenon, kind, count)
            rows.setdefault(phenomenon.name, {})[kind.name] = measured.rows
            if self.options.sheets is not None:
                self._write_sheet(phenomenon, kind, measured, self.options.sheets)
        run = {
            "suite": {"version": self.recipe.version, "digest": self.recipe.digest},
            "data": {"digest": self.sources.digest, **self.sources.counts},
            "seconds": vars(measurer.seconds),
        }
        return SuiteResults(run | about, rows)

    def _parts(self) -> list[tuple[Phenomenon, Kind, int]]:
        """Phenomena, kinds and numbers of composites to run."""
        kinds = [kind for kind in self.recipe.kinds if kind.frames == 1 or not self.options.stills_only]
        limit = self.options.limit
        return [
            (phenomenon, kind, kind.count if limit is None else min(limit, kind.count))
            for phenomenon in self.phenomena
            for kind in kinds
        ]

    def _write_sheet(self, phenomenon: Phenomenon, kind: Kind, measured: MeasuredComposites, folder: Path) -> None:
        rows = []
        for number in worst_numbers(measured.rows, self.options.worst):
            values = {name: measured.rows[name][number] for name in _CAPTION_METRICS}
            metrics = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if not math.isnan(value))
            composite = self.store.read(CompositeId(phenomenon, kind, number))
            rows.append(sheet_row(composite, measured.alphas[number], f"{phenomenon.name} {number}: {metrics}"))
        make_folder(folder)
        write_atomically(folder / f"{phenomenon.name}_{kind.name}.jpg", encode_sheet(rows))


def describe_weights(path: Path) -> dict[str, str]:
    """The name of a weights file and the first 12 hexadecimal digits of its SHA-256."""
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()[:12]}
