"""Writing whole files or none."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.errors import OutputError
from howard.media import write_whole
from howard.media.files import clear_leftovers, fitting_name, temporary_path, whole_file


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"first")

    def fail(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path / "nowhere" / "file", b"")


def test_what_goes_wrong_while_writing_is_said_of_the_file(tmp_path):
    def write_half():
        with whole_file(tmp_path / "file") as temporary:
            temporary.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"file cannot be written \(No space left on device\)"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_other_files_stay(tmp_path):
    for name in ("a.png", ".a.png.1.part", ".a.png.22.part", ".b.png.1.part", "a.png.1.part"):
        (tmp_path / name).write_text("")
    clear_leftovers([tmp_path / "a.png", tmp_path / "nowhere" / "c.png"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.png.1.part", "a.png", "a.png.1.part"]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_names_fit_and_lose_nothing_but_their_end(name):
    short = fitting_name(name)
    assert name.startswith(short)
    assert len(short.encode()) <= 180
    assert short == name or len(name.encode()) > 180


def test_the_longest_name_leaves_room_for_what_is_added(tmp_path):
    path = tmp_path / f"{fitting_name('é' * 300)}_comp.1234567.png"
    assert len(temporary_path(path).name.encode()) <= 255
    write_whole(path, b"")
    assert path.exists()
