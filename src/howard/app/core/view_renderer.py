"""Images of the views (shot, plate, matte, composite, ...) of a frame, rendered from its pipeline results."""

from collections.abc import Hashable
from typing import NamedTuple

import cv2
import numpy as np

from howard.app.core.clips import ClipCache, modification_time
from howard.app.core.frame_pipeline import FramePipeline, finish_key, matte_key, reading_key
from howard.app.core.pair import Pair
from howard.images import to_uint8, without_hidden_colour
from howard.media import Background, composite, to_depth
from howard.pipeline.sample_images import render_plate, render_residual

# In the order of the pipeline.
VIEWS = ("shot", "plate", "aligned", "difference", "coverage", "matte", "foreground", "composite", "shadow")
# Views that are computed from the alignment alone.
_BEFORE_MATTE = ("plate", "aligned", "difference")
# Difference between shot and plate, in 8-bit levels, at the top of the heat map.
_HOTTEST_LEVELS = 40.0
# Side of the checkerboard's squares in pixels of the shot.
_CHECKER_SIDE = 16
# Levels of its squares: neither dark nor bright edges disappear against them.
_CHECKER_GREYS = (96, 144)


class ViewRequest(NamedTuple):
    """A view of frame ``number``; ``background`` is that of `FrameViews.view`."""

    name: str
    number: int
    background: str | None = None


class RenderedView(NamedTuple):
    """The image of a view, (H, W, 3) uint8 RGB or (H, W) uint8.

    ``status`` is the alignment status of the frame if the view shows its final pixels, else None.
    """

    image: np.ndarray
    status: str | None = None


class ViewRenderer:
    """Renders the views of a pair's frames. Not thread-safe, except for :meth:`shot`.

    Args:
        pipeline: computes the frames.
        clips: provides the unprocessed frames of the shot.
    """

    def __init__(self, pipeline: FramePipeline, clips: ClipCache) -> None:
        self._pipeline = pipeline
        self._clips = clips
        self._background: tuple[Hashable, Background] | None = None

    def key(self, pair: Pair, request: ViewRequest) -> Hashable:
        """Cache key of a view."""
        options = pair.render_options()
        if request.name == "shot":
            return request, reading_key(pair, options)
        if request.name in (*_BEFORE_MATTE, "coverage"):
            return request, matte_key(pair, options)
        background = self._background_name(pair, request)
        modified = None if background is None else modification_time(background)
        return request, finish_key(pair, options), background, modified, options.shadow

    def shot(self, pair: Pair, number: int) -> np.ndarray:
        """The unprocessed frame, (H, W, 3) uint8 RGB."""
        return to_depth(self._clips.open(pair.shot, pair.render_options()).frame(number).image, np.uint8)

    def render(self, pair: Pair, request: ViewRequest) -> RenderedView:
        """Render a view; raises HowardError if a file cannot be read or an option is invalid."""
        name, number = request.name, request.number
        if name == "shot":
            return RenderedView(self.shot(pair, number))
        if name in _BEFORE_MATTE:
            return RenderedView(self._render_alignment(pair, name, number))
        if name == "coverage":
            return RenderedView(self._render_coverage(pair, number))
        if name == "shadow":
            return RenderedView(to_uint8(self._pipeline.finished(pair, number, ("shadow",)).layers["shadow"]))
        if name == "composite":
            return self._render_composite(pair, request)
        finished = self._pipeline.finished(pair, number)
        rgba = self._pipeline.png_rgba(pair, finished)
        image = rgba[..., 3] if name == "matte" else without_hidden_colour(rgba)[..., :3]
        return RenderedView(np.ascontiguousarray(image), finished.record.status)

    def close(self) -> None:
        """Close the background's file."""
        if self._background is not None:
            self._background[1].close()
            self._background = None

    def _render_alignment(self, pair: Pair, name: str, number: int) -> np.ndarray:
        frame = self._pipeline.aligned(pair, number)
        if name == "plate":
            # If the alignment failed, the first plate frame is shown.
            index = frame.plate.main_index if frame.plate.plate_indices else 0
            return to_depth(self._pipeline.plate_frame(pair, index), np.uint8)
        plate = to_depth(frame.plate.image, np.uint8)
        if name == "aligned":
            return render_plate(plate, frame.plate.coverage)
        difference = cv2.absdiff(to_depth(frame.source.image, np.uint8), plate)
        return render_residual(np.asarray(difference), frame.plate.coverage, _HOTTEST_LEVELS)

    def _render_coverage(self, pair: Pair, number: int) -> np.ndarray:
        """Confidence in alpha as grey, hatched where the plate does not cover the frame."""
        # Importing torch takes seconds.
        from howard.pipeline.frame_finisher import estimate_confidence

        frame = self._pipeline.matted(pair, number)
        grey = to_uint8(estimate_confidence(frame).float().cpu().numpy())
        return render_plate(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), frame.plate.coverage)

    def _render_composite(self, pair: Pair, request: ViewRequest) -> RenderedView:
        """The person over the background, composited as in a render."""
        layers = ("shadow",) if pair.render_options().shadow else ()
        finished = self._pipeline.finished(pair, request.number, layers)
        rgba = self._pipeline.png_rgba(pair, finished)
        linear_light = self._pipeline.predictor(pair).metadata.mixing == "linear"
        name = self._background_name(pair, request)
        if name is None:
            background = make_checkerboard(rgba.shape[1], rgba.shape[0])
        else:
            half_frame = 1 / (2 * self._pipeline.inputs(pair).shot.info.frame_rate)
            background = self._open_background(pair, name).frame(finished.source.time + half_frame)
        image = composite(rgba, background, linear_light, finished.layers.get("shadow"))
        return RenderedView(image, finished.record.status)

    def _background_name(self, pair: Pair, request: ViewRequest) -> str | None:
        """Value of ``background=`` for the composite; None for the checkerboard."""
        chosen = request.background or pair.render_options().background
        return None if chosen is None else str(chosen)

    def _open_background(self, pair: Pair, name: str) -> Background:
        shot = self._pipeline.inputs(pair).shot.info
        size_and_rate = shot.width, shot.height, shot.frame_rate
        key = name, modification_time(name), size_and_rate
        if self._background is None or self._background[0] != key:
            self.close()
            self._background = key, Background(name, *size_and_rate)
        return self._background[1]


def make_checkerboard(width: int, height: int) -> np.ndarray:
    """Grey squares, (height, width, 3) uint8."""
    x, y = np.arange(width) // _CHECKER_SIDE, np.arange(height) // _CHECKER_SIDE
    is_dark = np.add.outer(y, x) % 2
    return np.repeat(np.where(is_dark, *_CHECKER_GREYS).astype(np.uint8)[..., None], 3, axis=2)
