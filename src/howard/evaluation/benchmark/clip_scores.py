"""Scores a clip with four methods: inference pipeline, true background as plate, unaligned plate, difference key."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import tee
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
    MattedFrame,
    Predictor,
    ProgressCallback,
    align_frames,
    matte_frames,
)
from howard.pipeline.frame_tensors import matte_image
from howard.pipeline.image_cut_out import cut_out_frame, estimate_image_shadow
from howard.pipeline.temporal_window import attach_neighbours, with_neighbours
from howard.quality import choose_window


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
    window: int | None = None,
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
        window: frames on either side with which soft edges are filtered; None means that of the quality.

    Raises:
        InputError: a file of the clip cannot be read.
        SettingsError: ``frames`` is outside the clip.
    """
    scoring = _ClipScoring(clip, predictor, edges)
    radius = choose_window(quality, window)
    # The plate is opened twice, because the aligner reads its reader in other threads.
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate, open_reader(clip.plate) as filmed:
        indices = choose_frames(frames, shot.info)
        needed = with_neighbours(indices, radius, len(shot))
        with closing(align_frames(shot, plate, needed, quality=quality)) as aligned:
            first, second = tee(aligned)
            matted = scoring.matte(first, indices, radius)
            clean = scoring.matte((_with_true_background(frame, clip) for frame in second), indices, radius)
            for done in range(1, len(indices) + 1):
                with scoring.timing():
                    frame = next(matted)
                index = frame.source.index
                as_filmed = filmed[round(index * (len(filmed) - 1) / max(len(shot) - 1, 1))].image
                scored = scoring.add(frame, next(clean), as_filmed)
                if on_frame is not None:
                    on_frame(scored)
                if progress is not None:
                    progress(FrameDone(frame.source.number, str(frame.plate.status), done, len(indices)))
    return scoring.report()


def _with_true_background(frame: AlignedFrame, clip: TrueClip) -> AlignedFrame:
    clean = clip.clean(frame.source.index)
    return frame._replace(plate=frame.plate._replace(image=clean, coverage=np.ones(clean.shape[:2], np.float32)))


class _ClipScoring:
    """Mattes aligned frames by all :data:`METHODS` and collects their scores; times alignment and matting."""

    def __init__(self, clip: TrueClip, predictor: Predictor, edges: str) -> None:
        self._clip, self._predictor, self._edges = clip, predictor, edges
        self._is_linear = predictor.metadata.mixing == "linear"
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

    def matte(self, frames: Iterable[AlignedFrame], indices: Sequence[int], radius: int) -> Iterator[MattedFrame]:
        """Matte frames; those with an index in ``indices`` are yielded, with neighbours within ``radius``."""
        matted = matte_frames(frames, self._predictor)
        return attach_neighbours(matted, set(indices), radius, edges=self._edges, linear_light=self._is_linear)

    def add(self, frame: MattedFrame, clean: MattedFrame, as_filmed: NDArray[np.uint8]) -> ScoredFrame:
        """Score a frame.

        Args:
            frame: with the aligned plate.
            clean: the same frame with the true background as plate.
            as_filmed: the frame at the same relative time of the plate clip.
        """
        source, plate, index = frame.source.image, frame.plate, frame.source.index
        true = self._clip.alpha(index)
        with self.timing():
            cut_out = cut_out_frame(frame, self._edges, linear_light=self._is_linear)
        shadow = estimate_image_shadow(source, plate.image, plate.coverage, cut_out.alpha)
        self._main.add(index, true, cut_out.alpha, cut_out.foreground, shadow)
        alphas = {
            PIPELINE: cut_out.alpha,
            "clean": cut_out_frame(clean, self._edges, linear_light=self._is_linear).alpha,
            "unaligned": matte_image(self._predictor, source, as_filmed, None, plate.changed, edges=self._edges),
            "key": difference_key(source, plate.image, plate.coverage),
        }
        for method, scores in self._others.items():
            scores.update(as_batch(alphas[method]), as_batch(true))
        self._plates.append(_plate_scores(frame, true))
        self._statuses[str(plate.status)] += 1
        return ScoredFrame(index, source, true, alphas)

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


def _plate_scores(frame: MattedFrame, true: NDArray[np.float32]) -> tuple[float, float, float]:
    background, seen = true == 0, frame.plate.coverage >= 0.5
    residual = plate_residual(frame.source.image, frame.plate.image, background & seen)
    return residual.mean, residual.wrong, float((background & ~seen).sum() / max(background.sum(), 1))
