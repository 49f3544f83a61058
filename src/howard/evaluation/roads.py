"""Scores a clip four ways: as films are made, with a perfect plate, without alignment, and by the key to beat."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from howard.evaluation.clip import TrueClip
from howard.evaluation.key import difference_key
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import MatteScores
from howard.measures import plate_residual
from howard.media import choose_frames, open_reader
from howard.pipeline import (
    AlignedFrame,
    FrameDone,
    Predictor,
    ProgressCallback,
    align_frames,
    choose_person_finder,
)
from howard.pipeline.frame_tensors import matte_image

# What the network, or the key, is given as plate.
ROADS = {
    "film": "network, aligned plate (film road)",
    "clean": "network, true background",
    "unaligned": "network, plate as filmed",
    "key": "difference key, aligned plate",
}


class ScoredFrame(NamedTuple):
    """A frame that was scored.

    Attributes:
        index: zero-based.
        source: HxWx3 RGB in [0, 255].
        true: alpha, HxW in [0, 1].
        alphas: likewise, by road, one of :data:`ROADS`.
    """

    index: int
    source: NDArray[np.uint8]
    true: NDArray[np.float32]
    alphas: dict[str, NDArray[np.floating]]


@dataclass(frozen=True)
class PlateScores:
    """How well the plate was aligned, over the true background (true alpha is 0).

    ``residual`` is in 8-bit levels; ``wrong`` is the share more than 10 levels off, where the plate saw the place;
    ``uncovered`` the share that it did not see. ``statuses`` counts frames by how far their alignment is believed.
    """

    residual: float
    wrong: float
    uncovered: float
    statuses: dict[str, int]


@dataclass(frozen=True)
class ClipReport:
    """Scores by road, one of :data:`ROADS`, and the plate's."""

    frames: int
    roads: dict[str, dict[str, float]]
    plate: PlateScores


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
        clip: with its truth.
        predictor: as ``howard.matting.load_matting`` gives.
        frames: "10-20", both included, or "7", counted from 1; None scores all.
        progress: called after each frame.
        quality: of the alignment; see :class:`howard.align.PlateAligner`.
        edges: how soft edges are made, one of `howard.choices.EDGES`.
        on_frame: called with what was scored, before ``progress``.

    Raises:
        InputError: a file of the clip cannot be read. SettingsError: ``frames`` lies outside the clip.
    """
    roads = {name: MatteScores() for name in ROADS}
    plates: list[tuple[float, float, float]] = []
    statuses: Counter[str] = Counter()
    # The plate is opened twice: the aligner reads it in threads of its own.
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate, open_reader(clip.plate) as filmed:
        indices = choose_frames(frames, shot.info)
        find_person = choose_person_finder(quality, predictor)
        aligned = align_frames(shot, plate, indices, quality=quality, find_person=find_person)
        for done, frame in enumerate(aligned, start=1):
            true = clip.alpha(frame.source.index)
            as_filmed = filmed[round(frame.source.index * (len(filmed) - 1) / max(len(shot) - 1, 1))].image
            alphas = _alphas(frame, as_filmed, clip, predictor, edges)
            for name, alpha in alphas.items():
                roads[name].update(as_batch(alpha), as_batch(true))
            if on_frame is not None:
                on_frame(ScoredFrame(frame.source.index, frame.source.image, true, alphas))
            plates.append(_plate_scores(frame, true))
            status = str(frame.plate.status)
            statuses[status] += 1
            if progress is not None:
                progress(FrameDone(frame.source.number, status, done, len(indices)))
    means = {road: {name: value.item() for name, value in each.compute().items()} for road, each in roads.items()}
    return ClipReport(len(plates), means, PlateScores(*np.nanmean(plates, axis=0).tolist(), statuses=dict(statuses)))


def _alphas(
    frame: AlignedFrame, as_filmed: NDArray[np.uint8], clip: TrueClip, predictor: Predictor, edges: str
) -> dict[str, NDArray[np.floating]]:
    """Alpha by road; ``as_filmed`` is the frame of the plate clip at the same share of its length."""
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
