"""The views of the pair that is shown; those of a pair shown before let go of their files."""

import threading

import numpy as np

from howard.app.core.clips import ClipCache
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.views import FrameViews, PredictorCache, ViewCancelled
from howard.progress import Progress


class ViewSource:
    """Gives views of one pair at a time; :meth:`compute` may be called from any thread."""

    def __init__(self, clips: ClipCache, progress: Progress) -> None:
        """``clips`` are shared with all who show frames; ``progress`` is told of reading the plate and the network."""
        self._clips, self._progress = clips, progress
        self._predictors = PredictorCache()
        self._project: Project | None = None
        self._pair_id: str | None = None
        self._views: FrameViews | None = None

    def open(self, project: Project, pair_id: str) -> None:
        """From now on give views of this pair."""
        if self._views is None or (project, pair_id) != (self._project, self._pair_id):
            self.close()
            self._project, self._pair_id = project, pair_id
            self._views = FrameViews(project, pair_id, self._predictors, clips=self._clips, progress=self._progress)

    def compute(self, pair: Pair, view: str, number: int) -> np.ndarray:
        """A view as `FrameViews.view` gives it; raises ViewCancelled for pairs that are not shown any more."""
        views = self._views
        if views is None or pair.id != self._pair_id:
            raise ViewCancelled
        return views.view(view, number)

    def statuses(self, pair: Pair) -> dict[int, str]:
        """See `FrameViews.statuses`; empty for pairs that are not shown."""
        return self._views.statuses(pair) if self._views is not None and pair.id == self._pair_id else {}

    def cancel(self, pair_id: str) -> None:
        """Stop what is being computed for a pair."""
        if self._views is not None and pair_id == self._pair_id:
            self._views.cancel()

    def close(self) -> None:
        """Let go of the pair, in the background: a step of the pipeline that has begun is waited for."""
        views, self._views = self._views, None
        if views is not None:
            threading.Thread(target=views.close, name="howard-close", daemon=True).start()
