"""Project files: saving and loading, errors for invalid files, and finding pairs by name."""

import json
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from howard.app.core.project import Project, find_pairs, recent_projects
from howard.app.core.strokes import Stroke
from howard.errors import InputError, SettingsError

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "choke": st.floats(-20, 20),
        "feather": st.floats(0, 200),
        "quality": st.sampled_from(["fast", "standard", "best"]),
        "format": st.lists(st.sampled_from(["png", "exr", "prores"]), min_size=1, max_size=3, unique=True),
        "background": st.sampled_from([None, "green", "#102030"]),
        "shadow": st.booleans(),
        "garbage": st.just(Path("masks/a.png")),
    },
)


def reopened(project):
    return Project.open(project.path)


def test_every_change_is_saved_and_loaded(project):
    pair = project.add_pair("a.mov", ["p.mov", "q.jpg"])
    stroke = Stroke("remove", 3, ((1, 2), (3.5, 4)), 7)
    project.update(pair.id, options={"choke": 1.5}, first=2, last=9, strokes=(stroke,), state="done", message="ok")
    [found] = reopened(project).pairs
    assert found == project.pair(pair.id)
    assert found.shot == Path("a.mov").absolute()
    assert [path.name for path in found.plate] == ["p.mov", "q.jpg"]
    project.remove(pair.id)
    assert reopened(project).pairs == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(OPTIONS)
def test_options_are_loaded_with_the_same_values(tmp_path, options):
    project = Project(tmp_path / "test.howard.json")
    pair = project.add_pair("a.mov", "self")
    changed = project.update(pair.id, options=options)
    [found] = Project.open(project.path).pairs
    assert found.render_options().formats == changed.render_options().formats
    for name in ("choke", "feather", "quality", "background", "shadow"):
        assert getattr(found.render_options(), name) == getattr(changed.render_options(), name)
    assert str(found.render_options().garbage) == str(changed.render_options().garbage)


def test_options_at_their_defaults_are_not_stored(project):
    pair = project.add_pair("a.mov", "self")
    options = {"choke": 0.0, "format": ["png"], "quality": "standard", "shadow": False, "background": None}
    assert project.update(pair.id, options=options).options == {}
    assert project.update(pair.id, options=options | {"white": 0.9}).options == {"white": 0.9}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"chok": 1}}, "did you mean 'choke'"),
        ({"options": {"choke": 99}}, "not between"),
        ({"options": {"preview": 3}}, "not an option of a pair"),
        ({"output": "renders/{shto}"}, "the tokens are {shot}"),
        ({"state": "lost"}, "state must be one of"),
    ],
)
def test_invalid_changes_are_refused_and_change_nothing(project, changes, message):
    pair = project.add_pair("a.mov", "self")
    with pytest.raises((SettingsError, ValueError), match=message):
        project.update(pair.id, **changes)
    assert project.pair(pair.id) == pair
    assert reopened(project).pairs == (pair,)


@pytest.mark.parametrize("changes", [{"options": {"choke": 1}}, {"first": 3}, {"output": "elsewhere"}])
def test_a_change_makes_a_finished_render_out_of_date(project, changes):
    pair = project.add_pair("a.mov", "self")
    done = project.update(pair.id, state="done", message="4 frames rendered")
    assert project.update(pair.id, options={}, first=None, output=pair.output) == done
    changed = project.update(pair.id, **changes)
    assert (changed.state, changed.message) == ("previewed", "")
    assert project.update(pair.id, state="error", message="no", **changes).state == "error"


def test_pairs_with_equal_shot_names_get_different_folders(project, tmp_path):
    pairs = [project.add_pair(tmp_path / folder / "shot.mov", "self") for folder in "abc"]
    folders = [project.output_folder(pair) for pair in pairs]
    assert [folder.name for folder in folders] == ["shot", "shot_2", "shot_3"]
    assert {folder.parent for folder in folders} == {tmp_path / "renders"}
    changed = project.update(pairs[0].id, output="out/{shot}_{quality}_{format}", options={"format": ["exr", "png"]})
    assert project.output_folder(changed) == tmp_path / "out" / "shot_standard_png_exr"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "is not a project"),
        (b"[]", "is not a project"),
        (b'{"howard_project": 99, "pairs": []}', "another version"),
        (b'{"howard_project": 1, "pairs": [{"id": "a"}]}', "a pair of the project cannot be read"),
    ],
)
def test_files_that_are_not_projects_are_refused(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=message):
        Project.open(tmp_path / "a.json")


def test_listeners_are_called_until_they_unsubscribe(project):
    calls = []
    unsubscribe = project.on_change(lambda changed: calls.append(len(changed.pairs)))
    pair = project.add_pair("a.mov", "self")
    project.update(pair.id, message="")
    project.update(pair.id, message="new")
    unsubscribe()
    project.remove(pair.id)
    assert calls == [1, 1]


def test_pairs_added_by_several_threads_are_all_kept(project):
    threads = [threading.Thread(target=project.add_pair, args=(f"{name}.mov", "self")) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({pair.output for pair in reopened(project).pairs}) == 1
    assert len(reopened(project).pairs) == 8


def test_recent_projects(tmp_path):
    first, second = (Project.open(tmp_path / f"{name}.howard.json") for name in "ab")
    assert recent_projects() == []
    first.save()
    second.save()
    assert recent_projects() == [second.path, first.path]
    Project.open(first.path)
    assert recent_projects() == [first.path, second.path]
    (tmp_path / "config" / "howard" / "projects.json").write_text(json.dumps({"a": 1}))
    assert recent_projects() == []
    Project.open(second.path)
    assert recent_projects() == [second.path]


def test_pairs_are_found_by_name(tmp_path):
    for name in ("a.mov", "a_plate.mp4", "B.mp4", "b-Plate.jpg", "alone.mov", "lone_plate.mov", "notes.txt", ".c.mov"):
        (tmp_path / name).touch()
    for name in ("seq", "seq_plate"):
        (tmp_path / name).mkdir()
    found = {pair.shot.name: pair.plate.name for pair in find_pairs(tmp_path)}
    assert found == {"a.mov": "a_plate.mp4", "B.mp4": "b-Plate.jpg", "seq": "seq_plate"}
    with pytest.raises(InputError, match="cannot be read as a folder"):
        find_pairs(tmp_path / "nowhere")
