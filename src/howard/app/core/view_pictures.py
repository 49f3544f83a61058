"""The picture of each view, made from the stages of a frame."""

from collections.abc import Hashable
from typing import NamedTuple

import cv2
import numpy as np

from howard.app.core.clips import ClipCache, changed_at
from howard.app.core.frame_stages import FrameStages, finish_key, matte_key, reading_key
from howard.app.core.pair import Pair
from howard.images import without_hidden_colour
from howard.media import Background, composite, to_depth
from howard.pipeline.sample_images import render_plate, render_residual, to_levels

# In the order of the pipeline.
VIEWS = ("shot", "plate", "aligned", "difference", "coverage", "matte", "foreground", "composite", "shadow")
# Those that need no network's matte, and so do not change with its finishing.
_BEFORE_MATTE = ("plate", "aligned", "difference")
# Difference between shot and plate, in 8-bit levels, that the hottest colour stands for.
_HOTTEST_LEVELS = 40.0
# Squares of the checker board: side in pixels of the shot, and two greys that neither dark nor bright edges vanish on.
_CHECKER_SIDE = 16
_CHECKER_GREYS = (96, 144)


class ViewRequest(NamedTuple):
    """A view of frame ``number``; ``background`` as in `FrameViews.view`."""

    name: str
    number: int
    background: str | None = None


class ViewPictures:
    """Makes the views of a pair's frames; to be used by one thread at a time, but for :meth:`shot`.

    Args:
        stages: gives the stages of the frames.
        clips: gives the shot's frames as they are.
    """

    def __init__(self, stages: FrameStages, clips: ClipCache) -> None:
        self._stages = stages
        self._clips = clips
        self._background: tuple[Hashable, Background] | None = None

    def key(self, pair: Pair, request: ViewRequest) -> Hashable:
        """What a view depends on."""
        options = pair.render_options()
        if request.name == "shot":
            return request, reading_key(pair, options)
        if request.name in (*_BEFORE_MATTE, "coverage"):
            return request, matte_key(pair, options)
        behind = self._behind(pair, request)
        at = None if behind is None else changed_at(behind)
        return request, finish_key(pair, options), behind, at, options.shadow

    def shot(self, pair: Pair, number: int) -> np.ndarray:
        """The frame itself, which need not wait for anything; (H, W, 3) uint8 RGB."""
        return to_depth(self._clips.open(pair.shot, pair.render_options()).frame(number).image, np.uint8)

    def make(self, pair: Pair, request: ViewRequest) -> np.ndarray:
        """The picture of a view; raises HowardErrors where it cannot be made."""
        name, number = request.name, request.number
        if name == "shot":
            return self.shot(pair, number)
        if name in _BEFORE_MATTE:
            return self._from_alignment(pair, name, number)
        if name == "coverage":
            return self._coverage(pair, number)
        if name == "shadow":
            return to_levels(self._stages.finished(pair, number, ("shadow",)).layers["shadow"])
        if name == "composite":
            return self._composite(pair, request)
        rgba = self._stages.stored(pair, number)
        return np.ascontiguousarray(rgba[..., 3] if name == "matte" else without_hidden_colour(rgba)[..., :3])

    def close(self) -> None:
        """Let go of the background's file."""
        if self._background is not None:
            self._background[1].close()
            self._background = None

    def _from_alignment(self, pair: Pair, name: str, number: int) -> np.ndarray:
        frame = self._stages.aligned(pair, number)
        if name == "plate":
            # Where nothing fits, the plate's beginning shows at least what was given.
            index = frame.plate.main_index if frame.plate.plate_indices else 0
            return to_depth(self._stages.plate_frame(pair, index), np.uint8)
        plate = to_depth(frame.plate.image, np.uint8)
        if name == "aligned":
            return render_plate(plate, frame.plate.coverage)
        apart = cv2.absdiff(to_depth(frame.source.image, np.uint8), plate)
        return render_residual(np.asarray(apart), frame.plate.coverage, _HOTTEST_LEVELS)

    def _coverage(self, pair: Pair, number: int) -> np.ndarray:
        """Confidence in alpha as grey, striped where the plate did not see the place."""
        # Torch takes seconds to load.
        from howard.pipeline.frame_finisher import estimate_confidence

        frame = self._stages.matted(pair, number)
        grey = to_levels(estimate_confidence(frame).float().cpu().numpy())
        return render_plate(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), frame.plate.coverage)

    def _composite(self, pair: Pair, request: ViewRequest) -> np.ndarray:
        """The person over the background, mixed as a render does it."""
        options, number = pair.render_options(), request.number
        layers = ("shadow",) if options.shadow else ()
        rgba = self._stages.stored(pair, number, layers)
        finished = self._stages.finished(pair, number, layers)
        linear_light = self._stages.predictor(pair).metadata.mixing == "linear"
        name = self._behind(pair, request)
        if name is None:
            behind = checker_board(rgba.shape[1], rgba.shape[0])
        else:
            half_frame = 1 / (2 * self._stages.inputs(pair).shot.info.frame_rate)
            behind = self._open_background(pair, name).frame(finished.source.time + half_frame)
        return composite(rgba, behind, linear_light, finished.layers.get("shadow"))

    def _behind(self, pair: Pair, request: ViewRequest) -> str | None:
        """What lies behind the person; None for the checker board."""
        chosen = request.background or pair.render_options().background
        return None if chosen is None else str(chosen)

    def _open_background(self, pair: Pair, name: str) -> Background:
        shot = self._stages.inputs(pair).shot.info
        form = shot.width, shot.height, shot.frame_rate
        key = name, changed_at(name), form
        if self._background is None or self._background[0] != key:
            self.close()
            self._background = key, Background(name, *form)
        return self._background[1]


def checker_board(width: int, height: int) -> np.ndarray:
    """Grey squares, (height, width, 3) uint8."""
    x, y = np.arange(width) // _CHECKER_SIDE, np.arange(height) // _CHECKER_SIDE
    dark = np.add.outer(y, x) % 2
    return np.repeat(np.where(dark, *_CHECKER_GREYS).astype(np.uint8)[..., None], 3, axis=2)
