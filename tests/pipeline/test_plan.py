"""A dry run reports what a render would do, and writes nothing."""

import json
from pathlib import Path

import pytest

from howard.errors import OutputError, SettingsError
from howard.pipeline import plan_render, remove_background
from howard.pipeline.plan import RenderPlan


@pytest.fixture
def plan(clips, tmp_path, key):
    def run(**keywords) -> RenderPlan:
        settings = {"source": clips.shot, "plate": clips.plate, "output": tmp_path / "out", "predictor": key}
        return plan_render(**(settings | {"progress": False} | keywords))

    return run


def test_the_plan_lists_files_and_writes_nothing(plan, clips, tmp_path):
    made = plan()
    assert [clip.path for clip in made.clips] == [clips.shot, clips.plate]
    assert (made.asked, made.frames) == (6, 6)
    assert [file.name for file in made.files] == [f"shot.{number:04d}.png" for number in range(1, 7)]
    assert made.timed >= 1
    assert made.seconds >= made.frames * made.seconds_a_frame > 0
    assert 0 < made.bytes < made.free_bytes
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output_format", ["png", "exr", "ffv1", "prores"])
def test_the_estimated_space_is_close_to_the_renders(plan, render, tmp_path, output_format):
    made = plan(format=output_format)
    render(format=output_format)
    files = [file for file in (tmp_path / "out").iterdir() if not file.name.startswith("howard.")]
    assert {file.name for file in files} == {file.name for file in made.files}
    written = sum(file.stat().st_size for file in files)
    assert 0.7 * written < made.bytes < 1.5 * written


def test_existing_frames_are_not_counted(plan, render):
    render(frames="1-4")
    made = plan()
    assert (made.asked, made.frames) == (6, 2)
    assert ", 4 exist already" in made.lines()[2]
    render()
    assert (plan().frames, plan().bytes, plan().timed) == (0, 0, 0)


def test_the_plan_is_refused_where_the_render_would_be(plan, render, tmp_path):
    render(frames="1")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputError, match="it has quality=standard, and this one quality=fast"):
        plan(quality="fast")
    with pytest.raises(SettingsError, match="outside"):
        plan(frames="7-9")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before


def test_frames_in_the_middle_of_a_sequence_of_gaps_are_enough(plan, render):
    render(frames="2-3")
    render(frames="5")
    assert plan().frames == 3


def test_lines_and_facts(plan, clips, tmp_path):
    made = plan(frames="2-3")
    lines = made.lines()
    assert lines[:2] == [
        f"would read {clips.shot}: 6 frames of 320x240",
        f"would read {clips.plate}: 3 frames of 320x240",
    ]
    assert lines[2] == f"would write 2 frames: {tmp_path / 'out' / 'shot.0002.png'} to shot.0003.png"
    assert lines[3].startswith("would take about ")
    assert lines[4].endswith(" are free")
    assert json.loads(json.dumps(made.facts()))["frames"] == 2


@pytest.mark.parametrize(
    ("count", "free", "said"),
    [(310_400_000, 10**12, "310 MB"), (1234, 10**12, "1.23 kB"), (99 * 10**9, 52 * 10**9, "99 GB on disk, 52 GB")],
)
def test_sizes_in_words(count, free, said):
    made = RenderPlan((), Path("out"), ((Path("out/a.mov"),),), 5, 5, 3, 1.5, 60.0, count, free)
    assert f"would need about {said}" in made.lines()[-1]
    assert ("choose another disk" in made.lines()[-1]) == (count > free)


def test_a_preview_is_planned_as_such(plan, tmp_path):
    made = plan(preview=3)
    assert (made.asked, made.output) == (1, Path(f"{tmp_path / 'out'}_preview"))


def test_a_preview_goes_beside_the_render(clips, tmp_path, key):
    summary = remove_background(
        clips.shot, clips.plate, tmp_path / "out", predictor=key, preview=3, progress=False, report=False
    )
    assert (summary.output, summary.rendered) == (Path(f"{tmp_path / 'out'}_preview"), 1)
    sidecar = json.loads((summary.output / "howard.json").read_text())
    assert sidecar["settings"]["preview"] is True
    assert not (tmp_path / "out").exists()
