"""Scores a clip with four methods: inference pipeline, true background as plate, unaligned plate, difference key."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from howard.evaluation.difference_key import difference_key
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import MatteScores
from howard.evaluation.tables import format_number, markdown_table
from howard.evaluation.true_clip import TrueClip
from howard.measures import plate_residual
from howard.media import choose_frames, open_reader
from howard.pipeline import (
    AlignedFrame,
    FrameDone,
    Predictor,
    ProgressCallback,
    align_frames,
)
from howard.pipeline.frame_tensors import matte_image

# How a matte is made, by the names in JSON files, and what it is called in tables.
METHODS = {
    "film": "network, aligned plate",
    "clean": "network, true background",
    "unaligned": "network, plate as filmed",
    "key": "difference key, aligned plate",
}
PIPELINE = "film"
# Scores in the table of clips, and their headings.
_COLUMNS = {
    "mad": "MAD",
    "mse": "MSE",
    "grad": "Grad",
    "conn": "Conn",
    "dtssd": "dtSSD",
    "dtssd_n": "dtSSD-n",
    "band_mad": "Band MAD",
}


class ScoredFrame(NamedTuple):
    """A frame that was scored.

    Attributes:
        index: zero-based.
        source: HxWx3 RGB in [0, 255].
        true: true alpha, HxW in [0, 1].
        alphas: predicted alpha, HxW in [0, 1], of each of the :data:`METHODS`.
    """

    index: int
    source: NDArray[np.uint8]
    true: NDArray[np.float32]
    alphas: dict[str, NDArray[np.floating]]


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
    """Number of frames, scores of each of the :data:`METHODS`, and scores of the aligned plate."""

    frames: int
    scores: dict[str, dict[str, float]]
    plate: PlateScores

    def to_stored(self) -> dict[str, Any]:
        """The report under the names in JSON files, which call the methods roads."""
        return {"frames": self.frames, "roads": self.scores, "plate": asdict(self.plate)}


def score_clip(
    clip: TrueClip,
    predictor: Predictor,
    frames: str | None = None,
    progress: ProgressCallback | None = None,
    quality: str = "standard",
    edges: str = "solved",
    on_frame: Callable[[ScoredFrame], None] | None = None,
) -> ClipReport:
    """Matte and score a clip.

    Args:
        clip: with ground truth.
        predictor: of the network, from ``howard.matting.load_matting``.
        frames: "10-20", both included, or "7", counted from 1; None scores all.
        progress: called after each frame.
        quality: of the alignment; see :class:`howard.align.PlateAligner`.
        edges: how soft edges are made, one of `howard.choices.EDGES`.
        on_frame: called with each scored frame, before ``progress``.

    Raises:
        InputError: a file of the clip cannot be read.
        SettingsError: ``frames`` is outside the clip.
    """
    scores = {method: MatteScores() for method in METHODS}
    plates: list[tuple[float, float, float]] = []
    statuses: Counter[str] = Counter()
    # The plate is opened twice, because the aligner reads its reader in other threads.
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate, open_reader(clip.plate) as filmed:
        indices = choose_frames(frames, shot.info)
        aligned = align_frames(shot, plate, indices, quality=quality)
        for done, frame in enumerate(aligned, start=1):
            true = clip.alpha(frame.source.index)
            as_filmed = filmed[round(frame.source.index * (len(filmed) - 1) / max(len(shot) - 1, 1))].image
            alphas = _alphas(frame, as_filmed, clip, predictor, edges)
            for method, alpha in alphas.items():
                scores[method].update(as_batch(alpha), as_batch(true))
            if on_frame is not None:
                on_frame(ScoredFrame(frame.source.index, frame.source.image, true, alphas))
            plates.append(_plate_scores(frame, true))
            status = str(frame.plate.status)
            statuses[status] += 1
            if progress is not None:
                progress(FrameDone(frame.source.number, status, done, len(indices)))
    means = {method: {name: value.item() for name, value in each.compute().items()} for method, each in scores.items()}
    return ClipReport(len(plates), means, PlateScores(*np.nanmean(plates, axis=0).tolist(), statuses=dict(statuses)))


def _alphas(
    frame: AlignedFrame, as_filmed: NDArray[np.uint8], clip: TrueClip, predictor: Predictor, edges: str
) -> dict[str, NDArray[np.floating]]:
    """Alpha of each method; ``as_filmed`` is the frame at the same relative time of the plate clip."""
    source, plate = frame.source.image, frame.plate
    unaligned, clean = (
        matte_image(predictor, source, each, None, plate.changed, edges=edges)
        for each in (as_filmed, clip.clean(frame.source.index))
    )
    return {
        "film": matte_image(predictor, source, plate.image, plate.coverage, plate.changed, edges=edges),
        "clean": clean,
        "unaligned": unaligned,
        "key": difference_key(source, plate.image, plate.coverage),
    }


def _plate_scores(frame: AlignedFrame, true: NDArray[np.float32]) -> tuple[float, float, float]:
    background, seen = true == 0, frame.plate.coverage >= 0.5
    residual = plate_residual(frame.source.image, frame.plate.image, background & seen)
    return residual.mean, residual.wrong, float((background & ~seen).sum() / max(background.sum(), 1))


def clips_table(reports: Mapping[str, ClipReport]) -> str:
    """A Markdown table with a row for each method and clip, and for each method's mean over the clips."""
    rows = []
    for method, heading in METHODS.items():
        scores = {clip: report.scores[method] for clip, report in reports.items()}
        if len(scores) > 1:
            scores["mean"] = {name: sum(each[name] for each in scores.values()) / len(scores) for name in _COLUMNS}
        rows += [[heading, clip, *(format_number(each[name]) for name in _COLUMNS)] for clip, each in scores.items()]
    return markdown_table(["plate", "clip", *_COLUMNS.values()], rows)


def plates_table(reports: Mapping[str, ClipReport]) -> str:
    """A Markdown table with the scores of the aligned plate of each clip."""
    rows = []
    for clip, report in reports.items():
        plate = report.plate
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(plate.statuses.items()))
        measures = [f"{plate.residual:.2f}", f"{plate.wrong:.1%}", f"{plate.uncovered:.1%}"]
        rows.append([clip, str(report.frames), statuses, *measures])
    return markdown_table(["clip", "frames", "alignment", "levels off", "wrong", "uncovered"], rows)
