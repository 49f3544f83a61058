"""Views of a pair's frames: one image for each step of the pipeline, computed on request and cached."""

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

import numpy as np

from howard.align.caches import BoundedMemory
from howard.app.core.clips import ClipCache
from howard.app.core.frame_pipeline import FramePipeline, PredictorCache, finish_key
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.view_renderer import VIEWS, ViewRenderer, ViewRequest
from howard.pipeline.plate_indexing import PlateClosedError
from howard.progress import Progress
from howard.render_record import FrameRecord

__all__ = ["VIEWS", "FrameViews", "PredictorCache", "ViewCancelled"]

Result = TypeVar("Result")
# Views that show a frame's final pixels.
_FINISHED_VIEWS = frozenset({"matte", "foreground", "composite"})
# Memory for the images of views: about 40 of 1080p.
_IMAGE_BYTES = 256 * 2**20
# Seconds between two checks for cancellation while a call waits for another one.
_CANCEL_CHECK_INTERVAL = 0.05


class ViewCancelled(Exception):
    """The computation of a view was cancelled."""


class FrameViews:
    """The views of one pair's frames at full resolution, under the pair's current settings in the project.

    Thread-safe; calls block until the view is computed. One view is computed at a time, and concurrent requests for the
    same view share one computation. Intermediate results are cached, so a changed edge control does not align or matte
    a frame again.

    Args:
        project: project of the pair; the pair's state becomes "previewed" with its first matte.
        pair_id: id of the pair.
        predictors: provides the network; shared by all pairs.
        clips: provides the unprocessed frames of the shot; shared by all pairs.
        progress: receives the progress of indexing the plate and of loading the network.
    """

    def __init__(
        self,
        project: Project,
        pair_id: str,
        predictors: PredictorCache,
        *,
        clips: ClipCache | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._project = project
        self._pair_id = pair_id
        self._pipeline = FramePipeline(predictors, progress, check=self._raise_if_cancelled)
        self._renderer = ViewRenderer(self._pipeline, clips or ClipCache())
        self._images = BoundedMemory[np.ndarray](_IMAGE_BYTES, lambda image: image.nbytes)
        # Alignment status of previewed frames, by frame number and cache key of the final pixels.
        self._statuses: dict[tuple[int, Hashable], str] = {}
        self._lock = threading.Lock()
        # Number of calls of `cancel`; a computation of an earlier generation is cancelled.
        self._generation = 0
        # Generation of the computation in progress.
        self._active_generation = 0

    def view(self, name: str, number: int, background: str | None = None) -> np.ndarray:
        """One of `VIEWS` of frame ``number``: (H, W, 3) uint8 RGB, or (H, W) uint8; read-only.

        Images have the size of the shot, except "plate", which has the size of the plate.

        Args:
            name: one of `VIEWS`.
            number: frame number as in output names.
            background: value of ``background=`` for "composite"; None means that of the pair, or a checkerboard if the
                pair has none.

        Raises:
            ViewCancelled: `cancel` was called in the meantime.
            HowardError: a file cannot be read, or a setting is invalid.
        """
        if name not in VIEWS:
            raise ValueError(f"view must be one of {', '.join(VIEWS)}, not {name!r}")
        pair = self._project.pair(self._pair_id)
        request = ViewRequest(name, number, background if name == "composite" else None)
        key = self._renderer.key(pair, request)

        def compute(generation: int) -> np.ndarray:
            if name == "shot":
                return self._renderer.shot(pair, number)
            return self._run_exclusively(generation, lambda: self._render(pair, request))

        image = self._retry_after_others_cancel(lambda generation: self._images.get(key, lambda: compute(generation)))
        if name in _FINISHED_VIEWS and pair.state == "new":
            self._project.update(pair.id, state="previewed", message="")
        return image

    def record(self, number: int) -> FrameRecord:
        """The frame record that a render would write: status, reasons and measures; errors as in :meth:`view`."""
        pair = self._project.pair(self._pair_id)
        return self._retry_after_others_cancel(
            lambda generation: self._run_exclusively(generation, lambda: self._pipeline.finished(pair, number).record)
        )

    def statuses(self, pair: Pair) -> dict[int, str]:
        """Alignment status by frame number of the frames previewed under the pair's current settings."""
        current = finish_key(pair, pair.render_options())
        return {number: status for (number, key), status in list(self._statuses.items()) if key == current}

    def pixel(self, name: str, number: int, x: int, y: int) -> str:
        """The values of a view at a pixel as text; "" outside the image. Errors as in :meth:`view`."""
        image = self.view(name, number)
        if not (0 <= y < image.shape[0] and 0 <= x < image.shape[1]):
            return ""
        values = np.atleast_1d(image[y, x]).tolist()
        if name == "matte":
            return f"{x}, {y}: alpha {values[0] / 255:.3f}"
        return f"{x}, {y}: {' '.join(map(str, values))}"

    def cancel(self) -> None:
        """Cancel all running and waiting calls; they raise ViewCancelled before the next step of the pipeline."""
        self._generation += 1

    def close(self) -> None:
        """Cancel everything and close the files."""
        self.cancel()
        # Indexing a long plate does not check for cancellation.
        self._pipeline.stop_plate_reading()
        with self._lock:
            self._pipeline.close()
            self._renderer.close()

    def _render(self, pair: Pair, request: ViewRequest) -> np.ndarray:
        image, status = self._renderer.render(pair, request)
        if status is not None:
            self._statuses[request.number, finish_key(pair, pair.render_options())] = status
        return image

    def _retry_after_others_cancel(self, compute: Callable[[int], Result]) -> Result:
        """Result of ``compute``, repeated if it shared a computation with an earlier call that was cancelled."""
        generation = self._generation
        while True:
            try:
                return compute(generation)
            except (ViewCancelled, PlateClosedError) as error:
                if generation != self._generation:
                    raise ViewCancelled from error

    def _run_exclusively(self, generation: int, compute: Callable[[], Result]) -> Result:
        while not self._lock.acquire(timeout=_CANCEL_CHECK_INTERVAL):
            if generation != self._generation:
                raise ViewCancelled
        try:
            self._active_generation = generation
            self._raise_if_cancelled()
            return compute()
        finally:
            self._lock.release()

    def _raise_if_cancelled(self) -> None:
        if self._active_generation != self._generation:
            raise ViewCancelled
