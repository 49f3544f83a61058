"""The command of a pair, parsed by the shell and by the command line's own parser, gives the same job."""

import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from howard import cli
from howard.app.core.render_command import command_line, job_arguments, mask_paths, render_job
from howard.app.core.strokes import Stroke
from howard.errors import InputError
from howard.options import RenderJob, list_plates
from tests.app.core.test_project import OPTIONS

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


def parsed(line: str) -> RenderJob:
    program, script, *words = shlex.split(line)
    assert (program, script) == ("python", "infer.py")
    return cli.read_settings(RenderJob, words)


def test_a_pair_with_default_options_has_a_short_command(project, tmp_path):
    pair = project.add_pair(tmp_path / "a.mov", tmp_path / "p.mov")
    job = parsed(command_line(project, pair))
    assert job == RenderJob(
        input=str(tmp_path / "a.mov"), plate=str(tmp_path / "p.mov"), output=str(tmp_path / "renders" / "a")
    )
    assert [word.partition("=")[0] for word in job_arguments(job)] == ["input", "plate", "output"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@example({}, ["a", "\r", "b, c.mov", "[d]", '"e"'], "\n")
@given(OPTIONS, st.lists(NAMES, min_size=1, max_size=3), NAMES)
def test_the_command_parses_to_the_same_job(project, options, plates, shot):
    pair = project.add_pair(Path("/footage") / shot, [Path("/footage") / name for name in plates])
    # The shot's name may contain characters that are tokens in the output folder, so that is fixed.
    pair = project.update(pair.id, options=options, first=3, last=40, output="out")
    job = render_job(project, pair)
    found = parsed(command_line(project, pair))
    assert found.formats == job.formats
    for name in ("input", "plate", "output", "frames", "choke", "feather", "quality", "background", "shadow"):
        assert getattr(found, name) == getattr(job, name)
    if len(plates) > 1:
        assert list_plates(found.plate) == [str(path) for path in pair.plate]
    project.remove(pair.id)


def test_one_mark_alone_extends_to_the_end_of_the_shot(project, pair, tmp_path):
    for marks, frames in (((None, None), None), ((2, None), "2-6"), ((None, 4), "1-4"), ((2, 4), "2-4")):
        changed = project.update(pair.id, first=marks[0], last=marks[1])
        assert render_job(project, changed).frames == frames
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"seq.{number:04d}.png"), np.zeros((70, 90, 3), np.uint8))
    numbered = project.add_pair(tmp_path / "seq.%04d.png", "self")
    assert render_job(project, project.update(numbered.id, last=0)).frames == "0-0"
    lost = project.add_pair("nowhere.mov", "self")
    with pytest.raises(InputError, match="does not exist"):
        render_job(project, project.update(lost.id, first=2))


def test_strokes_are_written_as_mask_files(project, pair):
    still = Stroke("remove", None, ((1, 1),), 3)
    changed = project.update(pair.id, strokes=(still,), options={"holdout": "mine.png"})
    job = render_job(project, changed)
    assert job.garbage == str(project.folder / "masks" / pair.id / "garbage.png")
    assert job.holdout == "mine.png"
    changed = project.update(pair.id, strokes=(still, Stroke("keep", 3, ((1, 1),), 3)))
    files = mask_paths(project, changed)
    assert [path.name for path in files if path] == ["garbage.%04d.png", "holdout.%04d.png"]
