"""What is being done before the first picture of a pair: reading the plate, loading the network."""

from collections.abc import Callable
from typing import Any

from howard.progress import FrameDone


class Activity:
    """Keeps the text of the step at hand; a `howard.progress.Progress`, told by the threads that compute views."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """``on_change`` is called after every change, in the thread that made it."""
        self._step = ""
        self._on_change = on_change
        self.text = ""

    def step(self, name: str, text: str, **facts: Any) -> None:
        """Another step begins."""
        self._step = self.text = text
        self._on_change()

    def advance(self, done: int, total: int) -> None:
        """The step has come to ``done`` of ``total``."""
        text = f"{self._step} ({done} of {total})" if done < total else ""
        if text != self.text:
            self.text = text
            self._on_change()

    def end(self) -> None:
        """Nothing is being done any more."""
        self.text = ""

    def frame(self, event: FrameDone) -> None:
        """Frames are written by renders alone."""
