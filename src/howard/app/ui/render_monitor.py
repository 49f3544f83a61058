"""Polls the render queue, and notifies all tabs of changed render states."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nicegui import Event

from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.render_queue import RenderQueue
from howard.app.core.render_status import BUSY_STATES, RenderStatus
from howard.app.ui.workspace import Workspace
from howard.errors import SettingsError

# Seconds between two queries of the render states.
_POLL_INTERVAL = 0.5


class RenderMonitor:
    """The renders of the workspace's project. Render processes continue when the app exits.

    Attributes:
        changed: emitted after any status changed.
        finished: emitted with the id of a pair whose render has ended.
        statuses: latest status of each pair's render, by the pair's id.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.changed: Event[[]] = Event()
        self.finished: Event[[str]] = Event()
        self.statuses: dict[str, RenderStatus] = {}
        self._workspace = workspace
        self._project = workspace.project
        self._queue = RenderQueue(self._project)
        # Two queries at a time would both notice, and report, the end of a render.
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Poll until cancelled, then close the queue."""
        try:
            while True:
                await self._poll()
                await asyncio.sleep(_POLL_INTERVAL)
        finally:
            self._queue.close()

    def status(self, pair: Pair | None) -> RenderStatus | None:
        """The latest status of a pair's render; None if unknown."""
        return None if pair is None else self.statuses.get(pair.id)

    def report(self, pair_id: str) -> Path | None:
        """Path of the HTML report of a pair's render; None if there is none."""
        status = self.statuses.get(pair_id)
        return None if status is None or status.report is None else Path(status.report)

    async def start(self, pairs: Iterable[Pair], restart: bool = False) -> None:
        """Queue renders of pairs between their marks.

        Finished frames are kept unless ``restart`` is set, which is required after a change of settings.
        """
        for pair in pairs:
            await asyncio.to_thread(self._queue.enqueue, pair.id, restart=restart)
        await self._poll()

    async def cancel(self, pair: Pair) -> None:
        """Stop a pair's render after the frames in progress."""
        await asyncio.to_thread(self._queue.cancel, pair.id)
        await self._poll()

    async def write_farm_job(self, pair: Pair, folder: Path) -> None:
        """Write a job bundle for a render farm into a folder; raises HowardError if it cannot be written."""
        await asyncio.to_thread(self._queue.write_farm_job, pair.id, folder)

    async def _poll(self) -> None:
        async with self._lock:
            if self._project is not self._workspace.project:
                await asyncio.to_thread(self._queue.close)
                self._project = self._workspace.project
                self._queue, self.statuses = RenderQueue(self._project), {}
            before = self.statuses
            found = await asyncio.to_thread(_read_statuses, self._queue, self._project)
            if found == before:
                return
            self.statuses = found
            self.changed.emit()
            for pair_id, status in found.items():
                if pair_id in before and before[pair_id].state in BUSY_STATES and status.state not in BUSY_STATES:
                    self.finished.emit(pair_id)


def _read_statuses(queue: RenderQueue, project: Project) -> dict[str, RenderStatus]:
    """The status of every pair's render, without pairs that are removed in the meantime."""
    found = {}
    for pair in project.pairs:
        with suppress(KeyError, SettingsError):
            found[pair.id] = queue.status(pair.id)
    return found
