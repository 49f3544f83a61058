"""The inference pipeline for single frames of a pair, with every intermediate result cached.

The cache keys contain everything that a result depends on, so a changed option recomputes only the later steps.
"""

import threading
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.align import default_cache_folder
from howard.align.caches import BoundedMemory
from howard.app.core.clips import modification_time
from howard.app.core.painted_masks import DECODING_OPTIONS, PaintedMasks, StrokeMotions, paint_masks
from howard.app.core.pair import Pair
from howard.media import DamagedFrameError, choose_frames, open_writer
from howard.options import RenderOptions
from howard.pipeline import AlignedFrame, MattedFrame, Predictor
from howard.pipeline.frame_streams import FrameAligner, matte_frames, open_aligner
from howard.pipeline.inputs import Inputs, open_inputs
from howard.pipeline.masks import Mask, mask_frame
from howard.pipeline.opened_render import load_predictor
from howard.pipeline.pipeline_types import FinishedFrame
from howard.pipeline.plate_check import check_plate_is_empty
from howard.pipeline.plate_indexing import PlateIndexer
from howard.pipeline.temporal_window import attach_neighbours, with_neighbours
from howard.progress import Progress, SilentProgress
from howard.quality import QUALITIES, choose_window

# Memory for aligned, matted, windowed and finished frames; a 1080p frame needs about 25, 100, 170 and 10 MB.
_ALIGNED_BYTES = 256 * 2**20
_MATTED_BYTES = 512 * 2**20
_WINDOWED_BYTES = 256 * 2**20
_FINISHED_BYTES = 256 * 2**20
# Bytes per pixel of a matted frame: source, plate and matte as float tensors, and the coarse network's outputs.
_MATTED_BYTES_PER_PIXEL = 48
# The same of a frame with its neighbours: also their sources and alpha, and the inputs of the edge solver.
_WINDOWED_BYTES_PER_PIXEL = 80
# Matted frames that are kept in any case: a frame and its neighbours.
_MATTED_FRAMES = 3


class PredictorCache:
    """Loads the network for a pair's options and caches the latest one; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: tuple[Hashable, Predictor] | None = None

    def get(self, options: RenderOptions, progress: Progress) -> Predictor:
        """The network for the options' weights and device; raises WeightsError or SettingsError."""
        key = network_key(options)
        with self._lock:
            if self._latest is None or self._latest[0] != key:
                self._latest = None  # Free its memory before the next network is loaded.
                self._latest = key, load_predictor(options, progress)
            return self._latest[1]


def network_key(options: RenderOptions) -> Hashable:
    """Cache key of a network."""
    return str(options.weights), options.device, options.precision, QUALITIES[options.quality].augmented


def matte_key(pair: Pair, options: RenderOptions) -> Hashable:
    """Cache key of a frame's alignment and matte, without the frame number."""
    return reading_key(pair, options), network_key(options), options.quality, options.subject


def edges_key(pair: Pair, options: RenderOptions) -> Hashable:
    """Cache key of a frame's solved edges and its neighbours, without the frame number."""
    return matte_key(pair, options), options.edges, choose_window(options.quality, options.window)


def finish_key(pair: Pair, options: RenderOptions) -> Hashable:
    """Cache key of a frame's final pixels, without the frame number."""
    controls = tuple(options.edge_controls.items())
    return edges_key(pair, options), mask_key(pair, options), controls


def mask_key(pair: Pair, options: RenderOptions) -> Hashable:
    """Cache key of the masks, without shot and plate."""
    paths = options.garbage, options.holdout
    return tuple(None if path is None else (str(path), modification_time(path)) for path in paths), pair.strokes


def reading_key(pair: Pair, options: RenderOptions) -> Hashable:
    """Cache key of the decoded images of shot and plate."""
    files = tuple((str(path), modification_time(path)) for path in (pair.shot, *pair.plate))
    return files, tuple(str(getattr(options, name)) for name in (*DECODING_OPTIONS, "frame_rate"))


class _OpenedPair(NamedTuple):
    """A pair whose files are open; ``stack`` closes them."""

    inputs: Inputs
    indexer: PlateIndexer
    motions: StrokeMotions
    stack: ExitStack


