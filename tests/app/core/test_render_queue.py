"""The render queue: order, progress, stopping, errors, renders that continue after the app, and the real command."""

import json
import os
import signal
import sys
import time

import cv2
import numpy as np
import pytest

from howard import remove_background
from howard.app.core.project import Project
from howard.app.core.render_queue import RenderQueue
from howard.app.core.render_status import RenderLog
from howard.app.core.strokes import Stroke
from howard.operating_system import process_start
from tests.small_clips import small_clip

# Replaces infer.py: prints progress=json lines, up to the number of frames in a file that the test writes.
PROGRAM = """
import json, pathlib, sys, time
settings = dict(word.split("=", 1) for word in sys.argv[1:])
assert settings["progress"] == "json"
gate = pathlib.Path(settings["output"]).parent / "gate"
start = time.monotonic()
def report(event, **facts):
    print(json.dumps({"event": event, "seconds": time.monotonic() - start, **facts}), flush=True)
report("start", text="opening")
try:
    for done in range(1, 5):
        while not gate.exists() or int(gate.read_text() or 0) < done:
            time.sleep(0.02)
        report("frame", number=done, status="weak" if settings.get("choke") == "1.0" else "good", done=done, total=4)
    if settings.get("choke") == "2.0":
        sys.exit("error: the disk is full; choose another folder")
    if settings.get("choke") == "3.0":
        raise RuntimeError("a bug")
    weak = [2, 3] if settings.get("choke") == "1.0" else []
    report("finished", text="4 frames rendered", weak=weak, failed=[], report=settings["output"] + "/report.html")
except KeyboardInterrupt:
    sys.exit("stopped")
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    return sys.executable, str(tmp_path / "program.py")


@pytest.fixture
def queue(project, program):
    queue = RenderQueue(project, program=program)
    yield queue
    for pair in project.pairs:
        queue.cancel(pair.id)
    queue.close()


def allow_frames(project, done):
    """Let the renders finish ``done`` frames."""
    folder = project.path.parent / "renders"
    folder.mkdir(exist_ok=True)
    (folder / "gate").write_text(str(done))


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)


def state_of(queue, pair):
    return queue.status(pair.id).state


def test_a_render_from_queue_to_report(project, queue, pair):
    assert state_of(queue, pair) == "idle"
    allow_frames(project, 3)
    queue.enqueue(pair.id)
    wait_for(lambda: queue.status(pair.id).done == 3)
    status = queue.status(pair.id)
    assert (status.state, status.total) == ("running", 4)
    assert status.frame_states == {1: "good", 2: "good", 3: "good"}
    assert status.frames_per_second > 0
    assert status.seconds_left == pytest.approx(1 / status.frames_per_second)
    assert sys.platform != "linux" or status.memory_bytes > 2**20
    assert project.pair(pair.id).state == "rendering"
    allow_frames(project, 4)
    wait_for(lambda: project.pair(pair.id).state == "done")
    status = queue.status(pair.id)
    assert (status.state, status.message) == ("done", "4 frames rendered")
    assert status.report == project.output_folder(pair) / "report.html"


@pytest.mark.parametrize(
    ("choke", "state", "message"),
    [
        (1.0, "needs_a_look", "needs checking: frames 2-3"),
        (2.0, "error", "the disk is full; choose another folder"),
        (3.0, "error", "the render ended unexpectedly (RuntimeError: a bug); render again to resume"),
    ],
)
def test_the_result_of_a_render_is_stored_in_its_pair(project, queue, pair, choke, state, message):
    project.update(pair.id, options={"choke": choke})
    allow_frames(project, 4)
    queue.enqueue(pair.id)
    wait_for(lambda: project.pair(pair.id).state == state)
    assert project.pair(pair.id).message == message
    assert (state_of(queue, pair), queue.status(pair.id).message) == (state, message)


def test_renders_run_one_at_a_time_and_queued_ones_can_be_cancelled(project, queue, pair, clips):
    second, third = (project.add_pair(clips.shot, clips.plate) for _ in range(2))
    for each in (pair, second, third, second):
        queue.enqueue(each.id)
    wait_for(lambda: state_of(queue, pair) == "running")
    assert [state_of(queue, each) for each in (second, third)] == ["queued", "queued"]
    queue.cancel(second.id)
    allow_frames(project, 4)
    wait_for(lambda: project.pair(third.id).state == "done")
    assert (state_of(queue, second), project.pair(second.id).state) == ("idle", "new")


@pytest.mark.slow
def test_a_stopped_render_is_resumed(project, queue, pair):
    allow_frames(project, 2)
    queue.enqueue(pair.id)
    wait_for(lambda: queue.status(pair.id).done == 2)
    queue.cancel(pair.id)
    message = "stopped after 2 of 4 frames; render again to resume"
    assert (state_of(queue, pair), project.pair(pair.id).message) == ("stopped", message)
    allow_frames(project, 4)
    queue.enqueue(pair.id)
    wait_for(lambda: project.pair(pair.id).state == "done")


def test_a_render_continues_without_the_app_and_is_found_again(project, program, pair, clips):
    second = project.add_pair(clips.shot, clips.plate)
    allow_frames(project, 1)
    first_app = RenderQueue(project, program=program)
    first_app.enqueue(pair.id)
    first_app.enqueue(second.id)
    wait_for(lambda: first_app.status(pair.id).done == 1)
    first_app.close()
    reopened = Project.open(project.path)
    second_app = RenderQueue(reopened, program=program)
    try:
        status = second_app.status(pair.id)
        assert (status.state, status.done, state_of(second_app, second)) == ("running", 1, "queued")
        allow_frames(project, 4)
        wait_for(lambda: reopened.pair(second.id).state == "done")
        assert reopened.pair(pair.id).state == "done"
    finally:
        second_app.close()


def test_a_killed_render_is_an_error_of_its_pair(project, queue, pair):
    queue.enqueue(pair.id)
    wait_for(lambda: state_of(queue, pair) == "running")
    state = json.loads((project.folder / "renders" / pair.id / "state.json").read_text())
    assert process_start(state["pid"]) == state["start"]
    os.kill(state["pid"], signal.SIGKILL)
    wait_for(lambda: project.pair(pair.id).state == "error")
    assert "ended unexpectedly" in project.pair(pair.id).message


def test_another_process_with_the_same_id_is_not_the_render(project, program, pair):
    folder = project.folder / "renders" / pair.id
    folder.mkdir(parents=True)
    state = {"pid": os.getpid(), "start": "long ago", "output": str(project.output_folder(pair))}
    (folder / "state.json").write_text(json.dumps(state))
    queue = RenderQueue(project, program=program)
    try:
        wait_for(lambda: project.pair(pair.id).state == "error")
        queue.cancel(pair.id)
    finally:
        queue.close()


@pytest.mark.slow
def test_frames_of_earlier_renders_are_known(project, program, pair, key):
    remove_background(
        pair.shot,
        pair.plate_text,
        project.output_folder(pair),
        predictor=key,
        frames="2-4",
        progress=False,
        report=False,
    )
    queue = RenderQueue(project, program=program)
    assert queue.status(pair.id).frame_states == {2: "good", 3: "good", 4: "good"}
    queue.enqueue(pair.id, restart=True)
    wait_for(lambda: state_of(queue, pair) == "running")
    assert queue.status(pair.id).frame_states == {}
    queue.cancel(pair.id)
    queue.close()


def test_a_project_without_its_folder_has_no_renders(project, program, pair):
    project.update(pair.id, state="rendering")
    queue = RenderQueue(project, program=program)
    assert (project.pair(pair.id).state, state_of(queue, pair)) == ("new", "idle")
    queue.close()


def test_a_render_with_an_unreadable_shot_is_an_error_of_its_pair(project, queue):
    lost = project.add_pair("nowhere.mov", "self")
    project.update(lost.id, first=2)
    queue.enqueue(lost.id)
    wait_for(lambda: project.pair(lost.id).state == "error")
    assert "nowhere.mov does not exist" in project.pair(lost.id).message
    with pytest.raises(KeyError):
        queue.enqueue("unknown")


def test_incomplete_and_other_lines_of_the_log_are_ignored(tmp_path):
    log = RenderLog(tmp_path / "log", tmp_path / "errors")
    log.read_new_lines()
    frame = json.dumps({"event": "frame", "seconds": 1.0, "number": 7, "status": "good", "done": 1, "total": 2})
    (tmp_path / "log").write_text(f'a warning\n[1]\n{{"event": "frame"}}\n{frame[:20]}')
    log.read_new_lines()
    assert log.done == 0
    (tmp_path / "log").write_text(f'a warning\n[1]\n{{"event": "frame"}}\n{frame}\n')
    log.read_new_lines()
    assert (log.done, log.frame_states, log.frames_per_second) == (1, {7: "good"}, None)


@pytest.mark.slow
def test_the_real_command_renders_stops_and_resumes(project, tmp_path):
    shot = small_clip(tmp_path / "shot.mp4", 0, 6)
    plate = small_clip(tmp_path / "plate.mp4", 30, 2, clip="plate.mp4")
    pair = project.add_pair(shot, plate)
    stroke = Stroke("remove", None, ((160, 90),), 400)
    project.update(pair.id, options={"quality": "fast"}, strokes=(stroke,), first=2)
    queue = RenderQueue(project)
    try:
        queue.enqueue(pair.id)
        wait_for(lambda: queue.status(pair.id).done >= 1, 200)
        queue.cancel(pair.id)
        assert state_of(queue, pair) in ("stopped", "needs_a_look")
        queue.enqueue(pair.id)
        wait_for(lambda: state_of(queue, pair) in ("needs_a_look", "error"), 200)
        output = project.output_folder(pair)
        assert sorted(path.name for path in output.glob("*.png")) == [f"shot.{n:04d}.png" for n in range(2, 7)]
        for path in output.glob("*.png"):
            # The remove stroke covers the whole image.
            assert not np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))[..., 3].any()
        assert set(queue.status(pair.id).frame_states) == {2, 3, 4, 5, 6}
        bundle = queue.write_farm_job(pair.id, tmp_path / "job")
        assert (len(bundle.frames), (tmp_path / "job" / "template.yaml").is_file()) == (5, True)
    finally:
        queue.cancel(pair.id)
        queue.close()


def test_a_program_that_cannot_be_started_is_an_error_and_the_queue_continues(project, pair, clips, tmp_path):
    queue = RenderQueue(project, program=(str(tmp_path / "no such program"),))
    try:
        for _ in range(2):
            queue.enqueue(pair.id)
            wait_for(lambda: project.pair(pair.id).state == "error")
            assert "No such file or directory" in project.pair(pair.id).message
            project.update(pair.id, state="new", message="")
    finally:
        queue.close()
