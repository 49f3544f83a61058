"""Progress as the lines that an Open Job Description session reads from a task's standard output."""

import threading
from typing import Any, TextIO

from howard.errors import one_line
from howard.progress import FrameDone


class OpenJobProgress:
    """Prints ``openjd_status: TEXT``, ``openjd_progress: PERCENT`` and, at an error, ``openjd_fail: TEXT``.

    The percentage counts frames alone; steps before the first frame change the status.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def step(self, name: str, text: str, **facts: Any) -> None:
        self._say("status", text)

    def advance(self, done: int, total: int) -> None: ...

    def frame(self, event: FrameDone) -> None:
        self._say("progress", f"{100 * event.done / event.total:.1f}")

    def __enter__(self) -> "OpenJobProgress":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._say("fail", str(error) or type(error).__name__)

    def _say(self, kind: str, text: str) -> None:
        with self._lock:
            print(f"openjd_{kind}: {one_line(text)}", file=self._stream, flush=True)
