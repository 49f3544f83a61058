"""The ways to show the progress of a render: plain lines, JSON, Open Job Description lines, and a progress bar."""

import json
import threading
import time
from dataclasses import asdict
from typing import Any, TextIO

from howard.errors import one_line
from howard.progress import FrameDone, Rate, in_words

# Seconds between two lines of plain progress.
_INTERVAL = 10.0
# Seconds between two JSON lines about the current step.
_JSON_INTERVAL = 1.0


class PlainProgress:
    """Prints a line for every step, and every ten seconds a line on the progress of the current step.

    A step without progress of its own is repeated with its duration.
    """

    def __init__(self, stream: TextIO, interval: float = _INTERVAL) -> None:
        self._stream = stream
        self._interval = interval
        self._lock = threading.Lock()
        self._text = self._line = ""
        self._began = time.monotonic()
        self._rate = Rate()
        self._is_over = threading.Event()
        self._repeater = threading.Thread(target=self._repeat, name="progress", daemon=True)

    def step(self, name: str, text: str, **facts: Any) -> None:
        with self._lock:
            self._text, self._line, self._began = text, "", time.monotonic()
            self._print(text)

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
                self._print(self._line or f"{self._text} ({in_words(time.monotonic() - self._began)})")

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class JsonProgress:
    """Prints a JSON object per line, for programs: ``event``, ``seconds`` since the start, and the event's facts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._last = 0.0
        self._step = ""

    def step(self, name: str, text: str, **facts: Any) -> None:
        self._step = name
        self._print({"event": name, "text": text, **facts})

    def advance(self, done: int, total: int) -> None:
        if time.monotonic() - self._last >= _JSON_INTERVAL:
            self._print({"event": "progress", "step": self._step, "done": done, "total": total})

    def frame(self, event: FrameDone) -> None:
        self._print({"event": "frame", **asdict(event)})

    def __enter__(self) -> "JsonProgress":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._print({"event": "error", "text": str(error) or type(error).__name__})

    def _print(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._last = time.monotonic()
            timed = {"event": line["event"], "seconds": round(self._last - self._start, 3)} | line
            print(json.dumps(timed), file=self._stream, flush=True)


class OpenJobProgress:
    """Prints the lines that an Open Job Description session reads from a task's standard output.

    These are ``openjd_status: TEXT``, ``openjd_progress: PERCENT`` and, after an error, ``openjd_fail: TEXT``. The
    percentage counts frames only; steps before the first frame change the status.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def step(self, name: str, text: str, **facts: Any) -> None:
        self._print("status", text)

    def advance(self, done: int, total: int) -> None: ...

    def frame(self, event: FrameDone) -> None:
        self._print("progress", f"{100 * event.done / event.total:.1f}")

    def __enter__(self) -> "OpenJobProgress":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._print("fail", str(error) or type(error).__name__)

    def _print(self, kind: str, text: str) -> None:
        with self._lock:
            print(f"openjd_{kind}: {one_line(text)}", file=self._stream, flush=True)


class BarProgress:
    """Prints steps as lines above a progress bar on the error stream, with frames per second and the remaining time."""

    def __init__(self) -> None:
        # Imported late: rich takes a tenth of a second to load, which the other displays can save.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", rate="", total=None, visible=False)

    def step(self, name: str, text: str, **facts: Any) -> None:
        self._bar.reset(self._task, description="", rate="", total=None, visible=False)
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def advance(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total, visible=True)

    def frame(self, event: FrameDone) -> None:
        speed = self._bar.tasks[0].finished_speed or self._bar.tasks[0].speed
        rate = f"{speed:.2f} frames/s" if speed else ""
        self._bar.update(self._task, description=f"frame {event.number}", rate=rate)
        self.advance(event.done, event.total)

    def __enter__(self) -> "BarProgress":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()
