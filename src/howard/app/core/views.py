"""What the viewers show of a frame: one picture for each step of the pipeline, computed when it is asked for."""

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

import numpy as np

from howard.align.caches import BoundedMemory
from howard.app.core.clips import ClipCache
from howard.app.core.frame_stages import FrameStages, PredictorCache, finish_key
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.view_pictures import VIEWS, ViewPictures, ViewRequest
from howard.pipeline.plate_indexing import PlateClosedError
from howard.progress import Progress
from howard.render_record import FrameRecord

__all__ = ["VIEWS", "FrameViews", "PredictorCache", "ViewCancelled"]

Result = TypeVar("Result")
# Views of a frame's final pixels.
_FINISHED_VIEWS = frozenset({"matte", "foreground", "composite"})
# Pictures of views that stay in memory: about 40 of 1080p.
_PICTURE_BYTES = 256 * 2**20
# Seconds between two checks whether a view that waits for its turn is still wanted.
_PATIENCE = 0.05


class ViewCancelled(Exception):
    """The view is not wanted any more."""


class FrameViews:
    """The views of one pair's frames, at full resolution; follows the pair's changes in the project.

    Calls block and may come from any thread: one view is computed at a time, those asked for twice once. What later
    steps need of earlier ones is kept, so that a finishing control does not align or matte a frame again.

    Args:
        project: in which the pair is; the pair becomes "previewed" with its first matte.
        pair_id: of the pair.
        predictors: gives the network, shared by all pairs.
        clips: gives the shot's frames as they are, shared by all pairs.
        progress: is told of reading the plate and of loading the network.
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
        self._stages = FrameStages(predictors, progress, check=self._check)
        self._makers = ViewPictures(self._stages, clips or ClipCache())
        self._pictures = BoundedMemory[np.ndarray](_PICTURE_BYTES, lambda picture: picture.nbytes)
        # Of previewed frames, by number and all that their pixels depend on.
        self._statuses: dict[tuple[int, Hashable], str] = {}
        self._turn = threading.Lock()
        # Counts the calls of `cancel`; what began before the latest is not wanted any more.
        self._generation = 0
        # That of the call whose turn it is.
        self._at_work = 0

    def view(self, name: str, number: int, background: str | None = None) -> np.ndarray:
        """One of `VIEWS` of frame ``number``: (H, W, 3) uint8 RGB, or (H, W) uint8; not to be changed.

        Pictures have the shot's size, that of the plate its own. ``background`` is what the composite shows behind the
        person, as the option of that name takes it; None means the pair's own, or else a checker board.

        Raises:
            ViewCancelled: `cancel` was called meanwhile.
            HowardError: files that cannot be read, settings that do not fit.
        """
        if name not in VIEWS:
            raise ValueError(f"view must be one of {', '.join(VIEWS)}, not {name!r}")
        pair = self._project.pair(self._pair_id)
        request = ViewRequest(name, number, background if name == "composite" else None)
        key = self._makers.key(pair, request)

        def make(generation: int) -> np.ndarray:
            if name == "shot":
                return self._makers.shot(pair, number)
            return self._in_turn(generation, lambda: self._make(pair, request))

        picture = self._wanted(lambda generation: self._pictures.get(key, lambda: make(generation)))
        if name in _FINISHED_VIEWS and pair.state == "new":
            self._project.update(pair.id, state="previewed", message="")
        return picture

    def record(self, number: int) -> FrameRecord:
        """What a render would note about a frame: its status, the reasons, and measures; raises as :meth:`view`."""
        pair = self._project.pair(self._pair_id)
        return self._wanted(
            lambda generation: self._in_turn(generation, lambda: self._stages.finished(pair, number).record)
        )

    def statuses(self, pair: Pair) -> dict[int, str]:
        """Status by number, as :meth:`record` has it, of the frames previewed under the pair's present settings."""
        wanted = finish_key(pair, pair.render_options())
        return {number: status for (number, key), status in list(self._statuses.items()) if key == wanted}

    def pixel(self, name: str, number: int, x: int, y: int) -> str:
        """The values of a view at a pixel, in words; "" outside the picture. Raises as :meth:`view`."""
        picture = self.view(name, number)
        if not (0 <= y < picture.shape[0] and 0 <= x < picture.shape[1]):
            return ""
        values = np.atleast_1d(picture[y, x]).tolist()
        if name == "matte":
            return f"{x}, {y}: alpha {values[0] / 255:.3f}"
        return f"{x}, {y}: {' '.join(map(str, values))}"

    def cancel(self) -> None:
        """Make all calls that are at work or wait end with ViewCancelled, at the next step of the pipeline."""
        self._generation += 1

    def close(self) -> None:
        """Cancel everything and let go of the files."""
        self.cancel()
        # Ends the reading of a long plate, which looks for no cancelling.
        self._stages.end_reading()
        with self._turn:
            self._stages.close()
            self._makers.close()

    def _make(self, pair: Pair, request: ViewRequest) -> np.ndarray:
        picture = self._makers.make(pair, request)
        if request.name in _FINISHED_VIEWS:
            key = request.number, finish_key(pair, pair.render_options())
            self._statuses[key] = self._stages.finished(pair, request.number).record.status
        return picture

    def _wanted(self, compute: Callable[[int], Result]) -> Result:
        """What ``compute`` gives, computed anew where a call that was cancelled had begun on the same."""
        generation = self._generation
        while True:
            try:
                return compute(generation)
            except (ViewCancelled, PlateClosedError) as error:
                if generation != self._generation:
                    raise ViewCancelled from error

    def _in_turn(self, generation: int, compute: Callable[[], Result]) -> Result:
        while not self._turn.acquire(timeout=_PATIENCE):
            if generation != self._generation:
                raise ViewCancelled
        try:
            self._at_work = generation
            self._check()
            return compute()
        finally:
            self._turn.release()

    def _check(self) -> None:
        if self._at_work != self._generation:
            raise ViewCancelled
