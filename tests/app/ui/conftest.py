"""Fixtures of the browser tests: the app with the sample clip, Chromium, and the app's page at two screen sizes.

Imports that need the packages of the app are in the fixtures, so that the tests can be collected without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.app.ui.running_app import RunningApp, Screen

SIZES = [(1440, 900), (1920, 1080)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    from tests.app.ui.running_app import SAMPLE, running_app

    folder = tmp_path_factory.mktemp("app")
    with running_app(folder, str(SAMPLE / "shot.mp4"), str(SAMPLE / "plate.mp4")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from tests.app.ui.running_app import browser_path

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def screen(request: pytest.FixtureRequest, app: RunningApp, chromium: Any) -> Iterator[Screen]:
    from tests.app.ui.running_app import Screen

    width, height = request.param
    page = chromium.new_page(viewport={"width": width, "height": height})
    tab = Screen(page)
    tab.open(app.address)
    yield tab
    tab.keep(f"end_of_{request.node.originalname}")
    page.close()
    assert tab.problems == []
