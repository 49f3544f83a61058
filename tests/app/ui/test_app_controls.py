"""The app's page with keyboard alone, linked zoom and pan, and writing into chosen folders, in a real browser."""

import re
from pathlib import Path

import pytest

pytest.importorskip("nicegui")
pytest.importorskip("playwright")
from howard.media import open_reader
from tests.app.ui.running_app import SAMPLE, RunningApp, Screen, wait_for
from tests.small_clips import small_clip

pytestmark = pytest.mark.slow
# Accessible name of the focused element; icons are hidden from screen readers.
NAME_OF_FOCUS = """() => {
    const copy = document.activeElement.cloneNode(true);
    copy.querySelectorAll("i").forEach((icon) => icon.remove());
    return document.activeElement.getAttribute("aria-label") || copy.textContent.trim();
}"""


def test_every_control_can_be_focused_with_tab_and_has_a_name(screen: Screen) -> None:
    screen.set_up_views()
    screen.page.get_by_text("Outputs", exact=True).click()
    names = []
    for _ in range(90):
        screen.page.keyboard.press("Tab")
        names.append(screen.page.evaluate(NAME_OF_FOCUS))
    assert "" not in names
    wanted = {"Render", "Left viewer", "Right viewer", "Add a shot and its plate", "png", "Copy as command"}
    assert wanted <= set(names)
    assert any(name.startswith("choke: ") for name in names)
    screen.page.locator(".howard-view input").first.focus()
    screen.press("Enter", "ArrowDown", "ArrowDown", "Enter")
    wait_for(lambda: "Aligned plate" in screen.canvas.get_attribute("aria-label"), "the view is chosen with keys")
    screen.page.locator("[role=slider][aria-label^='feather'] [tabindex='0']").focus()
    screen.press("ArrowRight")
    field = screen.page.locator("input[type=number][aria-label^=feather]")
    wait_for(lambda: float(field.input_value()) == 0.5, "the slider is moved with keys")
    screen.page.locator(".howard-label", has_text="feather").dblclick()
    wait_for(lambda: float(field.input_value()) == 0, "the slider is reset")


def tab_to(screen: Screen, name: str) -> None:
    """Press Tab until the control whose accessible name begins with ``name`` has the focus."""
    for _ in range(120):
        if screen.page.evaluate(NAME_OF_FOCUS).startswith(name):
            return
        screen.page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached with Tab")


@pytest.mark.parametrize("screen", [(1440, 900)], indirect=True)  # rendering does not depend on the size
def test_a_pair_is_added_played_and_rendered_with_the_keyboard_alone(
    screen: Screen, app: RunningApp, tmp_path: Path
) -> None:
    # The render folder has the name of the shot.
    name = f"keys{screen.page.viewport_size['width']}"
    shot = small_clip(tmp_path / f"{name}.mp4", 0, 8)
    plate = small_clip(tmp_path / f"{name}_plate.mp4", 0, 8, clip="plate.mp4")
    tab_to(screen, "Add a shot and its plate")
    screen.press("Enter")
    screen.page.get_by_role("dialog").wait_for()
    for field, path in (("The shot:", shot), ("The plate:", plate)):
        tab_to(screen, field)
        screen.page.keyboard.type(str(path))
    tab_to(screen, "Add")
    screen.press("Enter")
    screen.page.locator(".howard-chosen", has_text=name).wait_for()
    frame = screen.page.locator(".howard-frame")
    tab_to(screen, "Timeline")
    screen.press("Home", "1")
    screen.press("Space")
    wait_for(lambda: frame.inner_text() != "Frame 1 / 8", "frames are played")
    screen.press("Space", "Home")
    wait_for(lambda: frame.inner_text() == "Frame 1 / 8", "playing has stopped")
    screen.press("i", "ArrowRight", "o", "Control+Enter")
    line = screen.page.locator(".howard-queue [role=status]")
    wait_for(lambda: line.inner_text() == "done · 2 of 2 frames", "two frames are rendered")
    screen.press("Home")
    wait_for(lambda: "rendered" in timeline_text(screen), "the timeline says that the frame is rendered")
    screen.keep("keyboard")
    tab_to(screen, "Report")
    screen.press("Enter")
    screen.page.frame_locator("iframe").locator("h1, h2").first.wait_for()
    screen.press("Escape")
    screen.page.locator("iframe").wait_for(state="detached")
    tab_to(screen, f"Remove {name}")
    screen.press("Enter")
    screen.page.locator(".howard-pair", has_text=name).wait_for(state="detached")


def timeline_text(screen: Screen) -> str:
    """What a screen reader says about the current frame."""
    text = screen.page.locator(".howard-scrubber canvas").get_attribute("aria-valuetext")
    assert text is not None
    return text


def test_zoom_and_pan_are_linked_and_values_are_those_of_the_pixels(screen: Screen) -> None:
    with open_reader(SAMPLE / "shot.mp4") as reader:
        image = reader[0].image
    screen.set_up_views()

    def values(x: float, y: float) -> tuple[int, int, list[int], int]:
        """Pixel position and values of shot and matte at a relative position on the canvas."""
        screen.page.mouse.move(*screen.page_position(x, y), steps=4)
        screen.page.wait_for_timeout(400)
        screen.page.mouse.move(*(each + 0.1 for each in screen.page_position(x, y)))
        screen.page.wait_for_timeout(400)
        pattern = r"(\d+), (\d+) +A: (\d+) (\d+) (\d+) +B: (\d+)"
        text = screen.page.locator(".howard-values").inner_text()
        found = re.fullmatch(pattern, text.strip())
        assert found is not None, text
        column, row, *levels, alpha = map(int, found.groups())
        return column, row, levels, alpha

    # The panes are one above the other, with a gap between them: their centres are nearly at these heights.
    for x, y, alpha in ((0.35, 0.1, 0), (0.5, 0.4, 255)):
        column, row, levels, found = values(x, y)
        assert levels == image[row, column].tolist()
        assert found == alpha
    before = values(0.5, 0.25)[:2]
    screen.page.mouse.wheel(0, -600)
    assert values(0.5, 0.25)[:2] == pytest.approx(before, abs=1)
    assert values(0.5, 0.75)[:2] == pytest.approx(before, abs=5)
    screen.press("z")
    right, left = values(0.55, 0.75)[0], values(0.5, 0.75)[0]
    assert right - left == pytest.approx(0.05 * screen.canvas.bounding_box()["width"], abs=2)
    screen.drag((0.5, 0.25), (0.6, 0.25))
    shift = 0.1 * screen.canvas.bounding_box()["width"]
    assert left - values(0.5, 0.75)[0] == pytest.approx(shift, abs=2)
    screen.keep("zoomed")
    screen.press("f")


def test_a_farm_job_is_written_into_a_chosen_folder(screen: Screen, tmp_path: Path) -> None:
    screen.click("Write farm job")
    field = screen.page.get_by_role("dialog").locator("input")
    field.fill(str(tmp_path))
    field.press("Enter")
    screen.keep("browser")
    screen.click("Use this folder")
    screen.page.locator(".q-notification", has_text="The farm job was written").wait_for()
    assert list(tmp_path.glob("template.*"))
