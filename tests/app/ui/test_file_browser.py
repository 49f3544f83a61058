"""The file browser's listing: folders, files, and one entry per image sequence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("nicegui")

from howard.app.ui.file_browser import list_folder
from howard.errors import InputError
from howard.media import open_reader


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_folders_come_first_and_hidden_entries_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "b.mov", ".hidden", "a.mov")
    (tmp_path / "z").mkdir()
    (tmp_path / ".git").mkdir()
    assert [(each.name, each.kind) for each in list_folder(tmp_path)] == [
        ("z", "folder"),
        ("a.mov", "file"),
        ("b.mov", "file"),
    ]


def test_numbered_images_are_one_entry(tmp_path: Path) -> None:
    make(tmp_path, *(f"shot.{number:04d}.exr" for number in range(8, 12)), "shot.mov", "clip1.mov", "clip2.mov")
    entries = {each.name: each for each in list_folder(tmp_path)}
    assert entries["shot.%04d.exr"].count == 4
    assert entries["shot.%04d.exr"].path == tmp_path / "shot.%04d.exr"
    assert entries.keys() == {"shot.%04d.exr", "shot.mov", "clip1.mov", "clip2.mov"}


@given(first=st.integers(0, 120), count=st.integers(3, 30), padding=st.integers(1, 5))
def test_every_file_is_counted(tmp_path_factory: pytest.TempPathFactory, first: int, count: int, padding: int) -> None:
    folder = tmp_path_factory.mktemp("frames")
    make(folder, *(f"f{number:0{padding}d}.png" for number in range(first, first + count)), "other.txt")
    assert sum(each.count for each in list_folder(folder)) == count + 1


def test_the_pattern_can_be_opened_as_a_sequence(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    for number in range(98, 103):
        cv2.imwrite(str(tmp_path / f"f{number}.png"), np.zeros((4, 6, 3), np.uint8))
    [entry] = list_folder(tmp_path)
    reader = open_reader(entry.path)
    assert (reader.info.first_number, reader.info.frame_count) == (98, 5)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere cannot be read .*choose another folder"):
        list_folder(tmp_path / "nowhere")
