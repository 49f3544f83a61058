"""A render in a separate process that continues when the app exits and is found again by the next app."""

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import howard
from howard.app.core.render_status import RenderLog
from howard.errors import OutputError
from howard.media.files import make_folder, unwritable_error, write_atomically
from howard.operating_system import interrupt_process, kill_process, process_start, resident_memory, start_detached

# Command of the render process, followed by the arguments of ``infer.py``.
PROGRAM = (sys.executable, "-m", "howard")
_STATE, _LOG, _ERRORS = "state.json", "log.jsonl", "errors.txt"


@dataclass(frozen=True)
class _State:
    """Content of the state file: process id and start time, render folder, and flags; see `RenderProcess`."""

    pid: int
    start: str | None
    output: str
    was_stopped: bool = False
    is_concluded: bool = False


class RenderProcess:
    """The latest render of a pair: its process and its state, log and error files in a folder of the project."""

    def __init__(self, folder: Path, state: _State, process: "Popen[Any] | None" = None) -> None:
        self._folder = folder
        self._state = state
        self._process = process
        self.log = RenderLog(folder / _LOG, folder / _ERRORS)

    @classmethod
    def start(
        cls, folder: Path, arguments: Sequence[str], output: Path, program: Sequence[str] = PROGRAM
    ) -> "RenderProcess":
        """Start a render with arguments of ``infer.py``; raises OutputError if its files cannot be written."""
        make_folder(folder)
        try:
            with (folder / _LOG).open("wb") as log, (folder / _ERRORS).open("wb") as errors:
                command = [*program, *arguments, "progress=json"]
                process = start_detached(command, stdin=DEVNULL, stdout=log, stderr=errors, env=_environment())
        except OSError as error:
            raise unwritable_error(folder, error) from error
        render = cls(folder, _State(process.pid, process_start(process.pid), str(output)), process)
        render._save()
        return render

    @classmethod
    def find(cls, folder: Path) -> "RenderProcess | None":
        """Load the latest render that any app started with this folder; None if there was none."""
        try:
            facts: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            return cls(folder, _State(**facts))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def output(self) -> Path:
        """The render folder."""
        return Path(self._state.output)

    @property
    def was_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._state.was_stopped

    @property
    def is_concluded(self) -> bool:
        """Whether `conclude` was called."""
        return self._state.is_concluded

    def is_running(self) -> bool:
        """Whether the process is running; the start time distinguishes it from a later process with the same id."""
        if self._process is not None:
            return self._process.poll() is None
        return self._state.start is not None and process_start(self._state.pid) == self._state.start

    def memory(self) -> int | None:
        """Resident memory of the process in bytes; None if unknown or not running."""
        return resident_memory(self._state.pid) if self.is_running() else None

    def stop(self) -> None:
        """Interrupt the process like Ctrl-C: it exits after the frames in progress."""
        self._change(was_stopped=True)
        if self.is_running():
            interrupt_process(self._state.pid)

    def kill(self) -> None:
        """Kill the process; finished frames are kept, and the render can be resumed."""
        if self.is_running():
            kill_process(self._state.pid)

    def conclude(self) -> None:
        """Record that the result of the ended process has been stored in the project."""
        self._change(is_concluded=True)

    def _change(self, *, was_stopped: bool = False, is_concluded: bool = False) -> None:
        known = self._state
        self._state = replace(
            known,
            was_stopped=known.was_stopped or was_stopped,
            is_concluded=known.is_concluded or is_concluded,
        )
        with contextlib.suppress(OutputError):
            self._save()

    def _save(self) -> None:
        write_atomically(self._folder / _STATE, json.dumps(asdict(self._state)).encode())


def _environment() -> dict[str, str]:
    """The environment variables of this process, with PYTHONPATH extended so that the same Howard is imported."""
    package = str(Path(howard.__file__).parents[1])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, known]))}
