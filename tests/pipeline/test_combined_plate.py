"""Plates of several clips, of some frames, and of the shot itself."""

import os
import shutil
from contextlib import ExitStack

import numpy as np
import pytest

from howard.errors import SettingsError
from howard.media import open_reader
from howard.options import list_plates
from howard.pipeline.combined_plate import CombinedPlate, PlatePart
from howard.render_record import read_lines


@pytest.fixture
def readers(clips):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        yield shot, plate


def test_frames_are_counted_through_all_parts(readers):
    shot, plate = readers
    joined = CombinedPlate([PlatePart(shot, range(2, 5)), PlatePart(plate, range(3))])
    assert len(joined) == 6
    assert [frame.index for frame in joined] == [2, 3, 4, 0, 1, 2]
    np.testing.assert_array_equal(joined[4].image, plate[1].image)
    assert [joined.locate(index)[1] for index in (0, 2, 3)] == [3, 5, 1]
    assert joined.locate(3)[0] == plate.info
    assert {0, 3} <= set(joined.entry_points)
    assert joined.describe([0, 1, 3]) == f"frames 3-4 of {shot.info.path.name}, frame 1 of {plate.info.path.name}"
    assert CombinedPlate([PlatePart(shot, range(6))]).describe([1]) == "frame 2"
    with pytest.raises(IndexError):
        joined[6]


def test_plate_self_leaves_out_frames_near_the_source_frame(readers):
    shot, _ = readers
    own = CombinedPlate([PlatePart(shot, range(6))], is_self=True)
    found = own.own_frames(3)
    assert found is not None
    assert (found.index, found.near) == (3, range(3, 4))
    assert own.own_frames(0).near == range(0, 1)
    assert CombinedPlate([PlatePart(shot, range(6))]).own_frames(3) is None


def test_keys_and_fingerprints_change_with_the_files(clips, tmp_path):
    moved, other = (shutil.copy2(path, tmp_path) for path in (clips.shot, clips.plate))

    def open_all(*paths, used=range(3)):
        with ExitStack() as stack:
            parts = [PlatePart(stack.enter_context(open_reader(path)), used) for path in paths]
            plate = CombinedPlate(parts)
            return plate.fingerprint, [plate.key_of(index) for index in range(len(plate))]

    name, keys = open_all(clips.shot)
    assert len(set(keys)) == 3
    assert open_all(moved) == (name, keys)
    both, all_keys = open_all(clips.shot, clips.plate)
    assert all_keys[:3] == keys
    assert len({name, both, open_all(clips.plate)[0], open_all(clips.plate, clips.shot)[0]}) == 4
    part, later_keys = open_all(clips.shot, used=range(1, 4))
    assert part != name
    assert later_keys[:2] == keys[1:]
    os.utime(other, (1, 1))
    assert open_all(other)[0] != open_all(clips.plate)[0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plate.mov", ["plate.mov"]),
        ("[a.mov,b.jpg]", ["a.mov", "b.jpg"]),
        ("[a.mov, b.jpg]", ["a.mov", "b.jpg"]),
        ('["a, b.mov",c.jpg]', ["a, b.mov", "c.jpg"]),
        ("[]", ["[]"]),
        ("[a.mov", ["[a.mov"]),
    ],
)
def test_lists_are_written_in_brackets(text, names):
    assert list_plates(text) == names


def test_an_existing_file_named_like_a_list_is_one_plate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "[a,b]").touch()
    assert list_plates("[a,b]") == ["[a,b]"]
    assert list_plates(["[a,b]", "c"]) == ["[a,b]", "c"]


def test_a_render_takes_several_plates(render, clips, tmp_path):
    summary = render(plate=[clips.plate, clips.plate], output=tmp_path / "list")
    assert summary.rendered == 6
    assert render(plate=f"[{clips.plate},{clips.plate}]", output=tmp_path / "list").skipped == 6


def test_plate_frames_selects_frames_of_the_plate(render, clips, tmp_path):
    render(plate=clips.plate, plate_frames="2-3", output=tmp_path / "some", frames=1)
    (line,) = (line for line in read_lines(tmp_path / "some") if "number" in line)
    assert set(line["plate_indices"]) <= {0, 1}
    with pytest.raises(SettingsError, match=r"plate_frames=9 is outside .* which has frames 1-3"):
        render(plate=clips.plate, plate_frames=9)
    with pytest.raises(SettingsError, match="plate_frames= needs a plate of a single clip"):
        render(plate=[clips.plate, clips.plate], plate_frames=1)


def test_the_shot_as_plate_is_refused_without_plate_frames(render, clips, tmp_path):
    with pytest.raises(
        SettingsError, match=r"input and plate are the same file, .*; give another plate, plate_frames="
    ):
        render(source=clips.shot, plate=clips.shot)
    render(source=clips.shot, plate=clips.shot, plate_frames=1, output=tmp_path / "part")
    with pytest.raises(SettingsError, match="plate=self takes all frames"):
        render(plate="self", plate_frames="1-2")
