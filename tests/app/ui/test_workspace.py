"""The page's shared state: keys of requested images, and thumbnails beside the display."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("nicegui")
from howard.app.core.project import Project
from howard.app.core.strokes import Point, Stroke
from howard.app.ui.workspace import Workspace
from tests.small_clips import small_clip


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    project = Project.open(tmp_path / "a.howard.json")
    shot = small_clip(tmp_path / "shot.mp4", 0, 4)
    pair = project.add_pair(shot, small_clip(tmp_path / "plate.mp4", 0, 2, clip="plate.mp4"))
    opened = Workspace(project)
    opened.display = replace(opened.display, pair_id=pair.id, number=1)
    yield opened
    opened.stop()


def test_requests_change_with_the_settings_of_the_pair_and_with_nothing_else(workspace: Workspace) -> None:
    def version() -> str:
        assert workspace.pair is not None
        return workspace._make_request(workspace.pair, "matte").version

    first = version()
    workspace.update(state="previewed", message="a message")
    assert version() == first
    workspace.set_option("choke", 2.0)
    choked = version()
    workspace.update(strokes=(Stroke("remove", 1, (Point(3, 4),), 5),))
    painted = version()
    assert len({first, choked, painted}) == 3
    workspace.update(strokes=())
    workspace.set_option("choke", 0.0)
    assert version() == first


def test_thumbnails_and_displayed_frames_do_not_wait_for_each_other(workspace: Workspace) -> None:
    pair = workspace.pair
    assert pair is not None
    clip = workspace.clips.open(pair.shot, pair.render_options())
    is_read, may_end = threading.Event(), threading.Event()

    class SlowReader:
        """Replaces the reader of the displayed frames while one of them is being decoded."""

        info = clip._reader.info

        def __getitem__(self, index: int) -> None:
            is_read.set()
            assert may_end.wait(60)

        def close(self) -> None:
            """The real reader is closed with its clip."""

    clip._reader = SlowReader()  # type: ignore[assignment]
    with ThreadPoolExecutor(2) as threads:
        displayed = threads.submit(clip.frame, 1)
        assert is_read.wait(60)
        thumbnail = threads.submit(workspace.thumbnail, pair.id, 2, 64).result(60)
        assert not displayed.done()
        may_end.set()
    assert thumbnail is not None
    assert thumbnail.shape == (36, 64, 3)
    assert workspace.thumbnail("another", 1, 64) is None
