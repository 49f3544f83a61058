"""Running a predictor on composites and measuring its mattes, in batches."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.evaluation.batched_metrics import dtssd
from howard.evaluation.connectivity import connectivity_error
from howard.evaluation.suite.frame_metrics import frame_metrics
from howard.evaluation.suite.frozen_recipe import Kind, Phenomenon
from howard.evaluation.suite.person_view import PersonPriorPredictor, jittered_boxes
from howard.evaluation.suite.rendering import Composite, Job
from howard.evaluation.suite.store import CompositeStore
from howard.parallel import prefetch
from howard.pipeline import Predictor
from howard.pipeline.frame_tensors import solve_image_edges

# Pixels of the frames that the network gets at once: eight stills.
_BATCH_PIXELS = 8 * 512 * 512
_READ_AHEAD = 2  # batches


class _Batch(NamedTuple):
    """Frames of some composites in a row, and the seeds of each frame's box for the person prior."""

    frames: Composite
    seeds: list[tuple[int, ...]]


class Measured(NamedTuple):
    """Composites of one phenomenon and kind.

    ``rows`` has, for each metric, one value a composite, the mean over its frames; ``alphas`` has the mattes, each
    (T, H, W) uint8.
    """

    rows: dict[str, list[float]]
    alphas: list[np.ndarray]


@dataclass
class Seconds:
    """Wall time that was spent on each part."""

    rendering: float = 0.0
    network: float = 0.0
    metrics: float = 0.0


@dataclass
class SuiteRunner:
    """Measures one predictor.

    Attributes:
        store: of the composites; what is asked for must be there.
        predictor: takes batches, as :class:`howard.matting.MattingPredictor` does.
        person_view: what runs the person prior for the predictor's network; None where that takes no maps of it.
        has_conn: whether ``conn`` is measured too, the only metric that needs the CPU.
        edges: how soft edges are made, one of `howard.choices.EDGES`.
        on_frames: told after every batch how many frames are done by now.
        seconds: spent by now.
        frames: measured by now.
    """

    store: CompositeStore
    predictor: Predictor
    person_view: PersonPriorPredictor | None = None
    has_conn: bool = False
    edges: str = "network"
    on_frames: Callable[[int], None] = lambda done: None
    seconds: Seconds = field(default_factory=Seconds)
    frames: int = 0

    def measure(self, phenomenon: Phenomenon, kind: Kind, count: int) -> Measured:
        """Matte and measure the first ``count`` composites.

        Raises:
            InputError: a file of the store cannot be read.
        """
        together = max(1, _BATCH_PIXELS // (kind.frames * kind.size[0] * kind.size[1]))
        groups = [range(first, min(first + together, count)) for first in range(0, count, together)]

        def read() -> Generator[_Batch]:
            for group in groups:
                composites = [self.store.read(Job(phenomenon, kind, number)) for number in group]
                frames = Composite(*(np.concatenate(planes) for planes in zip(*composites, strict=True)))
                yield _Batch(frames, [(phenomenon.seed, number, t) for number in group for t in range(kind.frames)])

        rows: dict[str, list[float]] = {}
        alphas: list[np.ndarray] = []
        with closing(prefetch(read, _READ_AHEAD)) as batches:
            for batch in batches:
                codes = self._matte(batch)
                start = time.perf_counter()
                for name, values in self._measure(batch.frames, codes, kind.frames).items():
                    rows.setdefault(name, []).extend(values.tolist())
                alphas += list(codes.cpu().numpy().reshape(-1, kind.frames, *kind.size))
                self.seconds.metrics += time.perf_counter() - start
                self.frames += len(codes)
                self.on_frames(self.frames)
        return Measured(rows, alphas)

    def _matte(self, batch: _Batch) -> Tensor:
        """8-bit alpha of frames, (T, H, W) uint8 on the device, or on the CPU where that lacks float64."""
        start = time.perf_counter()
        together = max(1, _BATCH_PIXELS // batch.frames.alpha[0].size)
        codes = []
        for first in range(0, len(batch.seeds), together):
            part = slice(first, first + together)
            alpha = self._predict(Composite(*(planes[part] for planes in batch.frames)), batch.seeds[part])
            codes.append((alpha * 255).round().byte())
        joined = torch.cat(codes)
        if joined.is_cuda:
            torch.cuda.synchronize(joined.device)  # or the time would count as the metrics'
        self.seconds.network += time.perf_counter() - start
        return joined.cpu() if joined.device.type == "mps" else joined

    def _predict(self, frames: Composite, seeds: list[tuple[int, ...]]) -> Tensor:
        """Alpha of a batch, (B, H, W) in [0, 1]."""
        coverage = frames.coverage.astype(np.float32) / np.float32(255)
        pictures = frames.source, frames.plate, coverage
        maps = None
        if self.person_view is not None:
            maps = self.person_view.find(frames.source, jittered_boxes(frames.alpha, frames.coverage, seeds))
        matte = self.predictor(*pictures) if maps is None else self.predictor(*pictures, person=maps)
        if self.edges == "network":
            return matte.alpha[:, 0]
        return solve_image_edges(self.predictor, *pictures, matte, maps).alpha[..., 0]

    def _measure(self, batch: Composite, codes: Tensor, frames: int) -> dict[str, np.ndarray]:
        """One value of each metric for each composite of a batch, the mean over its frames that have it."""
        truth, distractor, hair = (
            torch.from_numpy(each).to(codes.device)[:, None] for each in (batch.alpha, batch.distractor, batch.hair)
        )
        # Rounded to 8 bits on both sides, as published figures are.
        predicted, true = codes[:, None].float() / 255, truth.float() / 255
        found = frame_metrics(predicted, true, distractor > 127, hair > 127)
        if frames > 1:
            clips = zip(predicted.split(frames), true.split(frames), strict=True)
            found["dtssd"] = torch.cat([dtssd(*clip) for clip in clips])
        if self.has_conn:
            found["conn"] = connectivity_error(predicted, true)
        return {name: values.view(-1, frames).nanmean(dim=1).cpu().numpy() for name, values in found.items()}
