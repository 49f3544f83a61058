"""The panels: sections of options, help topics of errors, texts, timeline lanes and render status lines."""

import re
from importlib.resources import files
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("nicegui")
from howard.app.core.pair import EXCLUDED_OPTIONS, STATES, Pair
from howard.app.core.render_status import BUSY_STATES, RENDER_STATES, RenderStatus
from howard.app.core.strokes import Point, Stroke
from howard.app.core.views import VIEWS
from howard.app.ui import texts
from howard.app.ui.display_state import LAYOUTS
from howard.app.ui.doc_pages import DOC_PAGES, doc_address, docs_folder, read_doc
from howard.app.ui.help_pages import find_topic, read_help
from howard.app.ui.project_bar import project_path
from howard.app.ui.queue_panel import describe_status
from howard.app.ui.scrubber import describe_frame, make_lanes
from howard.app.ui.settings_panel import SECTIONS
from howard.fields import list_settings
from howard.options import RenderOptions


def test_every_option_is_in_one_section() -> None:
    shown = [name for names in SECTIONS.values() for name in names]
    assert sorted([*shown, *EXCLUDED_OPTIONS]) == sorted(each.name for each in list_settings(RenderOptions))
    assert SECTIONS.keys() == texts.SECTIONS.keys()


def test_every_name_has_a_text() -> None:
    assert texts.VIEWS.keys() == set(VIEWS)
    assert texts.STATES.keys() == set(STATES)
    assert texts.LAYOUTS.keys() == set(LAYOUTS)
    assert texts.RENDER_STATES.keys() == set(RENDER_STATES) - {*BUSY_STATES, "idle"}
    assert texts.LABELS.keys() <= {each.name for each in list_settings(RenderOptions)}


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ("plate.mov: not a video file (expected a video, an image sequence or a still)", "plate"),
        ("garbage=crew.png has no frame 7; give a still, or a frame for each of the shot's", "masks"),
        ("input_colour='slog' is not known; choose slog3", "colour"),
        ("output=renders/{day} contains an unknown token; the tokens are {shot}", "outputs"),
        ("an unknown message", "start"),
    ],
)
def test_errors_have_a_help_topic(message: str, topic: str) -> None:
    assert find_topic(message) == topic
    assert topic in texts.HELP_TOPICS


@pytest.mark.parametrize("topic", texts.HELP_TOPICS)
def test_every_topic_has_a_page(topic: str) -> None:
    assert read_help(topic).startswith("### ")


@pytest.mark.parametrize("topic", texts.HELP_TOPICS)
def test_every_topic_links_to_a_page_of_the_documentation(topic: str) -> None:
    page, _, heading = DOC_PAGES[topic].partition("#")
    assert doc_address(topic) == f"/docs/{DOC_PAGES[topic]}"
    text = read_doc(page)
    assert text is not None
    assert text.startswith("# ")
    headings = {each.lower().replace(" ", "-") for each in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert not heading or heading in headings


def test_links_within_the_documentation_have_pages() -> None:
    texts_of_pages = {path.name: read_doc(path.name) or "" for path in docs_folder().glob("*.md")}
    pattern = r"\]\(([^)#:\s]+\.\w+)(?:#[^)]*)?\)"
    links = [link for text in texts_of_pages.values() for link in re.findall(pattern, text)]
    assert len(links) > 20
    assert all(link in texts_of_pages or (docs_folder() / link).is_file() for link in links)
    assert not any(".." in link for link in links)


@pytest.mark.parametrize("name", ["../README.md", "conf.py", "none.md", "", "/etc/passwd", "images/../../README.md"])
def test_other_files_are_not_pages_of_the_documentation(name: str) -> None:
    assert read_doc(name) is None


def test_without_the_documentation_there_is_no_link(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("howard.app.ui.doc_pages.docs_folder", lambda: tmp_path)
    assert [doc_address(topic) for topic in texts.HELP_TOPICS] == [None] * len(texts.HELP_TOPICS)


def test_the_help_page_lists_every_key() -> None:
    from howard.app.ui.shortcuts import paint_keys, viewer_keys

    page = read_help("keys").lower()
    named = {"ctrl+y", "="} | set(re.findall(r"[^ |,]+", page.replace("comma", ",").replace("full stop", ".")))
    keys = viewer_keys(MagicMock(), MagicMock()) | paint_keys(MagicMock())
    assert keys.keys() - named - {",", "."} == set()


def test_scripts_request_the_sizes_that_the_server_provides() -> None:
    from howard.app.ui.routes import PREVIEW_SIDES, TILE

    script = (files("howard.app.ui") / "web" / "picture_store.js").read_text()
    assert f"PREVIEW_SIDES = [{', '.join(map(str, PREVIEW_SIDES))}]" in script
    assert f"TILE = {TILE};" in script


class SixFrames:
    first_number, frame_count = 101, 6


def test_lanes_have_a_letter_for_each_frame() -> None:
    strokes = (
        Stroke("remove", 104, (Point(1, 1),), 3),
        Stroke("keep", None, (Point(1, 1),), 3, anchor=106),
    )
    pair = Pair(id="p", shot=Path("/a.mov"), plate=(Path("/b.mov"),), strokes=strokes)
    status = RenderStatus("running", frame_states={101: "good", 102: "weak", 103: "failed"})
    found = make_lanes(pair, SixFrames, status, {})  # type: ignore[arg-type]
    assert found == {"status": "gwfe.e", "finished": "111...", "strokes": [3, 5]}
    described = [describe_frame(found, index) for index in range(6)]
    assert describe_frame(found, 6) == describe_frame(found, -1) == ""
    assert described[:2] == ["good alignment, rendered", "weak alignment, rendered"]
    assert described[2:] == ["failed alignment, rendered", "painted", "", "painted"]
    # A preview overrides the status of the render, and does not make a frame finished.
    found = make_lanes(pair, SixFrames, status, {103: "good", 105: "weak"})  # type: ignore[arg-type]
    assert found == {"status": "gwgewe", "finished": "111...", "strokes": [3, 5]}


@given(st.sampled_from(RENDER_STATES), st.integers(0, 500), st.floats(0, 1e5), st.booleans())
def test_every_render_status_is_one_line(state: str, total: int, seconds: float, is_measured: bool) -> None:
    measured = {"frames_per_second": 0.5, "seconds_left": seconds, "memory_bytes": 2**30} if is_measured else {}
    line = describe_status(RenderStatus(state, done=total // 2, total=total, **measured))  # type: ignore[arg-type]
    assert line
    assert "\n" not in line


def test_project_paths_get_their_suffix() -> None:
    assert project_path("a").name == "a.howard.json"
    assert project_path("a.howard.json").name == "a.howard.json"
