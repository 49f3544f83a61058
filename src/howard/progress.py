"""How a render tells what it is doing: steps and frames, as lines, as JSON, as a bar or to a function.

Nothing slow is loaded here, so that the first message comes before anything else.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TextIO

# Seconds between two lines of plain progress.
_INTERVAL = 10.0
# Seconds between two lines of JSON about a step that is still going on.
_JSON_INTERVAL = 1.0


@dataclass(frozen=True)
class FrameDone:
    """Frame ``number`` has been written, the ``done``-th of ``total`` to do; ``status`` is its plate's."""

    number: int
    status: str
    done: int
    total: int


ProgressCallback = Callable[[FrameDone], None]


class Progress(Protocol):
    """What is told how a render goes on. Any thread may call."""

    def step(self, name: str, text: str, **facts: Any) -> None:
        """Something new begins or is known: ``name`` for programs, ``text`` for people, ``facts`` JSON can hold."""
        ...

    def advance(self, done: int, total: int) -> None:
        """The step at hand has come to ``done`` of ``total``."""
        ...

    def frame(self, event: FrameDone) -> None:
        """A frame has been written."""
        ...


class SilentProgress:
    """Says nothing."""

    def step(self, name: str, text: str, **facts: Any) -> None: ...

    def advance(self, done: int, total: int) -> None: ...

    def frame(self, event: FrameDone) -> None: ...


class FrameProgress(SilentProgress):
    """Calls a function after every frame, and says nothing else."""

    def __init__(self, callback: ProgressCallback) -> None:
        self.frame = callback  # type: ignore[method-assign]


class PlainProgress:
    """A line for every step, and one every ten seconds on how far it has come."""

    def __init__(self, stream: TextIO, interval: float = _INTERVAL) -> None:
        self._stream = stream
        self._interval = interval
        self._lock = threading.Lock()
        self._text = self._line = ""
        self._rate = Rate()
        self._is_over = threading.Event()
        self._repeater = threading.Thread(target=self._repeat, name="progress", daemon=True)

    def step(self, name: str, text: str, **facts: Any) -> None:
        with self._lock:
            self._text = self._line = text
            self._say(text)

    def advance(self, done: int, total: int) -> None:
        with self._lock:
            self._line = f"{self._text} ({done} of {total})"

    def frame(self, event: FrameDone) -> None:
        with self._lock:
            speed = self._rate.describe(event.done, event.total)
            self._line = f"frame {event.number}: {event.done} of {event.total} done{speed}"

    def __enter__(self) -> "PlainProgress":
        self._repeater.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._repeater.join()

    def _repeat(self) -> None:
        while not self._is_over.wait(self._interval):
            with self._lock:
                self._say(self._line)

    def _say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class JsonProgress:
    """A JSON object a line, for programs: ``event``, ``seconds`` since the start, and what the event is about."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._last = 0.0
        self._step = ""

    def step(self, name: str, text: str, **facts: Any) -> None:
        self._step = name
        self._say({"event": name, "text": text, **facts})

    def advance(self, done: int, total: int) -> None:
        if time.monotonic() - self._last >= _JSON_INTERVAL:
            self._say({"event": "progress", "step": self._step, "done": done, "total": total})

    def frame(self, event: FrameDone) -> None:
        self._say({"event": "frame", **asdict(event)})

    def __enter__(self) -> "JsonProgress":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._say({"event": "error", "text": str(error) or type(error).__name__})

    def _say(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._last = time.monotonic()
            timed = {"event": line["event"], "seconds": round(self._last - self._start, 3)} | line
            print(json.dumps(timed), file=self._stream, flush=True)


class Rate:
    """Frames a second since the first one, and the time that is left."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def describe(self, done: int, total: int) -> str:
        """As ", 1.40 a second, 2 min left"; nothing until a second frame is done."""
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        count, seconds = done - self._first[0], now - self._first[1]
        if count <= 0 or seconds <= 0:
            return ""
        rate = count / seconds
        return f", {rate:.2f} a second, {in_words((total - done) / rate)} left"


def in_words(seconds: float) -> str:
    """A duration as people say it: "8 s", "12 min", "3 h 5 min"."""
    if seconds < 100:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def open_progress(
    choice: "Progress | ProgressCallback | bool | str", stream: TextIO | None = None
) -> AbstractContextManager[Progress]:
    """What a render tells its progress to, for as long as the context lasts.

    Args:
        choice: such a thing already, a function to be called after every frame, one of `howard.choices.PROGRESS`, or
            True for "auto" and False for "none".
        stream: where lines go; the output stream if left out. A bar goes to the error stream.
    """
    lines = stream or sys.stdout
    if choice is True:
        choice = "auto"
    if choice == "auto" and sys.stderr.isatty():
        # Only now: it takes a tenth of a second.
        from howard.progress_bar import BarProgress

        return BarProgress()
    if choice in ("auto", "plain"):
        return PlainProgress(lines)
    if choice == "json":
        return JsonProgress(lines)
    if choice == "openjd":
        from howard.progress_openjd import OpenJobProgress

        return OpenJobProgress(lines)
    if choice is False or choice == "none":
        return nullcontext(SilentProgress())
    return nullcontext(choice if hasattr(choice, "advance") else FrameProgress(choice))  # type: ignore[arg-type]
