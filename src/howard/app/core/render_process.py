"""A render in a process of its own, which outlives the app and is found again by the next one."""

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

# What renders, followed by the arguments of ``infer.py``.
PROGRAM = (sys.executable, "-m", "howard")
_STATE, _LOG, _ERRORS = "state.json", "log.jsonl", "errors.txt"


@dataclass(frozen=True)
class _State:
    """What the state file says: the process, when it started, what it renders, and whether it was told to stop."""

    pid: int
    start: str | None
    output: str
    was_stopped: bool = False
    is_concluded: bool = False


class RenderProcess:
    """The latest render of a pair: its process, while that runs, and the files it leaves in a folder of the project."""

    def __init__(self, folder: Path, state: _State, process: "Popen[Any] | None" = None) -> None:
        self._folder = folder
        self._state = state
        self._process = process
        self.log = RenderLog(folder / _LOG, folder / _ERRORS)

    @classmethod
    def start(
        cls, folder: Path, arguments: Sequence[str], output: Path, program: Sequence[str] = PROGRAM
    ) -> "RenderProcess":
        """Start a render with arguments of ``infer.py``; raises OutputError where its files cannot be written."""
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
        """The latest render that was started with this folder, by whatever app; None where there was none."""
        try:
            facts: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            return cls(folder, _State(**facts))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def output(self) -> Path:
        """The folder rendered into."""
        return Path(self._state.output)

    @property
    def was_stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._state.was_stopped

    @property
    def is_concluded(self) -> bool:
        """Whether its end was noted by `conclude`."""
        return self._state.is_concluded

    def is_running(self) -> bool:
        """Whether the process still runs; another one of its number does not count."""
        if self._process is not None:
            return self._process.poll() is None
        return self._state.start is not None and process_start(self._state.pid) == self._state.start

    def memory(self) -> int | None:
        """Bytes that the process has resident; None where nobody says."""
        return resident_memory(self._state.pid) if self.is_running() else None

    def stop(self) -> None:
        """Tell the process to end after the frames at hand, as Ctrl-C does."""
        self._change(was_stopped=True)
        if self.is_running():
            interrupt_process(self._state.pid)

    def kill(self) -> None:
        """End the process at once; finished frames stay, and the render can be continued."""
        if self.is_running():
            kill_process(self._state.pid)

    def conclude(self) -> None:
        """Note that the end of the process has been seen."""
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
    """This process's environment, in which Python finds the same Howard."""
    package = str(Path(howard.__file__).parents[1])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, known]))}
