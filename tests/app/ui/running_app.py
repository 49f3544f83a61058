"""The app in a separate process, and its page in a real browser, for the slow tests."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from howard.app.ui.routes import TILE

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "data" / "sample"
# Timeout in seconds; the preview of a frame takes a few, and much longer on a busy machine.
TIMEOUT = 400
# Folder for screenshots; none are taken if unset.
SCREENSHOTS = os.environ.get("HOWARD_SCREENSHOTS")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class RunningApp(NamedTuple):
    """A running app: its address with the token, the folder of its project, and its process."""

    address: str
    folder: Path
    process: subprocess.Popen[str]

    @property
    def origin(self) -> str:
        """The address without path and token."""
        return self.address.partition("/?")[0]


def browser_path() -> str:
    """Path of a Chromium executable; skips the test if none is installed."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


def environment(folder: Path) -> dict[str, str]:
    """Environment variables of an app that stores its recent projects in ``folder``."""
    variables = {"PYTHONPATH": str(ROOT / "src"), "XDG_CONFIG_HOME": str(folder / "config"), "OMP_NUM_THREADS": "1"}
    return os.environ | variables


@contextmanager
def running_app(folder: Path, *arguments: str) -> Iterator[RunningApp]:
    """Run the app with a project in ``folder``."""
    project = f"project={folder / 'test.howard.json'}"
    command = [sys.executable, "-m", "howard.app", *arguments, project, "browser=false"]
    process = subprocess.Popen(command, env=environment(folder), cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
        assert address is not None, line
        yield RunningApp(address[0], folder, process)
    finally:
        process.terminate()
        process.wait(30)


def wait_for(happens: Callable[[], Any], what: str, timeout: float = TIMEOUT) -> Any:
    """Wait until a condition is true, and return its value."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = happens()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"after {timeout} s not true: {what}")


def find_render_process(shot: str) -> int:
    """Id of the process that renders a shot."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if shot.encode() in command and b"progress=json" in command:
            return int(process.name)
    pytest.skip("processes cannot be listed here")


class Screen:
    """The app's page in one tab, and the actions of the tests."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.picture = ""  # key of the latest image that was loaded
        page.set_default_timeout(1000 * TIMEOUT)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", self._note_picture)
        page.on("response", lambda answer: answer.status >= 400 and self.problems.append(answer.url))

    def open(self, address: str) -> None:
        """Load the page."""
        self.page.goto(address)
        self.page.wait_for_selector(".howard-viewer canvas")

    def wait_for_views(self, *labels: str) -> None:
        """Wait until the viewers show these views."""
        text = "; ".join(f"{label}, ready" for label in labels)
        wait_for(lambda: self.canvas.get_attribute("aria-label") == text, f"the viewers show {text}")
        # Images are loaded and drawn after their views are ready.
        wait_for(lambda: self.level(0.5, 0.25) is not None, "the image is drawn", 30)
        self.page.wait_for_timeout(700)

    def _note_picture(self, request: Any) -> None:
        found = re.search(r"/picture/(\w+)\?side=", request.url)
        self.picture = found[1] if found is not None else self.picture

    def full_resolution(self, key: str, label: str) -> np.ndarray:
        """Display a view, and return its pixels as the page loads them for the largest zoom, (H, W) uint8.

        Args:
            key: keyboard shortcut of the view.
            label: name of the view.
        """
        self.press(key)
        self.wait_for_views(label)
        self.page.reload()  # loads the image again even if the browser has it cached
        self.page.wait_for_selector(".howard-viewer canvas")
        self.wait_for_views(label)
        origin = self.page.url.partition("//")[0] + "//" + self.page.url.split("/")[2]
        rows: list[np.ndarray] = []
        while tiles := self._tiles(origin, len(rows)):
            rows.append(np.hstack(tiles))
        return np.vstack(rows)

    def _tiles(self, origin: str, row: int) -> list[np.ndarray]:
        tiles: list[np.ndarray] = []
        while True:
            answer = self.page.request.get(f"{origin}/picture/{self.picture}/tile/{len(tiles)}/{row}")
            if not answer.ok:
                return tiles
            tiles.append(cv2.imdecode(np.frombuffer(answer.body(), np.uint8), cv2.IMREAD_UNCHANGED))
            assert tiles[-1].shape[0] <= TILE

    def set_up_views(self, layout: str = "Two viewers") -> None:
        """Display the shot and its matte at the first frame, with the pan tool."""
        self.click(layout)
        self.press("Home", "1", "Shift+6", "v", "f")
        self.wait_for_views(*("Shot", "Matte")[: 1 if layout == "One viewer" else 2])

    def add_pair(self, shot: Path, plate: Path) -> None:
        """Add a pair by typing its paths."""
        self.click("Add a shot and its plate")
        self.page.get_by_role("textbox", name="The shot:").fill(str(shot))
        self.page.get_by_role("textbox", name="The plate:").fill(str(plate))
        self.click("Add")

    @property
    def canvas(self) -> Any:
        """The viewers' canvas."""
        return self.page.locator(".howard-viewer canvas")

    def level(self, x: float, y: float, size: int = 5) -> float | None:
        """Mean level in [0, 255] of a square around a relative position in [0, 1] on the canvas; None if empty."""
        script = """(canvas, [x, y, size]) => {
            const context = canvas.getContext("2d");
            const [left, top] = [x * canvas.width - size / 2, y * canvas.height - size / 2];
            const pixels = context.getImageData(left, top, size, size).data;
            let sum = 0, opaque = 0;
            for (let i = 0; i < pixels.length; i += 4) {
                sum += (pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3;
                opaque += pixels[i + 3];
            }
            return opaque ? sum / (size * size) : null;
        }"""
        return self.canvas.evaluate(script, [x, y, size])

    def page_position(self, x: float, y: float) -> tuple[float, float]:
        """Page coordinates of a relative position in [0, 1] on the canvas."""
        box = self.canvas.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def drag(self, *positions: tuple[float, float]) -> None:
        """Drag the mouse through relative positions on the canvas."""
        self.page.mouse.move(*self.page_position(*positions[0]))
        self.page.mouse.down()
        for position in positions[1:]:
            self.page.mouse.move(*self.page_position(*position), steps=6)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        """Press keys one after the other, with a pause for the server after each."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(250)

    def click(self, name: str) -> None:
        """Click a button by its name."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def keep(self, name: str) -> None:
        """Save a screenshot if a folder for them is set."""
        if SCREENSHOTS:
            size = self.page.viewport_size
            path = Path(SCREENSHOTS) / f"{name}_{size['width']}x{size['height']}.png"
            self.page.mouse.move(720, 890)
            self.page.wait_for_timeout(700)  # until tooltips are hidden
            self.page.screenshot(path=str(path))
