"""The project's renders as the page sees them: their states, followed for all tabs, and what can be done to them."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nicegui import Event

from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.render_status import RenderStatus
from howard.app.core.renders import RenderQueue
from howard.app.ui.workspace import Workspace
from howard.errors import SettingsError

BUSY = ("queued", "preparing", "running", "stopping")
# Seconds between looks at the renders' states.
_POLL_INTERVAL = 0.5


class Renders:
    """Follows the renders of the workspace's project. Renders are processes that go on without the app."""

    def __init__(self, workspace: Workspace) -> None:
        self.changed: Event[[]] = Event()
        # Told with the id of the pair whose render ended.
        self.finished: Event[[str]] = Event()
        self.statuses: dict[str, RenderStatus] = {}
        self._workspace = workspace
        self._project = workspace.project
        self._queue = RenderQueue(self._project)

    async def follow(self) -> None:
        """Watch the states until cancelled."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(_POLL_INTERVAL)
        finally:
            self._queue.close()

    def status(self, pair: Pair | None) -> RenderStatus | None:
        """The state of a pair's render, as last seen."""
        return None if pair is None else self.statuses.get(pair.id)

    def report(self, pair_id: str) -> Path | None:
        """The page that shows how a pair's render came out, once there is one."""
        status = self.statuses.get(pair_id)
        return None if status is None or status.report is None else Path(status.report)

    async def start(self, pairs: Iterable[Pair], restart: bool = False) -> None:
        """Render pairs, one after the other, from mark to mark.

        What is finished is not rendered again, but with ``restart``, which settings that changed need.
        """
        for pair in pairs:
            await asyncio.to_thread(self._queue.enqueue, pair.id, restart=restart)
        await self._look()

    async def cancel(self, pair: Pair) -> None:
        """Stop a pair's render after the frames in progress."""
        await asyncio.to_thread(self._queue.cancel, pair.id)
        await self._look()

    async def write_farm_job(self, pair: Pair, folder: Path) -> None:
        """Write a job bundle for a render farm into a folder; raises HowardError where that does not work."""
        await asyncio.to_thread(self._queue.write_farm_job, pair.id, folder)

    async def _look(self) -> None:
        if self._project is not self._workspace.project:
            await asyncio.to_thread(self._queue.close)
            self._project = self._workspace.project
            self._queue, self.statuses = RenderQueue(self._project), {}
        queue, known = self._queue, self.statuses
        found = await asyncio.to_thread(_statuses, queue, self._project)
        if queue is not self._queue or found == known:
            return
        self.statuses = found
        self.changed.emit()
        for pair_id, status in found.items():
            if pair_id in known and known[pair_id].state in BUSY and status.state not in BUSY:
                self.finished.emit(pair_id)


def _statuses(queue: RenderQueue, project: Project) -> dict[str, RenderStatus]:
    """The state of every pair's render; a pair that is taken out meanwhile has none."""
    found = {}
    for pair in project.pairs:
        with suppress(KeyError, SettingsError):
            found[pair.id] = queue.status(pair.id)
    return found