class FramePipeline:
    """Computes single frames with the functions of a render, so that the pixels are equal to those of a render.

    Not thread-safe, except for `stop_plate_reading`.

    Args:
        predictors: provides the network.
        progress: receives the progress of indexing the plate and of loading the network.
        check: called between the steps; may raise an exception to cancel the computation.
    """

    def __init__(
        self,
        predictors: PredictorCache,
        progress: Progress | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._predictors = predictors
        self._progress = progress or SilentProgress()
        self._raise_if_cancelled = check
        self._opened: tuple[Hashable, _OpenedPair] | None = None
        self._aligner: tuple[Hashable, FrameAligner] | None = None
        self._masks: tuple[Hashable, PaintedMasks] | None = None
        self._mask_stack = ExitStack()
        self._aligned = BoundedMemory[AlignedFrame](_ALIGNED_BYTES, _aligned_bytes, least=1)
        self._matted = BoundedMemory[MattedFrame](_MATTED_BYTES, _matted_bytes, least=_MATTED_FRAMES)
        self._windowed = BoundedMemory[MattedFrame](_WINDOWED_BYTES, _windowed_bytes, least=1)
        self._finished = BoundedMemory[FinishedFrame](_FINISHED_BYTES, _finished_bytes, least=1)

    def inputs(self, pair: Pair) -> Inputs:
        """The pair's opened shot and plate, without background and masks."""
        return self._open(pair).inputs

    def plate_frame(self, pair: Pair, index: int) -> np.ndarray:
        """Frame ``index`` of the plate, unaligned, (h, w, 3); waits until the plate has been indexed."""
        opened = self._open(pair)
        # The indexer's thread reads the plate until its index is complete, and readers are not thread-safe.
        opened.indexer.index()
        return opened.inputs.plate[index].image

    def predictor(self, pair: Pair) -> Predictor:
        """The network for the pair's options."""
        return self._predictors.get(pair.render_options(), self._progress)

    def aligned(self, pair: Pair, number: int) -> AlignedFrame:
        """Frame ``number`` with its aligned plate."""
        key = number, matte_key(pair, pair.render_options())
        return self._aligned.get(key, lambda: self._align(pair, number))

    def matted(self, pair: Pair, number: int) -> MattedFrame:
        """Frame ``number`` with the matte of the network, before masks are applied."""
        options = pair.render_options()
        return self._matted.get((number, matte_key(pair, options)), lambda: self._matte(pair, options, number))

    def finished(self, pair: Pair, number: int, layers: tuple[str, ...] = ()) -> FinishedFrame:
        """Frame ``number`` with its final pixels for 8-bit output, (H, W, 4), and the additional ``layers``."""
        options = pair.render_options()
        key = number, finish_key(pair, options), layers
        return self._finished.get(key, lambda: self._finish(pair, options, number, layers))

    def png_rgba(self, pair: Pair, frame: FinishedFrame) -> np.ndarray:
        """The pixels of a finished frame in the colour space of PNG files, (H, W, 4) uint8, straight alpha."""
        shot = self.inputs(pair).shot.info
        writer = open_writer("png", Path(), shot, range(shot.frame_count))
        return writer.to_stored(frame.main_rgba)

    def stop_plate_reading(self) -> None:
        """Stop indexing the plate; a thread that waits for the index gets a PlateClosedError."""
        if self._opened is not None:
            self._opened[1].indexer.__exit__()

    def close(self) -> None:
        """Close all files."""
        opened, self._opened, self._aligner, self._masks = self._opened, None, None, None
        self._mask_stack.close()
        if opened is not None:
            opened[1].stack.close()

    def _open(self, pair: Pair) -> _OpenedPair:
        options = pair.render_options(background=None, garbage=None, holdout=None)
        key = reading_key(pair, options)
        if self._opened is None or self._opened[0] != key:
            self.close()
            with ExitStack() as stack:
                inputs = stack.enter_context(open_inputs(pair.shot, pair.plate_text, options, self._progress))
                indexer = PlateIndexer(inputs.plate, self._progress, cache=default_cache_folder())
                stack.enter_context(indexer)
                opened = _OpenedPair(inputs, indexer, StrokeMotions(inputs, lambda: indexer), stack.pop_all())
            self._opened = key, opened
        return self._opened[1]

    def _align(self, pair: Pair, number: int) -> AlignedFrame:
        options = pair.render_options()
        opened, key = self._open(pair), matte_key(pair, options)
        predictor = self.predictor(pair)
        self._raise_if_cancelled()
        if self._aligner is None or self._aligner[0] != key:
            validity = check_plate_is_empty(opened.inputs, opened.indexer.plate, predictor, options.subject).validity
            aligner = open_aligner(opened.inputs, opened.indexer, predictor, quality=options.quality, validity=validity)
            self._aligner = key, aligner
        self._raise_if_cancelled()
        [index] = choose_frames(number, opened.inputs.shot.info, "frame")
        [frame] = self._aligner[1].align([index])
        return frame

    def _matte(self, pair: Pair, options: RenderOptions, number: int) -> MattedFrame:
        aligned = self.aligned(pair, number)
        self._raise_if_cancelled()
        [frame] = matte_frames([aligned], self.predictor(pair), options.subject)
        return frame

    def _finish(self, pair: Pair, options: RenderOptions, number: int, layers: tuple[str, ...]) -> FinishedFrame:
        # Importing torch takes seconds; the app starts without it.
        from howard.pipeline.frame_finisher import FrameFinisher, compose_settings

        key = number, edges_key(pair, options)
        matted = self._windowed.get(key, lambda: self._attach_neighbours(pair, options, number))
        predictor = self.predictor(pair)
        self._raise_if_cancelled()
        masks = self._open_masks(pair, options)
        masked = mask_frame(matted, masks.garbage, masks.holdout)
        self._raise_if_cancelled()
        settings = replace(compose_settings(options, predictor, (np.dtype(np.uint8),)), layers=layers)
        return FrameFinisher(settings, str(predictor.device)).finish(masked)

    def _attach_neighbours(self, pair: Pair, options: RenderOptions, number: int) -> MattedFrame:
        """A matted frame with solved edges and the neighbours of its temporal window."""
        shot = self._open(pair).inputs.shot.info
        [index] = choose_frames(number, shot, "frame")
        radius = choose_window(options.quality, options.window)
        frames = []
        for each in with_neighbours([index], radius, shot.frame_count):
            try:
                frames.append(self.matted(pair, each + shot.first_number))
            except DamagedFrameError:
                if each == index:
                    raise
            self._raise_if_cancelled()
        is_linear = self.predictor(pair).metadata.mixing == "linear"
        [frame] = attach_neighbours(frames, {index}, radius, edges=options.edges, linear_light=is_linear)
        return frame

    def _open_masks(self, pair: Pair, options: RenderOptions) -> PaintedMasks:
        opened = self._open(pair)
        key = mask_key(pair, options), reading_key(pair, options)
        if self._masks is None or self._masks[0] != key:
            self._mask_stack.close()

            def open_mask(path: str | Path | None) -> Mask | None:
                return None if path is None else self._mask_stack.enter_context(Mask(path, opened.inputs.shot.info))

            inputs = opened.inputs._replace(garbage=open_mask(options.garbage), holdout=open_mask(options.holdout))
            self._masks = key, paint_masks(pair, inputs, opened.motions)
        return self._masks[1]


def _aligned_bytes(frame: AlignedFrame) -> int:
    # On a GPU the images are tensors of about the same size.
    image = frame.source.image
    return 2 * image.nbytes + 4 * image.shape[0] * image.shape[1]


def _matted_bytes(frame: MattedFrame) -> int:
    height, width = frame.source.image.shape[:2]
    return _MATTED_BYTES_PER_PIXEL * height * width


def _windowed_bytes(frame: MattedFrame) -> int:
    height, width = frame.source.image.shape[:2]
    return _WINDOWED_BYTES_PER_PIXEL * height * width


def _finished_bytes(frame: FinishedFrame) -> int:
    return sum(picture.nbytes for picture in (*frame.rgba.values(), *frame.layers.values()))
