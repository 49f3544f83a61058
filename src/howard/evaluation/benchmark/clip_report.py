"""The report on a clip: scores of each method, of the aligned plate, and of single frames. Imports no torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

# How a matte is made, by the names in JSON files, and what it is called in tables.
METHODS = {
    "film": "network, aligned plate",
    "clean": "network, true background",
    "unaligned": "network, plate as filmed",
    "key": "difference key, aligned plate",
}
PIPELINE = "film"
FOREIGN = "mattes"  # the name in JSON files of mattes that another program made


@dataclass(frozen=True)
class PlateScores:
    """How well the plate was aligned, over the true background (true alpha is 0).

    Attributes:
        residual: mean absolute difference of source and plate where the plate covers, in 8-bit levels.
        wrong: fraction of the covered background with a difference of more than 10 levels.
        uncovered: fraction of the background that the plate does not cover.
        statuses: number of frames by alignment status.
    """

    residual: float
    wrong: float
    uncovered: float
    statuses: dict[str, int]


@dataclass(frozen=True)
class ClipReport:
    """Scores on a clip.

    Attributes:
        frames: number of frames.
        scores: of each of the :data:`METHODS`, the pipeline's first, or of :data:`FOREIGN` mattes alone.
        plate: scores of the aligned plate; None for foreign mattes.
        measures: of the first method: errors of its ``foreground`` and ``shadow`` (x 1e3) and of its ``alignment``
            (8-bit levels), ``seconds`` per frame and peak ``megabytes`` of memory; NaN or missing where unknown.
        per_frame: values of the first method for each frame in order, by score.
    """

    frames: int
    scores: dict[str, dict[str, float]]
    plate: PlateScores | None
    measures: dict[str, float] = field(default_factory=dict)
    per_frame: dict[str, list[float]] = field(default_factory=dict)

    def with_measures(self, measures: Mapping[str, float]) -> "ClipReport":
        """The same report with additional measures."""
        return replace(self, measures={**self.measures, **measures})

    def to_stored(self) -> dict[str, Any]:
        """The report under the names in JSON files, which call the methods roads."""
        plate = None if self.plate is None else asdict(self.plate)
        stored = {"frames": self.frames, "roads": self.scores, "plate": plate}
        return stored | {"measures": self.measures, "per_frame": self.per_frame}
