"""Runs a predictor on composites in batches and computes the metrics of its mattes."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from howard.evaluation.batched_metrics import dtssd
from howard.evaluation.connectivity import connectivity_error
from howard.evaluation.suite.composite_store import CompositeStore
from howard.evaluation.suite.frame_metrics import frame_metrics
from howard.evaluation.suite.frozen_recipe import Kind, Phenomenon
from howard.evaluation.suite.rendering import Composite, CompositeId
from howard.matting.person_prior_predictor import PersonPriorPredictor
from howard.matting.person_prior_views import box_from_mask, whole_frame
from howard.parallel import prefetch
from howard.pipeline import Predictor
from howard.pipeline.frame_tensors import solve_image_edges

# Pixels of the frames in a batch of the network: eight stills.
_BATCH_PIXELS = 8 * 512 * 512
_PREFETCHED = 2  # batches
# Largest shift and scale of the person prior's box relative to its side: the error of a box from an alignment's
# residual, half of what training samples.
_JITTER = 0.1


class _Batch(NamedTuple):
    """The concatenated frames of some composites, and for each frame the seed of the person prior's box."""

    frames: Composite
    seeds: list[tuple[int, ...]]


class MeasuredComposites(NamedTuple):
    """Results for composites of one phenomenon and kind.

    Attributes:
        rows: for each metric one value per composite, the mean over its frames.
        alphas: the matte of each composite, (T, H, W) uint8.
    """

    rows: dict[str, list[float]]
    alphas: list[np.ndarray]


@dataclass
class PartSeconds:
    """Wall time in seconds by part of the work. The field names are stored in result files."""

    rendering: float = 0.0
    network: float = 0.0
    metrics: float = 0.0


