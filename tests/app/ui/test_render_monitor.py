"""The end of a render is reported once, however many queries run when it ends."""

import asyncio
import time
from pathlib import Path

import pytest

pytest.importorskip("nicegui")
from howard.app.core.project import Project
from howard.app.core.render_status import RenderStatus
from howard.app.ui import render_monitor
from howard.app.ui.render_monitor import RenderMonitor
from howard.app.ui.workspace import Workspace


class Queue:
    """Replaces the render queue: the status of every pair is ``state``, and a query takes some time."""

    state = "running"

    def __init__(self, project: Project) -> None:
        self.project = project

    def status(self, pair_id: str) -> RenderStatus:
        state = self.state
        time.sleep(0.05)
        return RenderStatus(state)

    def close(self) -> None:
        """Nothing to stop."""


def test_concurrent_queries_report_the_end_of_a_render_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(render_monitor, "RenderQueue", Queue)
    project = Project.open(tmp_path / "a.howard.json")
    pair = project.add_pair(tmp_path / "shot.mov", tmp_path / "plate.mov")
    workspace = Workspace(project)
    monitor = RenderMonitor(workspace)
    ended: list[str] = []
    monitor.finished.subscribe(ended.append)

    async def render() -> None:
        await monitor._poll()
        assert monitor.status(pair) == RenderStatus("running")
        monkeypatch.setattr(Queue, "state", "done")
        await asyncio.gather(*(monitor._poll() for _ in range(3)))

    asyncio.run(render())
    assert monitor.status(pair) == RenderStatus("done")
    assert ended == [pair.id]
    workspace.stop()
