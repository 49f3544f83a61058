"""The app in a real browser: preview, wipe, painting, edge controls, rendering, cancelling, resuming and the report."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

pytest.importorskip("nicegui")
pytest.importorskip("playwright")
from tests.app.ui.running_app import SAMPLE, RunningApp, Screen, find_render_process, wait_for
from tests.small_clips import small_clip

pytestmark = pytest.mark.slow


def test_all_views_differ(screen: Screen) -> None:
    screen.set_up_views()
    screen.keep("matte")
    screen.click("One viewer")
    seen = []
    labels = ["Shot", "Plate frame", "Aligned plate", "Difference", "Coverage"]
    for digit, label in enumerate([*labels, "Matte", "Foreground", "Composite", "Shadow"], start=1):
        screen.press(str(digit))
        screen.wait_for_views(label)
        screen.keep(f"view{digit}")
        seen.append([screen.level(x / 8, y / 8) for x in range(2, 7) for y in range(2, 7)])
    assert all(first != second for index, first in enumerate(seen) for second in seen[:index])


def test_the_wipe_shows_one_view_on_each_side(screen: Screen) -> None:
    screen.set_up_views("A/B wipe")
    person, background = (0.5, 0.6), (0.9, 0.3)
    before = screen.level(*background)
    assert before == pytest.approx(0, abs=3)
    assert screen.level(*person) is not None
    screen.drag((0.5, 0.5), (0.95, 0.5))
    screen.page.wait_for_timeout(300)
    after = screen.level(*background)
    assert after is not None
    assert after > 40
    screen.keep("wipe")
    screen.press(*[","] * 18)
    assert screen.level(*background) == pytest.approx(0, abs=3)


def test_a_remove_stroke_sets_alpha_to_0_and_undo_restores_it(screen: Screen) -> None:
    screen.set_up_views("One viewer")
    screen.press("6")
    screen.wait_for_views("Matte")
    person = (0.5, 0.75)
    assert screen.level(*person) == pytest.approx(255, abs=3)
    screen.page.get_by_role("tab", name="Paint").click()
    screen.press("r")
    screen.drag((0.46, 0.75), (0.54, 0.75))
    screen.page.wait_for_timeout(600)
    screen.keep("stroke")
    screen.press("v")
    screen.wait_for_views("Matte")
    assert screen.level(*person) == pytest.approx(0, abs=3)
    screen.keep("removed")
    screen.press("Control+z")
    wait_for(lambda: (screen.level(*person) or 0) > 250, "undo restores alpha")
    screen.press("Control+Shift+Z")
    wait_for(lambda: (screen.level(*person) or 0) < 5, "redo sets alpha to 0")
    screen.press("Control+z")
    wait_for(lambda: (screen.level(*person) or 0) > 250, "undo restores alpha")


def test_choke_is_previewed_and_reset_by_a_double_click(screen: Screen) -> None:
    screen.set_up_views("One viewer")
    screen.press("6")
    screen.wait_for_views("Matte")

    def area() -> float:
        return sum((screen.level(x / 64, 0.7, 3) or 0) for x in range(16, 48))

    whole = area()
    number = screen.page.locator("input[type=number][aria-label^=choke]")
    number.fill("12")
    wait_for(lambda: area() < whole - 100, "the matte is smaller")
    screen.keep("choke")
    screen.page.locator(".howard-label", has_text="choke").dblclick()
    wait_for(lambda: area() == whole, "the matte is as it was")
    assert number.input_value() == "0"
    box = screen.page.locator("[role=slider][aria-label^=choke]").bounding_box()
    assert box is not None
    # The first press of the double-click moves the slider.
    screen.page.mouse.dblclick(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    screen.page.wait_for_timeout(1000)
    wait_for(lambda: number.input_value() == "0", "the slider is reset")
    wait_for(lambda: area() == whole, "the matte is as it was")


@pytest.mark.parametrize("screen", [(1440, 900)], indirect=True)  # rendering does not depend on the size
def test_render_cancel_resume_and_report(screen: Screen, app: RunningApp) -> None:
    output = app.folder / "renders" / "shot"
    shutil.rmtree(output, ignore_errors=True)  # from another test or screen size
    screen.set_up_views()
    screen.press("Home", "i", *["ArrowRight"] * 5, "o")
    screen.page.get_by_text("Outputs", exact=True).click()
    prores = screen.page.get_by_role("checkbox", name="prores")
    if prores.get_attribute("aria-checked") != "true":
        prores.click()
    screen.page.wait_for_timeout(500)
    screen.click("Render")
    line = screen.page.locator(".howard-queue [role=status]")
    wait_for(
        lambda: "of 6 frames" in line.inner_text() and not line.inner_text().startswith("0"), "frames are rendered"
    )
    screen.keep("rendering")
    screen.page.reload()
    screen.page.wait_for_selector(".howard-viewer canvas")
    line = screen.page.locator(".howard-queue [role=status]")
    wait_for(lambda: "of 6 frames" in line.inner_text(), "the render is shown after the page was reloaded")
    screen.click("Cancel")
    wait_for(lambda: "stopped" in line.inner_text() or "done" in line.inner_text(), "the render ends")
    if "stopped" in line.inner_text():
        assert len(list(output.glob("*.png"))) < 6
        screen.page.locator(".q-notification", has_text="shot: stopped").wait_for()
        # A number would mean that the same message was sent more than once.
        assert screen.page.locator(".q-notification__badge").count() == 0
        screen.keep("stopped")
        screen.click("Resume")
    wait_for(lambda: line.inner_text().startswith(("done", "needs review")), "the render is done")
    assert sorted(path.name for path in output.glob("*.png")) == [f"shot.{number:04d}.png" for number in range(1, 7)]
    with av.open(str(output / "shot.mov")) as movie:
        assert sum(1 for _ in movie.decode(video=0)) == 6
    screen.click("Report")
    report = screen.page.frame_locator("iframe")
    report.locator("h1, h2").first.wait_for()
    screen.page.wait_for_timeout(1500)
    screen.keep("report")
    screen.page.locator(".howard-report").get_by_role("button", name="Close").click()
    report.locator("body").wait_for(state="detached")
    screen.keep("done")
    screen.click("Clear the marks")


@pytest.mark.parametrize("screen", [(1920, 1080)], indirect=True)  # rendering does not depend on the size
def test_the_displayed_matte_equals_the_rendered_one_also_after_start_over(screen: Screen, app: RunningApp) -> None:
    screen.set_up_views("One viewer")
    screen.press("Home", "i", "o")
    line = screen.page.locator(".howard-queue [role=status]")

    def render(button: str) -> np.ndarray:
        """Press the button, and return the rendered alpha of the first frame, (H, W) uint8."""
        before = path.stat().st_mtime_ns if path.is_file() else 0
        screen.click(button)
        if button == "Start over":
            screen.page.get_by_role("dialog").get_by_role("button", name="Start over").click()
        wait_for(lambda: path.is_file() and path.stat().st_mtime_ns > before, "the frame is written")
        wait_for(lambda: line.inner_text().startswith(("done", "needs review")), "the render is done")
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert image is not None
        return image[..., 3]

    path = app.folder / "renders" / "shot" / "shot.0001.png"
    button = "Render"
    if path.is_file():  # rendered by another test of this app
        button = "Start over"
    whole = render(button)
    np.testing.assert_array_equal(screen.full_resolution("6", "Matte"), whole)
    screen.page.locator("input[type=number][aria-label^=choke]").fill("4")
    choked = render("Start over")
    assert choked.sum() < whole.sum() - 255 * 200
    np.testing.assert_array_equal(screen.full_resolution("6", "Matte"), choked)
    screen.keep("started_over")
    screen.page.locator(".howard-label", has_text="choke").dblclick()
    screen.click("Clear the marks")


def test_two_tabs_show_one_state(screen: Screen, app: RunningApp, chromium: Any) -> None:
    screen.set_up_views()
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    other = Screen(page)
    other.open(app.address)
    other.press("ArrowRight", "ArrowRight", "ArrowRight")
    frame = screen.page.locator(".howard-frame")
    wait_for(lambda: frame.inner_text() == "Frame 4 / 36", "the first tab follows", 20)
    screen.page.locator("input[type=number][aria-label^=feather]").fill("3")
    field = page.locator("input[type=number][aria-label^=feather]")
    wait_for(lambda: field.input_value() == "3", "the second tab follows", 20)
    screen.page.locator(".howard-label", has_text="feather").dblclick()
    wait_for(lambda: field.input_value() == "0", "the second tab follows", 20)
    page.close()
    assert other.problems == []


def test_an_unreadable_file_is_named_with_a_help_button(screen: Screen, app: RunningApp) -> None:
    wrong = app.folder / "notes.mp4"
    wrong.write_text("not a video")
    screen.add_pair(wrong, SAMPLE / "plate.mp4")
    row = screen.page.locator(".howard-pair", has_text="notes")
    row.locator(".howard-message", has_text="notes.mp4").wait_for()
    screen.keep("wrong_file")
    row.get_by_role("button", name="Help with this").click()
    screen.page.locator(".howard-help").get_by_text("First steps").first.wait_for()
    screen.keep("help")
    screen.page.locator(".howard-help").get_by_role("button", name="Colour").click()
    with screen.page.expect_popup() as opened:
        screen.page.get_by_role("link", name="More in the documentation").click()
    page = opened.value
    heading = page.get_by_role("heading", name="Colour", exact=True)
    heading.wait_for()
    assert page.url.endswith("/docs/formats.md#colour")
    wait_for(lambda: -10 < heading.bounding_box()["y"] < 300, "the page is scrolled to the heading")
    page.get_by_role("link", name="Compositing the frames").wait_for()
    page.close()
    screen.click("Close")
    row.get_by_role("button", name="Remove notes from the project (files are kept)").click()
    row.wait_for(state="detached")


@pytest.mark.parametrize("screen", [(1920, 1080)], indirect=True)  # rendering does not depend on the size
def test_a_killed_render_process_is_an_error_of_its_pair(screen: Screen, app: RunningApp, tmp_path: Path) -> None:
    shot = small_clip(tmp_path / "crash.mp4", 0, 30)
    screen.add_pair(shot, small_clip(tmp_path / "crash_plate.mp4", 0, 30, clip="plate.mp4"))
    screen.page.locator(".howard-chosen", has_text="crash").wait_for()
    screen.click("Render")
    line = screen.page.locator(".howard-queue [role=status]")
    wait_for(lambda: "of 30 frames" in line.inner_text(), "frames are rendered")
    os.kill(find_render_process("crash.mp4"), signal.SIGKILL)
    screen.page.locator(".howard-chosen .howard-message", has_text="ended unexpectedly").wait_for()
    screen.keep("crashed")
    screen.page.locator(".howard-pair", has_text="shot").first.click()
    screen.wait_for_views("Shot", "Matte")