@dataclass
class CompositeMeasurer:
    """Measures one predictor.

    Attributes:
        store: contains the composites to be measured.
        predictor: takes batches, as :class:`howard.matting.MattingPredictor` does.
        person_prior: runs the person prior for the predictor's network; None if the network does not use it.
        has_conn: whether ``conn`` is computed too, the only metric that needs the CPU.
        edges: how soft edges are made, one of `howard.choices.EDGES`.
        on_frames: called after each batch with the number of frames done so far.
        seconds: time spent so far.
        frames: number of frames done so far.
    """

    store: CompositeStore
    predictor: Predictor
    person_prior: PersonPriorPredictor | None = None
    has_conn: bool = False
    edges: str = "network"
    on_frames: Callable[[int], None] = lambda done: None
    seconds: PartSeconds = field(default_factory=PartSeconds)
    frames: int = 0

    def measure(self, phenomenon: Phenomenon, kind: Kind, count: int) -> MeasuredComposites:
        """Matte and measure the first ``count`` composites of a phenomenon and kind.

        Raises:
            InputError: a file of the store cannot be read.
        """
        together = max(1, _BATCH_PIXELS // (kind.frames * kind.size[0] * kind.size[1]))
        groups = [range(first, min(first + together, count)) for first in range(0, count, together)]

        def read() -> Generator[_Batch]:
            for group in groups:
                composites = [self.store.read(CompositeId(phenomenon, kind, number)) for number in group]
                frames = Composite(*(np.concatenate(planes) for planes in zip(*composites, strict=True)))
                yield _Batch(frames, [(phenomenon.seed, number, t) for number in group for t in range(kind.frames)])

        rows: dict[str, list[float]] = {}
        alphas: list[np.ndarray] = []
        with closing(prefetch(read, _PREFETCHED)) as batches:
            for batch in batches:
                codes = self._matte(batch)
                start = time.perf_counter()
                for name, values in self._measure(batch.frames, codes, kind.frames).items():
                    rows.setdefault(name, []).extend(values.tolist())
                alphas += list(codes.cpu().numpy().reshape(-1, kind.frames, *kind.size))
                self.seconds.metrics += time.perf_counter() - start
                self.frames += len(codes)
                self.on_frames(self.frames)
        return MeasuredComposites(rows, alphas)

    def _matte(self, batch: _Batch) -> Tensor:
        """Alpha of frames, (T, H, W) uint8, on the device, or on the CPU if the device has no float64."""
        start = time.perf_counter()
        together = max(1, _BATCH_PIXELS // batch.frames.alpha[0].size)
        codes = []
        for first in range(0, len(batch.seeds), together):
            part = slice(first, first + together)
            alpha = self._predict(Composite(*(planes[part] for planes in batch.frames)), batch.seeds[part])
            codes.append((alpha * 255).round().byte())
        joined = torch.cat(codes)
        if joined.is_cuda:
            torch.cuda.synchronize(joined.device)  # otherwise the time would be counted as the metrics'
        self.seconds.network += time.perf_counter() - start
        return joined.cpu() if joined.device.type == "mps" else joined

    def _predict(self, frames: Composite, seeds: list[tuple[int, ...]]) -> Tensor:
        """Alpha of a batch, (B, H, W) in [0, 1]."""
        coverage = frames.coverage.astype(np.float32) / np.float32(255)
        images = frames.source, frames.plate, coverage
        maps = None
        if self.person_prior is not None:
            maps = self.person_prior.find(frames.source, jittered_boxes(frames.alpha, frames.coverage, seeds))
        matte = self.predictor(*images) if maps is None else self.predictor(*images, person=maps)
        if self.edges == "network":
            return matte.alpha[:, 0]
        return solve_image_edges(self.predictor, *images, matte, maps).alpha[..., 0]

    def _measure(self, batch: Composite, codes: Tensor, frames: int) -> dict[str, np.ndarray]:
        """The values of each metric, one per composite: the mean over the frames for which it is defined."""
        truth, distractor, hair = (
            torch.from_numpy(each).to(codes.device)[:, None] for each in (batch.alpha, batch.distractor, batch.hair)
        )
        # Both are rounded to 8 bits, because published values are computed from 8-bit files.
        predicted, true = codes[:, None].float() / 255, truth.float() / 255
        found = frame_metrics(predicted, true, distractor > 127, hair > 127)
        if frames > 1:
            clips = zip(predicted.split(frames), true.split(frames), strict=True)
            found["dtssd"] = torch.cat([dtssd(*clip) for clip in clips])
        if self.has_conn:
            found["conn"] = connectivity_error(predicted, true)
        return {name: values.view(-1, frames).nanmean(dim=1).cpu().numpy() for name, values in found.items()}


def open_person_prior(predictor: Predictor) -> PersonPriorPredictor | None:
    """Runs the person prior for a predictor; None if its network does not use the person prior."""
    if not getattr(predictor.metadata, "person_prior", False):
        return None
    return PersonPriorPredictor(predictor.device, predictor.metadata.coarse_long_side)


def jittered_boxes(alpha: np.ndarray, coverage: np.ndarray, seeds: Sequence[tuple[int, ...]]) -> Tensor:
    """Boxes for the person prior as an alignment would give them: squares around the people, with random errors.

    They are shifted and scaled by up to 10 % of their side. A frame without coverage has no alignment residual to take
    a box from: its box is the whole frame, as for a frame without people.

    Args:
        alpha: (T, H, W) uint8, true alpha.
        coverage: (T, H, W) uint8.
        seeds: of the random error of each frame.

    Returns:
        (T, 3) float32: left, top and side in pixels.
    """
    count, height, width = alpha.shape
    mask = torch.from_numpy(alpha)[:, None] > 127
    is_known = ((torch.from_numpy(coverage).flatten(1) > 0).any(dim=1) & mask.flatten(1).any(dim=1))[:, None]
    random = np.stack([np.random.default_rng(seed).uniform(-_JITTER, _JITTER, 3) for seed in seeds])
    shift, growth = torch.from_numpy(random).float().split((2, 1), dim=1)
    boxes = box_from_mask(mask.float())
    side = boxes[:, 2:] * growth.exp()
    corner = boxes[:, :2] + boxes[:, 2:] * (0.5 + shift) - side / 2
    return torch.where(is_known, torch.cat([corner, side], dim=1), whole_frame(height, width, count))
