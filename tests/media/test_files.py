"""Atomic file writing, temporary files, system files and file names."""

import errno
import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.errors import OutputError
from howard.media import write_atomically
from howard.media.files import (
    atomic_file,
    contains_files,
    is_system_file,
    remove_old_temporary_files,
    remove_temporary_files,
    shorten_name,
    temporary_path,
    write_if_absent,
)


def test_a_file_is_replaced_atomically(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_keeps_the_old_file_and_no_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"first")

    def fail(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_atomically(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_raises(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_atomically(tmp_path / "nowhere" / "file", b"")


def test_errors_inside_the_block_name_the_file(tmp_path):
    def write_half():
        with atomic_file(tmp_path / "file") as temporary:
            temporary.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"file cannot be written \(No space left on device\)"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_of_other_files_are_kept(tmp_path):
    for name in ("a.png", ".a.png.1.part", ".a.png.22.part", ".b.png.1.part", "a.png.1.part"):
        (tmp_path / name).write_text("")
    remove_temporary_files([tmp_path / "a.png", tmp_path / "nowhere" / "c.png"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.png.1.part", "a.png", "a.png.1.part"]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_long_names_are_cut_at_their_end(name):
    short = shorten_name(name)
    assert name.startswith(short)
    assert len(short.encode()) <= 180
    assert short == name or len(name.encode()) > 180


def test_the_longest_name_leaves_room_for_suffixes(tmp_path):
    path = tmp_path / f"{shorten_name('é' * 300)}_comp.1234567.png"
    assert len(temporary_path(path).name.encode()) <= 255
    write_atomically(path, b"")
    assert path.exists()


def test_old_temporary_files_are_removed_by_age(tmp_path):
    for name, age in ((".a.png.0af3.part", 700), (".b.png.77-12.part", 700), (".c.png.1.part", 60), ("d.part", 700)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    remove_old_temporary_files(tmp_path, tmp_path / "nowhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".c.png.1.part", "d.part"]


def test_temporary_names_are_unique(tmp_path):
    assert len({temporary_path(tmp_path / "a") for _ in range(100)}) == 100


def test_an_existing_file_is_not_overwritten(tmp_path):
    assert write_if_absent(tmp_path / "a", b"first")
    assert not write_if_absent(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EINVAL, errno.EIO, errno.EACCES, 524])
def test_disks_without_hard_links(tmp_path, monkeypatch, number):
    def refuse(*paths, **keywords):
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert write_if_absent(tmp_path / "a", b"first")
    assert not write_if_absent(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_data_are_flushed_before_the_rename(tmp_path, monkeypatch):
    calls = []
    replace, fsync = os.replace, os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync") or fsync(descriptor))
    monkeypatch.setattr(os, "replace", lambda *paths: calls.append("replace") or replace(*paths))
    write_atomically(tmp_path / "a", b"data")
    assert calls == ["fsync", "replace"]


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "@eaDir", "._shot.0001.png", ".nfs000012", "desktop.ini"])
def test_system_files_do_not_count(tmp_path, name):
    assert is_system_file(name)
    (tmp_path / name).write_text("")
    assert not contains_files(tmp_path)
    (tmp_path / "thesis.txt").write_text("")
    assert contains_files(tmp_path)
