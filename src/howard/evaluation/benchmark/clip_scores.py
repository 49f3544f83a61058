"""Scores a clip with four methods: inference pipeline, true background as plate, unaligned plate, difference key."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from howard.evaluation.benchmark.clip_report import METHODS, PIPELINE, ClipReport, PlateScores
from howard.evaluation.benchmark.method_scores import MethodScores
from howard.evaluation.difference_key import difference_key
from howard.evaluation.metrics import as_batch
from howard.evaluation.scores import MatteScores
from howard.evaluation.true_clip import TrueClip
from howard.measures import plate_residual
from howard.media import choose_frames, open_reader
from howard.operating_system import peak_memory
from howard.pipeline import (
    AlignedFrame,
    FrameDone,
    Predictor,
    ProgressCallback,
    align_frames,
    choose_person_finder,
)
from howard.pipeline.frame_tensors import matte_image
from howard.pipeline.image_cut_out import cut_out_image, estimate_image_shadow


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
    scoring = _ClipScoring(clip, predictor, edges)
    # The plate is opened twice, because the aligner reads its reader in other threads.
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate, open_reader(clip.plate) as filmed:
        indices = choose_frames(frames, shot.info)
        find_person = choose_person_finder(quality, predictor)
        with closing(align_frames(shot, plate, indices, quality=quality, find_person=find_person)) as aligned:
            for done in range(1, len(indices) + 1):
                with scoring.timing():
                    frame = next(aligned)
                index = frame.source.index
                scored = scoring.add(frame, filmed[round(index * (len(filmed) - 1) / max(len(shot) - 1, 1))].image)
                if on_frame is not None:
                    on_frame(scored)
                if progress is not None:
                    progress(FrameDone(frame.source.number, str(frame.plate.status), done, len(indices)))
    return scoring.report()


class _ClipScoring:
    """Mattes aligned frames by all :data:`METHODS` and collects their scores; times alignment and matting."""

    def __init__(self, clip: TrueClip, predictor: Predictor, edges: str) -> None:
        self._clip, self._predictor, self._edges = clip, predictor, edges
        self._main = MethodScores(clip)
        self._others = {method: MatteScores() for method in METHODS if method != PIPELINE}
        self._plates: list[tuple[float, float, float]] = []
        self._statuses: Counter[str] = Counter()
        self._seconds = 0.0

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Add the time of the block to that of the pipeline."""
        start = time.perf_counter()
        yield
        self._seconds += time.perf_counter() - start

    def add(self, frame: AlignedFrame, as_filmed: NDArray[np.uint8]) -> ScoredFrame:
        """Matte and score a frame; ``as_filmed`` is the frame at the same relative time of the plate clip."""
        source, plate, index = frame.source.image, frame.plate, frame.source.index
        true = self._clip.alpha(index)
        with self.timing():
            cut_out = cut_out_image(
                self._predictor, source, plate.image, plate.coverage, plate.changed, edges=self._edges
            )
        shadow = estimate_image_shadow(source, plate.image, plate.coverage, cut_out.alpha)
        self._main.add(index, true, cut_out.alpha, cut_out.foreground, shadow)
        alphas = {PIPELINE: cut_out.alpha} | self._other_alphas(frame, as_filmed)
        for method, scores in self._others.items():
            scores.update(as_batch(alphas[method]), as_batch(true))
        self._plates.append(_plate_scores(frame, true))
        self._statuses[str(plate.status)] += 1
        return ScoredFrame(index, source, true, alphas)

    def _other_alphas(self, frame: AlignedFrame, as_filmed: NDArray[np.uint8]) -> dict[str, NDArray[np.floating]]:
        source, plate = frame.source.image, frame.plate
        clean, unaligned = (
            matte_image(self._predictor, source, each, None, plate.changed, edges=self._edges)
            for each in (self._clip.clean(frame.source.index), as_filmed)
        )
        return {"clean": clean, "unaligned": unaligned, "key": difference_key(source, plate.image, plate.coverage)}

    def report(self) -> ClipReport:
        """The report of all frames."""
        others = {
            method: {name: value.item() for name, value in scores.compute().items()}
            for method, scores in self._others.items()
        }
        plate = PlateScores(*np.nanmean(self._plates, axis=0).tolist(), statuses=dict(self._statuses))
        peak = peak_memory()
        measures = self._main.measures() | {
            "alignment": plate.residual,
            "seconds": self._seconds / len(self._plates),
            "megabytes": math.nan if peak is None else peak / 2**20,
        }
        per_frame = self._main.per_frame() | {"alignment": [residual for residual, _, _ in self._plates]}
        return ClipReport(len(self._plates), {PIPELINE: self._main.scores()} | others, plate, measures, per_frame)


def _plate_scores(frame: AlignedFrame, true: NDArray[np.float32]) -> tuple[float, float, float]:
    background, seen = true == 0, frame.plate.coverage >= 0.5
    residual = plate_residual(frame.source.image, frame.plate.image, background & seen)
    return residual.mean, residual.wrong, float((background & ~seen).sum() / max(background.sum(), 1))
