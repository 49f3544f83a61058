"""The render queue: renders run one at a time, each in a separate process that continues when the app exits."""

import contextlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from howard.app.core.clips import ClipCache
from howard.app.core.painted_masks import write_masks
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.render_command import farm_job, job_arguments, render_job
from howard.app.core.render_process import PROGRAM, RenderProcess
from howard.app.core.render_status import BUSY_STATES, Outcome, RenderStatus, finished_frames
from howard.errors import HowardError, OutputError
from howard.media.files import make_folder, write_atomically
from howard.pipeline import JobBundle, write_job

# Seconds between two checks of the running render.
_INTERVAL = 0.3
# Seconds after a stop request in which a render may finish its frames in progress before it is killed.
_STOP_TIMEOUT = 60.0
# State of a pair in the project by the state of its ended render.
_PAIR_STATES = {"stopped": "previewed", "done": "done", "needs_a_look": "needs_a_look", "error": "error"}


class RenderRequest(NamedTuple):
    """A queued render of frames ``first`` to ``last``; None means the pair's marks.

    ``restart`` overwrites a render with different settings in the same folder.
    """

    pair_id: str
    first: int | None = None
    last: int | None = None
    restart: bool = False


class RenderQueue:
    """Renders the pairs of a project one after the other; queued and running renders persist across apps.

    Safe to use from several threads. The states and messages of the pairs in the project are kept up to date.

    Args:
        project: project whose pairs are rendered.
        program: command of the render process, followed by the arguments of ``infer.py``.
    """

    def __init__(self, project: Project, *, program: Sequence[str] = PROGRAM) -> None:
        self._project = project
        self._program = program
        self._clips = ClipCache()
        self._lock = threading.RLock()
        self._waiting: list[RenderRequest] = self._load_waiting()
        self._preparing: str | None = None
        self._is_cancelled = False
        self._renders = {pair.id: render for pair in project.pairs if (render := self._find_render(pair.id))}
        for pair in project.pairs:
            if pair.state == "rendering" and pair.id not in self._renders:
                # The project file was moved without its folder.
                self._set_pair_state(pair.id, "new", "")
        self._known_frames: dict[Path, dict[int, str]] = {}
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renders", daemon=True)
        self._thread.start()

    def enqueue(self, pair_id: str, first: int | None = None, last: int | None = None, restart: bool = False) -> None:
        """Queue a pair's render, or the continuation of a stopped render; see `RenderRequest`.

        Does nothing if the pair is queued or being rendered. Raises KeyError for an unknown pair.
        """
        self._project.pair(pair_id)
        with self._lock:
            if self.status(pair_id).state not in BUSY_STATES:
                self._waiting.append(RenderRequest(pair_id, first, last, restart))
                self._save_waiting()

    def cancel(self, pair_id: str) -> None:
        """Remove a pair from the queue, or stop its render and wait until its process has ended.

        Finished frames are kept. A process that has not ended after a minute is killed.
        """
        with self._lock:
            self._waiting = [each for each in self._waiting if each.pair_id != pair_id]
            self._save_waiting()
            self._is_cancelled = self._is_cancelled or self._preparing == pair_id
            render = self._renders.get(pair_id)
            if render is None or not render.is_running():
                return
            render.stop()
        deadline = time.monotonic() + _STOP_TIMEOUT
        while render.is_running():
            if time.monotonic() > deadline:
                render.kill()
            time.sleep(_INTERVAL / 3)
        self._record_ended()

    def status(self, pair_id: str) -> RenderStatus:
        """Status of a pair's render."""
        with self._lock:
            output = self._project.output_folder(self._project.pair(pair_id))
            render = self._renders.get(pair_id)
            if any(each.pair_id == pair_id for each in self._waiting):
                return RenderStatus("queued", output=output, frame_states=self._frames(output))
            if self._preparing == pair_id:
                message = "writing the painted masks"
                return RenderStatus("preparing", message=message, output=output, frame_states=self._frames(output))
            if render is None:
                return RenderStatus(output=output, frame_states=self._frames(output))
            return self._process_status(render)

    def write_farm_job(self, pair_id: str, folder: Path) -> JobBundle:
        """Write a pair's render as an Open Job Description bundle into a folder; errors as in `howard.write_job`."""
        pair = self._project.pair(pair_id)
        write_masks(self._project, pair)
        return write_job(farm_job(self._project, pair, folder, clips=self._clips), progress=False)

    def close(self) -> None:
        """Stop the queue; a running render continues, and the next app finds it."""
        self._is_closed.set()
        self._thread.join()
        self._clips.close()

    def _process_status(self, render: RenderProcess) -> RenderStatus:
        render.log.read_new_lines()
        log, running = render.log, render.is_running()
        report = log.finished.get("report") if log.finished else None
        status = RenderStatus(
            state="stopping" if render.was_stopped else "running",
            done=log.done,
            total=log.total,
            frames_per_second=log.frames_per_second,
            seconds_left=log.seconds_left if running else None,
            memory_bytes=render.memory(),
            message=log.message,
            output=render.output,
            report=Path(report) if report else None,
            frame_states={**self._frames(render.output), **log.frame_states},
        )
        if running:
            return status
        # The records in the folder are complete now, and include damaged frames.
        status = replace(status, frame_states={**log.frame_states, **self._frames(render.output)})
        outcome = log.outcome(render.was_stopped)
        return replace(status, state=outcome.state, message=outcome.message)

    def _run(self) -> None:
        while not self._is_closed.wait(_INTERVAL):
            self._record_ended()
            with self._lock:
                is_free = not any(render.is_running() for render in self._renders.values())
                request = self._waiting.pop(0) if is_free and self._waiting else None
                self._preparing, self._is_cancelled = request and request.pair_id, False
            if request is not None:
                self._start(request)

    def _start(self, request: RenderRequest) -> None:
        """Start a render; an error is stored in the pair."""
        try:
            pair = self._project.pair(request.pair_id)
        except KeyError:
            outcome = None  # The pair was removed while it waited.
        else:
            outcome = self._prepare(request, pair)
        with self._lock:
            self._preparing = None
            self._save_waiting()
        if outcome is not None:
            self._set_pair_state(request.pair_id, outcome.state, outcome.message)

    def _prepare(self, request: RenderRequest, pair: Pair) -> Outcome | None:
        """Write a pair's masks and start its render process; returns the new state of the pair."""
        if request.first is not None or request.last is not None:
            pair = replace(pair, first=request.first, last=request.last)
        try:
            job = render_job(self._project, pair, clips=self._clips, restart=request.restart)
            write_masks(self._project, pair, should_continue=self._should_continue)
            return self._start_process(request, job_arguments(job), Path(str(job.output)))
        except HowardError as error:
            return Outcome("error", str(error))

    def _should_continue(self) -> bool:
        return not (self._is_cancelled or self._is_closed.is_set())

    def _start_process(self, request: RenderRequest, arguments: Sequence[str], output: Path) -> Outcome | None:
        """Start a render process unless the request was cancelled meanwhile; returns the new state of the pair."""
        with self._lock:
            if self._is_closed.is_set():
                self._waiting.insert(0, request)
            if not self._should_continue():
                return None
            self._known_frames.pop(output, None)
            if request.restart:
                self._known_frames[output] = {}
            folder = self._folder(request.pair_id)
            self._renders[request.pair_id] = RenderProcess.start(folder, arguments, output, self._program)
        return Outcome("rendering", "")

    def _record_ended(self) -> None:
        """Store the results of ended processes in the project, including those that ended while no app was running."""
        with self._lock:
            ended = {
                pair_id: render
                for pair_id, render in self._renders.items()
                if not render.is_concluded and not render.is_running()
            }
            outcomes: dict[str, Outcome] = {}
            for pair_id, render in ended.items():
                outcomes[pair_id] = render.log.outcome(render.was_stopped)
                self._known_frames.pop(render.output, None)
                render.conclude()
        for pair_id, outcome in outcomes.items():
            self._set_pair_state(pair_id, _PAIR_STATES[outcome.state], outcome.message)

    def _set_pair_state(self, pair_id: str, state: str, message: str) -> None:
        with contextlib.suppress(KeyError, OutputError):
            self._project.update(pair_id, state=state, message=message)

    def _frames(self, output: Path) -> dict[int, str]:
        """Cached `finished_frames` of a folder; a render that starts or ends in the folder resets it."""
        if output not in self._known_frames:
            self._known_frames[output] = finished_frames(output)
        return self._known_frames[output]

    def _folder(self, pair_id: str) -> Path:
        return self._project.folder / "renders" / pair_id

    def _find_render(self, pair_id: str) -> RenderProcess | None:
        return RenderProcess.find(self._folder(pair_id))

    @property
    def _queue_file(self) -> Path:
        return self._project.folder / "renders" / "queue.json"

    def _load_waiting(self) -> list[RenderRequest]:
        try:
            found = [RenderRequest(*each) for each in json.loads(self._queue_file.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []
        known = {pair.id for pair in self._project.pairs}
        return [request for request in found if request.pair_id in known]

    def _save_waiting(self) -> None:
        if self._waiting or self._queue_file.exists():
            make_folder(self._queue_file.parent)
            write_atomically(self._queue_file, json.dumps(self._waiting).encode())
