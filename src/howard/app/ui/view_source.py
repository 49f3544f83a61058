"""The views of the displayed pair, and the progress of opening it as a text."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from howard.app.core.clips import ClipCache
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.views import FrameViews, PredictorCache, ViewCancelled
from howard.progress import Progress, SilentProgress


class ProgressText(SilentProgress):
    """A `howard.progress.Progress` that keeps the current step (indexing the plate, loading the network) as a text.

    Attributes:
        text: the current step with its progress; "" between steps.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        """``on_change`` is called after every change, in the thread that computes the view."""
        self._step = ""
        self._on_change = on_change
        self.text = ""

    def step(self, name: str, text: str, **facts: Any) -> None:
        """A step has begun."""
        self._step = self.text = text
        self._on_change()

    def advance(self, done: int, total: int) -> None:
        """``done`` of ``total`` parts of the step are finished."""
        text = f"{self._step} ({done} of {total})" if done < total else ""
        if text != self.text:
            self.text = text
            self._on_change()

    def clear(self) -> None:
        """Clear the text after the last step."""
        self.text = ""


class ViewSource:
    """Provides the views of one pair at a time; :meth:`compute` may be called from any thread."""

    def __init__(self, clips: ClipCache, progress: Progress) -> None:
        """``clips`` provides the shots; ``progress`` receives that of indexing the plate and loading the network."""
        self._clips, self._progress = clips, progress
        self._predictors = PredictorCache()
        self._project: Project | None = None
        self._pair_id: str | None = None
        self._views: FrameViews | None = None

    def open(self, project: Project, pair_id: str) -> None:
        """Provide the views of this pair from now on, and close those of the previous one."""
        if self._views is None or (project, pair_id) != (self._project, self._pair_id):
            self.close()
            self._project, self._pair_id = project, pair_id
            self._views = FrameViews(project, pair_id, self._predictors, clips=self._clips, progress=self._progress)

    def compute(self, pair: Pair, view: str, number: int) -> np.ndarray:
        """Compute a view like `FrameViews.view`; raises ViewCancelled if the pair is not open."""
        views = self._views
        if views is None or pair.id != self._pair_id:
            raise ViewCancelled
        return views.view(view, number)

    def statuses(self, pair: Pair) -> dict[int, str]:
        """See `FrameViews.statuses`; empty if the pair is not open."""
        return self._views.statuses(pair) if self._views is not None and pair.id == self._pair_id else {}

    def cancel(self, pair_id: str) -> None:
        """Cancel the computations for a pair."""
        if self._views is not None and pair_id == self._pair_id:
            self._views.cancel()

    def close(self) -> None:
        """Close the pair in a background thread, because a running step of the pipeline cannot be interrupted."""
        views, self._views = self._views, None
        if views is not None:
            threading.Thread(target=views.close, name="howard-close", daemon=True).start()
