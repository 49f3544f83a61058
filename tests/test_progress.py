"""How a render tells what it is doing."""

import io
import json
import sys
import time

import pytest

from howard.errors import InputError
from howard.progress import FrameDone, Rate, SilentProgress, in_words, open_progress
from howard.progress_displays import JsonProgress, OpenJobProgress, PlainProgress


def tell(progress):
    """A short render."""
    progress.step("shot", "reading a (take 2).mov: 4 frames", path="a.mov", frames=4)
    progress.advance(1, 4)
    for done in (1, 2):
        progress.frame(FrameDone(number=10 + done, status="good", done=done, total=4))


def test_plain_lines_come_at_every_step_and_at_intervals():
    stream = io.StringIO()
    with PlainProgress(stream, interval=0.01) as progress:
        progress.step("shot", "reading a (take 2).mov: 4 frames")
        progress.advance(1, 4)
        wait_for(stream, "reading a (take 2).mov: 4 frames (1 of 4)\n")
        progress.frame(FrameDone(11, "good", 1, 4))
        wait_for(stream, "frame 11: 1 of 4 done\n")
        progress.frame(FrameDone(12, "good", 2, 4))
        wait_for(stream, "frame 12: 2 of 4 done\n")
    assert stream.getvalue().startswith("reading a (take 2).mov: 4 frames\n")


def test_a_plain_step_without_progress_is_repeated_with_its_duration():
    stream = io.StringIO()
    with PlainProgress(stream, interval=0.01) as progress:
        progress.step("start", "opening a.mov")
        wait_for(stream, "opening a.mov (0 s)\n")


def wait_for(stream, text):
    end = time.monotonic() + 20
    while text not in stream.getvalue():
        assert time.monotonic() < end, f"{text!r} was never printed"
        time.sleep(0.005)


def test_plain_progress_is_only_the_steps_where_all_is_quick():
    stream = io.StringIO()
    with PlainProgress(stream) as progress:
        tell(progress)
    assert stream.getvalue() == "reading a (take 2).mov: 4 frames\n"


def test_openjd_lines_are_status_progress_and_failure():
    stream = io.StringIO()
    with OpenJobProgress(stream) as progress:
        tell(progress)
    assert stream.getvalue().splitlines() == [
        "openjd_status: reading a (take 2).mov: 4 frames",
        "openjd_progress: 25.0",
        "openjd_progress: 50.0",
    ]
    with pytest.raises(InputError), open_progress("openjd", stream):
        raise InputError("a\nb.mov does not exist")
    assert stream.getvalue().splitlines()[-1] == "openjd_fail: a\\nb.mov does not exist"


def test_json_is_one_object_a_line():
    stream = io.StringIO()
    with JsonProgress(stream) as progress:
        tell(progress)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert all(isinstance(line.pop("seconds"), float) for line in lines)
    assert lines == [
        {"event": "shot", "text": "reading a (take 2).mov: 4 frames", "path": "a.mov", "frames": 4},
        {"event": "frame", "number": 11, "status": "good", "done": 1, "total": 4},
        {"event": "frame", "number": 12, "status": "good", "done": 2, "total": 4},
    ]


def test_json_says_how_far_a_long_step_has_come(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    stream = io.StringIO()
    progress = JsonProgress(stream)
    progress.step("plate_index", "indexing")
    progress.advance(3, 9)
    assert json.loads(stream.getvalue().splitlines()[-1]) == {
        "event": "progress",
        "seconds": 3.0,
        "step": "plate_index",
        "done": 3,
        "total": 9,
    }


def test_json_says_what_ended_a_render():
    stream = io.StringIO()
    with pytest.raises(ValueError, match="broken"), JsonProgress(stream):
        raise ValueError("it is broken")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["text"]) == ("error", "it is broken")


def test_a_bar_has_its_steps_as_lines_above(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with open_progress(True) as progress:
        tell(progress)
    text = stream.getvalue()
    assert "reading a (take 2).mov: 4 frames" in text
    assert "frame 12" in text
    assert "2/4" in text


def test_a_function_hears_of_frames_alone():
    heard = []
    with open_progress(heard.append) as progress:
        tell(progress)
    assert [event.number for event in heard] == [11, 12]


@pytest.mark.parametrize("choice", [False, "none"])
def test_silence(choice, capsys):
    with open_progress(choice) as progress:
        tell(progress)
    assert capsys.readouterr() == ("", "")


def test_a_listener_is_passed_through():
    listener = SilentProgress()
    with open_progress(listener) as progress:
        assert progress is listener


def test_the_rate_leaves_out_what_came_before_the_first_frame(monkeypatch):
    clock = iter((100.0, 100.1, 102.0, 104.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    rate = Rate()
    assert rate.describe(1, 101) == ""
    assert rate.describe(2, 101) == "", "too short to be measured"
    assert rate.describe(2, 101) == ", 0.50 a second, 3 min left"
    assert rate.describe(5, 101) == ", 1.00 a second, 96 s left"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (8.4, "8 s"), (99, "99 s"), (150, "2 min"), (3600, "1 h 0 min"), (11100, "3 h 5 min")],
)
def test_durations_in_words(seconds, words):
    assert in_words(seconds) == words
