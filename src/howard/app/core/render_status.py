"""How a render stands, read from the lines that its process writes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from howard.errors import InputError
from howard.frame_ranges import format_frames
from howard.render_record import is_frame_record, read_lines

# In the order of a render's life; "idle" is a pair without any.
RENDER_STATES = (
    *("idle", "queued", "preparing", "running", "stopping"),
    *("stopped", "done", "needs_a_look", "error"),
)
_ERROR = "error: "


@dataclass(frozen=True)
class RenderStatus:
    """How the render of a pair stands.

    Attributes:
        state: one of `RENDER_STATES`.
        done, total: frames written, and to be written, by the latest process; those there before do not count.
        frames_per_second: since its first frame; None until a second one is done.
        seconds_left: at that rate.
        memory_bytes: that the process has resident; None where nobody says, or none runs.
        message: what is being done, or why it ended.
        output: folder of the render.
        report: its page; None until it is written.
        frame_states: "good", "weak", "failed" or "damaged" of all frames finished, by number; the last only once the
            process has ended.
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
    """How a process that has ended left its render: one of `RENDER_STATES`, and the line that explains it."""

    state: str
    message: str


class RenderLog:
    """What a render has written to its output and error files so far, read on as they grow.

    The lines are those of ``progress=json``; lines of other kinds are left out.
    """

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

    def read_on(self) -> None:
        """Take in the lines that are new."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        # A line without an end is still being written.
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                facts = json.loads(line)
                self._take(facts)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    @property
    def frames_per_second(self) -> float | None:
        """Frames a second since the first one; None until a second one is done."""
        if self._first is None or self._last is None:
            return None
        count, seconds = self._last[0] - self._first[0], self._last[1] - self._first[1]
        return count / seconds if count > 0 and seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds for the frames still to be written; None where the rate is not known."""
        rate = self.frames_per_second
        return None if rate is None else (self.total - self.done) / rate

    def outcome(self, was_stopped: bool) -> Outcome:
        """How the render ended, if its process has; ``was_stopped`` says whether somebody asked for that."""
        self.read_on()
        told = [line for line in self._error_lines() if line.startswith(_ERROR)]
        if told:
            return Outcome("error", told[-1].removeprefix(_ERROR))
        if self.finished is not None:
            numbers = sorted({*self.finished.get("weak", ()), *self.finished.get("failed", ())})
            if numbers:
                return Outcome("needs_a_look", f"to be checked: {format_frames(numbers)}")
            return Outcome("done", str(self.finished.get("text", "")))
        if was_stopped:
            return Outcome("stopped", f"stopped after {self.done} of {self.total} frames; render again to go on")
        last = (self._error_lines() or ["its process was ended"])[-1]
        return Outcome("error", f"the render ended unexpectedly ({last}); render again to go on")

    def _take(self, facts: dict[str, Any]) -> None:
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
    """How the frames that renders have finished in a folder came out, by number; none where it cannot be read.

    That is their status, or "damaged" where their data are.
    """
    try:
        records = [facts for facts in read_lines(output) if is_frame_record(facts)]
        return {facts["number"]: "damaged" if facts["damaged"] else facts["status"] for facts in records}
    except InputError:
        return {}
