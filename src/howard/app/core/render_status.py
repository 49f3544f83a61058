"""Status of a render, read from the ``progress=json`` output of its process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from howard.errors import InputError
from howard.frame_ranges import format_frames
from howard.render_record import is_frame_record, read_lines

# In chronological order; "idle" means that the pair has no render.
RENDER_STATES = (
    *("idle", "queued", "preparing", "running", "stopping"),
    *("stopped", "done", "needs_a_look", "error"),
)
# A render that is queued or whose process has not ended.
BUSY_STATES = ("queued", "preparing", "running", "stopping")
_ERROR = "error: "


@dataclass(frozen=True)
class RenderStatus:
    """Status of a pair's render.

    Attributes:
        state: one of `RENDER_STATES`.
        done, total: frames written and to be written by the latest process, without frames that existed before.
        frames_per_second: average since the first frame; None until a second one is done.
        seconds_left: estimate at that rate.
        memory_bytes: resident memory of the process; None if unknown or not running.
        message: current step, or how the render ended.
        output: render folder.
        report: HTML report; None until it is written.
        frame_states: "good", "weak", "failed" or "damaged" for all finished frames, by number; "damaged" is known only
            after the process has ended.
    """

    state: str = "idle"
    done: int = 0
    total: int = 0
    frames_per_second: float | None = None
    seconds_left: float | None = None
    memory_bytes: int | None = None
    message: str = ""
    output: Path | None = None
    report: Path | None = None
    frame_states: Mapping[int, str] = field(default_factory=dict)


class Outcome(NamedTuple):
    """Result of a render process: one of `RENDER_STATES`, and one line that explains it."""

    state: str
    message: str


class RenderLog:
    """Incremental reader of a render's log file (``progress=json`` lines) and error file; other lines are ignored."""

    def __init__(self, log: Path, errors: Path) -> None:
        self._log = log
        self._errors = errors
        self._offset = 0
        self._step = ""
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None
        self.message = ""
        self.done = 0
        self.total = 0
        self.frame_states: dict[int, str] = {}
        self.finished: dict[str, Any] | None = None

    def read_new_lines(self) -> None:
        """Read the complete lines that were appended since the last call."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        # A last line without a newline is still being written.
        complete = data[: data.rfind(b"\n") + 1]
        self._offset += len(complete)
        for line in complete.splitlines():
            try:
                facts = json.loads(line)
                self._apply_event(facts)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    @property
    def frames_per_second(self) -> float | None:
        """Average rate since the first frame; None until a second one is done."""
        if self._first is None or self._last is None:
            return None
        count, seconds = self._last[0] - self._first[0], self._last[1] - self._first[1]
        return count / seconds if count > 0 and seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated time for the remaining frames; None while the rate is unknown."""
        rate = self.frames_per_second
        return None if rate is None else (self.total - self.done) / rate

    def outcome(self, was_stopped: bool) -> Outcome:
        """Result of the render after its process has ended; ``was_stopped`` is whether the user cancelled it."""
        self.read_new_lines()
        error_lines = [line for line in self._error_lines() if line.startswith(_ERROR)]
        if error_lines:
            return Outcome("error", error_lines[-1].removeprefix(_ERROR))
        if self.finished is not None:
            numbers = sorted({*self.finished.get("weak", ()), *self.finished.get("failed", ())})
            if numbers:
                return Outcome("needs_a_look", f"needs checking: {format_frames(numbers)}")
            return Outcome("done", str(self.finished.get("text", "")))
        if was_stopped:
            return Outcome("stopped", f"stopped after {self.done} of {self.total} frames; render again to resume")
        last = (self._error_lines() or ["its process was killed"])[-1]
        return Outcome("error", f"the render ended unexpectedly ({last}); render again to resume")

    def _apply_event(self, facts: dict[str, Any]) -> None:
        event = facts["event"]
        if event == "frame":
            self.done, self.total = int(facts["done"]), int(facts["total"])
            self.frame_states[int(facts["number"])] = str(facts["status"])
            self._last = self.done, float(facts["seconds"])
            self._first = self._first or self._last
        elif event == "progress":
            self.message = f"{self._step} ({facts['done']} of {facts['total']})"
        elif event == "finished":
            self.finished = facts
        elif event not in ("error", "note"):
            self._step = self.message = str(facts["text"])

    def _error_lines(self) -> list[str]:
        try:
            text = self._errors.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if line.strip()]


def finished_frames(output: Path) -> dict[int, str]:
    """Alignment status, or "damaged", of the frames recorded in a render folder; empty if it cannot be read."""
    try:
        records = [facts for facts in read_lines(output) if is_frame_record(facts)]
        return {facts["number"]: "damaged" if facts["damaged"] else facts["status"] for facts in records}
    except InputError:
        return {}
