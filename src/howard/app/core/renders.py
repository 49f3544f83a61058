"""The queue of renders: one at a time, each in a process of its own that goes on when the app ends."""

import contextlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from howard.app.core.clips import ClipCache
from howard.app.core.command import arguments, farm_job, render_job
from howard.app.core.painted_masks import write_masks
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.render_process import PROGRAM, RenderProcess
from howard.app.core.render_status import Outcome, RenderStatus, finished_frames
from howard.errors import HowardError, OutputError
from howard.media.files import make_folder, write_atomically
from howard.pipeline import JobBundle, write_job

# Seconds between two looks at the render that runs.
_INTERVAL = 0.3
# Seconds that a render has to write its frames at hand before its process is ended.
_PATIENCE = 60.0
# A pair's state in the project, by that of its render.
_PAIR_STATES = {"stopped": "previewed", "done": "done", "needs_a_look": "needs_a_look", "error": "error"}


class Request(NamedTuple):
    """A render that was asked for: frames from ``first`` to ``last``, those of the pair's marks where None.

    ``restart`` begins anew where the folder holds a render with other settings.
    """

    pair_id: str
    first: int | None = None
    last: int | None = None
    restart: bool = False


class RenderQueue:
    """Renders the pairs of a project one after the other; what waits and what runs is found again by the next app.

    Safe to use from several threads; the pairs' states and messages in the project follow their renders.

    Args:
        project: whose pairs are rendered.
        program: what is started, followed by the arguments of ``infer.py``.
    """

    def __init__(self, project: Project, *, program: Sequence[str] = PROGRAM) -> None:
        self._project = project
        self._program = program
        self._clips = ClipCache()
        self._lock = threading.RLock()
        self._waiting: list[Request] = self._load_waiting()
        self._preparing: str | None = None
        self._is_abandoned = False
        self._renders = {pair.id: render for pair in project.pairs if (render := self._find(pair.id))}
        for pair in project.pairs:
            if pair.state == "rendering" and pair.id not in self._renders:
                self._tell(pair.id, "new", "")  # The project was moved without the files beside it.
        self._known_frames: dict[Path, dict[int, str]] = {}
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renders", daemon=True)
        self._thread.start()

    def enqueue(self, pair_id: str, first: int | None = None, last: int | None = None, restart: bool = False) -> None:
        """Render a pair when its turn comes, or go on with a render that was stopped; see `Request`.

        A pair that waits or is being rendered already is left as it is. Raises KeyError for an unknown pair.
        """
        self._project.pair(pair_id)
        with self._lock:
            if self.status(pair_id).state not in ("queued", "preparing", "running", "stopping"):
                self._waiting.append(Request(pair_id, first, last, restart))
                self._save_waiting()

    def cancel(self, pair_id: str) -> None:
        """Take a pair out of the queue, or stop its render; finished frames stay. Waits until its process has ended.

        A process that has not ended after a minute is killed.
        """
        with self._lock:
            self._waiting = [each for each in self._waiting if each.pair_id != pair_id]
            self._save_waiting()
            self._is_abandoned = self._is_abandoned or self._preparing == pair_id
            render = self._renders.get(pair_id)
            if render is None or not render.is_running():
                return
            render.stop()
        deadline = time.monotonic() + _PATIENCE
        while render.is_running():
            if time.monotonic() > deadline:
                render.kill()
            time.sleep(_INTERVAL / 3)
        self._conclude_ended()

    def status(self, pair_id: str) -> RenderStatus:
        """How the render of a pair stands."""
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
            return self._describe(render)

    def write_farm_job(self, pair_id: str, folder: Path) -> JobBundle:
        """Write a pair's render as an Open Job Description bundle into a folder; errors as `howard.write_job`."""
        pair = self._project.pair(pair_id)
        write_masks(self._project, pair)
        return write_job(farm_job(self._project, pair, folder, clips=self._clips), progress=False)

    def close(self) -> None:
        """Stop looking after renders; the one that runs goes on, and the next app finds it."""
        self._is_closed.set()
        self._thread.join()
        self._clips.close()

    def _describe(self, render: RenderProcess) -> RenderStatus:
        render.log.read_on()
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
        # What the folder says is all of it now, and says more.
        status = replace(status, frame_states={**log.frame_states, **self._frames(render.output)})
        outcome = log.outcome(render.was_stopped)
        return replace(status, state=outcome.state, message=outcome.message)

    def _run(self) -> None:
        while not self._is_closed.wait(_INTERVAL):
            self._conclude_ended()
            with self._lock:
                is_free = not any(render.is_running() for render in self._renders.values())
                request = self._waiting.pop(0) if is_free and self._waiting else None
                self._preparing, self._is_abandoned = request and request.pair_id, False
            if request is not None:
                self._start(request)

    def _start(self, request: Request) -> None:
        """Start a render; what cannot be started becomes the pair's error."""
        try:
            pair = self._project.pair(request.pair_id)
        except KeyError:
            news = None  # The pair was removed while it waited.
        else:
            news = self._prepare(request, pair)
        with self._lock:
            self._preparing = None
            self._save_waiting()
        if news is not None:
            self._tell(request.pair_id, news.state, news.message)

    def _prepare(self, request: Request, pair: Pair) -> Outcome | None:
        """Write a pair's masks and start the process of its render; gives the pair's new state."""
        if request.first is not None or request.last is not None:
            pair = replace(pair, first=request.first, last=request.last)
        try:
            job = render_job(self._project, pair, clips=self._clips, restart=request.restart)
            write_masks(self._project, pair, wants_on=self._wants_on)
            return self._begin(request, arguments(job), Path(str(job.output)))
        except HowardError as error:
            return Outcome("error", str(error))

    def _wants_on(self) -> bool:
        return not (self._is_abandoned or self._is_closed.is_set())

    def _begin(self, request: Request, given: Sequence[str], output: Path) -> Outcome | None:
        """Start the process of a render, unless that was cancelled meanwhile; gives the pair's new state."""
        with self._lock:
            if self._is_closed.is_set():
                self._waiting.insert(0, request)
            if not self._wants_on():
                return None
            self._known_frames.pop(output, None)
            if request.restart:
                self._known_frames[output] = {}
            folder = self._folder(request.pair_id)
            self._renders[request.pair_id] = RenderProcess.start(folder, given, output, self._program)
        return Outcome("rendering", "")

    def _conclude_ended(self) -> None:
        """Bring the ends of processes into the project, also of those that ended while no app ran."""
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
            self._tell(pair_id, _PAIR_STATES[outcome.state], outcome.message)

    def _tell(self, pair_id: str, state: str, message: str) -> None:
        with contextlib.suppress(KeyError, OutputError):
            self._project.update(pair_id, state=state, message=message)

    def _frames(self, output: Path) -> dict[int, str]:
        """Statuses of the frames in a folder when it was first asked for, or a render in it began or ended."""
        if output not in self._known_frames:
            self._known_frames[output] = finished_frames(output)
        return self._known_frames[output]

    def _folder(self, pair_id: str) -> Path:
        return self._project.folder / "renders" / pair_id

    def _find(self, pair_id: str) -> RenderProcess | None:
        return RenderProcess.find(self._folder(pair_id))

    @property
    def _queue_file(self) -> Path:
        return self._project.folder / "renders" / "queue.json"

    def _load_waiting(self) -> list[Request]:
        try:
            found = [Request(*each) for each in json.loads(self._queue_file.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []
        known = {pair.id for pair in self._project.pairs}
        return [request for request in found if request.pair_id in known]

    def _save_waiting(self) -> None:
        if self._waiting or self._queue_file.exists():
            make_folder(self._queue_file.parent)
            write_atomically(self._queue_file, json.dumps(self._waiting).encode())
