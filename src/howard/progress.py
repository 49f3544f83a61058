"""Progress of a render: the interface that pipelines report to, and the choice of how it is shown.

Imports nothing slow, so that the first message is shown before anything else is loaded.
"""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TextIO


@dataclass(frozen=True)
class FrameDone:
    """Frame ``number`` has been written, the ``done``-th of ``total``; ``status`` is that of its plate alignment."""

    number: int
    status: str
    done: int
    total: int


ProgressCallback = Callable[[FrameDone], None]


class Progress(Protocol):
    """Receives the progress of a render; may be called from any thread."""

    def step(self, name: str, text: str, **facts: Any) -> None:
        """A step has begun: ``name`` for programs, ``text`` for people, ``facts`` with JSON-serialisable values."""
        ...

    def advance(self, done: int, total: int) -> None:
        """``done`` of ``total`` parts of the current step are finished."""
        ...

    def frame(self, event: FrameDone) -> None:
        """A frame has been written."""
        ...


class SilentProgress:
    """Shows nothing."""

    def step(self, name: str, text: str, **facts: Any) -> None: ...

    def advance(self, done: int, total: int) -> None: ...

    def frame(self, event: FrameDone) -> None: ...


class FrameProgress(SilentProgress):
    """Calls a function after every frame, and shows nothing else."""

    def __init__(self, callback: ProgressCallback) -> None:
        self.frame = callback  # type: ignore[method-assign]


# Seconds over which a rate is measured, at least: frames that were finished together would show a meaningless one.
_SHORTEST = 1.0


class Rate:
    """Frames per second since the first frame, and the remaining time."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def describe(self, done: int, total: int) -> str:
        """As ", 1.40 a second, 2 min left"; empty until further frames have taken a second."""
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        count, seconds = done - self._first[0], now - self._first[1]
        if count <= 0 or seconds < _SHORTEST:
            return ""
        rate = count / seconds
        return f", {rate:.2f} a second, {in_words((total - done) / rate)} left"


def in_words(seconds: float) -> str:
    """A duration as text: "8 s", "12 min", "3 h 5 min"."""
    if seconds < 100:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def open_progress(
    choice: "Progress | ProgressCallback | bool | str", stream: TextIO | None = None
) -> AbstractContextManager[Progress]:
    """A context manager whose value receives the progress of a render.

    Args:
        choice: one of `howard.choices.PROGRESS`; True for "auto", False for "none"; a function, called after every
            frame; or a `Progress`, which is used as it is.
        stream: where lines are written, by default the output stream. A progress bar uses the error stream.
    """
    if choice is True:
        choice = "auto"
    if choice is False or choice == "none":
        return nullcontext(SilentProgress())
    if not isinstance(choice, str):
        return nullcontext(choice if hasattr(choice, "advance") else FrameProgress(choice))  # type: ignore[arg-type]
    from howard.progress_displays import BarProgress, JsonProgress, OpenJobProgress, PlainProgress

    if choice == "auto" and sys.stderr.isatty():
        return BarProgress()
    displays = {"auto": PlainProgress, "plain": PlainProgress, "json": JsonProgress, "openjd": OpenJobProgress}
    return displays[choice](stream or sys.stdout)
