"""Keying whole clips: files, records, continuing, and errors."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.errors import InputError, OutputError, SettingsError
from howard.keying import FrameWritten, key_clip


def picture(path: Path) -> np.ndarray:
    """As stored, in OpenCV's order of channels."""
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read is not None
    return read


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


@pytest.fixture(scope="module")
def keyed(small_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the small clip was keyed into; copy it before changing it."""
    folder = tmp_path_factory.mktemp("keyed")
    assert key_clip(small_clip, folder).keyed == 4
    return folder


@pytest.fixture
def copied(keyed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(keyed, tmp_path / "copied"))


def test_frames_are_laid_out_like_training_sets_with_a_record(keyed: Path) -> None:
    names = [f"{number:04d}.png" for number in range(1, 5)]
    for layer in ("fgr", "pha"):
        assert sorted(path.name for path in (keyed / layer / "small").iterdir()) == names
    alpha = picture(keyed / "pha" / "small" / "0001.png")
    colour = picture(keyed / "fgr" / "small" / "0001.png")
    assert alpha.dtype == colour.dtype == np.uint8
    assert alpha.shape == (120, 212)
    assert colour.shape == (120, 212, 3)
    record = json.loads((keyed / "keying_small.json").read_text())
    assert record["screen"]["name"] == "green"
    assert record["source"]["frame_count"] == 4


def test_the_contact_sheet_has_a_row_a_frame_and_five_pictures(keyed: Path) -> None:
    sheet = picture(keyed / "contact_small.jpg")
    assert sheet.shape[0] == 4 * (181 + 4)
    assert sheet.shape[1] == 5 * (320 + 4)
    assert sheet.std() > 20


def test_no_screen_colour_is_left_in_the_foreground(keyed: Path) -> None:
    colour = picture(keyed / "fgr" / "small" / "0002.png").astype(int)
    assert (colour[..., 1] - colour[..., ::2].max(axis=2)).max() < 12


def test_an_interrupted_run_is_continued_with_the_same_bytes(copied: Path, keyed: Path, small_clip: Path) -> None:
    (copied / "pha" / "small" / "0003.png").unlink()
    summary = key_clip(small_clip, copied)
    assert (summary.keyed, summary.skipped) == (1, 3)
    assert contents(copied) == contents(keyed)


def test_a_range_of_frames_comes_out_as_in_the_whole(keyed: Path, small_clip: Path, tmp_path: Path) -> None:
    key_clip(small_clip, tmp_path / "part", frames="2-3")
    part, whole = contents(tmp_path / "part"), contents(keyed)
    assert sorted(part) == [f"{layer}/small/000{number}.png" for layer in ("fgr", "pha") for number in (2, 3)]
    assert all(whole[name] == data for name, data in part.items())


def test_stopping_keeps_finished_frames(small_clip: Path, tmp_path: Path) -> None:
    def stop(written: FrameWritten) -> None:
        assert written.total == 4
        if written.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        key_clip(small_clip, tmp_path / "out", progress=stop)
    assert len(contents(tmp_path / "out")) == 4
    assert key_clip(small_clip, tmp_path / "out").skipped == 2


def test_other_settings_are_refused_by_name_and_overwrite_starts_over(copied: Path, small_clip: Path) -> None:
    with pytest.raises(OutputError, match=r"settings\.screen was auto, is green"):
        key_clip(small_clip, copied, screen="green")
    assert key_clip(small_clip, copied, screen="green", frames="1", overwrite=True).keyed == 1
    assert len(contents(copied)) == 2


def test_another_clip_of_the_same_name_is_refused(copied: Path, filmed_again: Path) -> None:
    with pytest.raises(OutputError, match=r"source\.fingerprint\.\w+ was"):
        key_clip(filmed_again, copied)


@pytest.fixture
def filmed_again(small_clip: Path, tmp_path: Path) -> Path:
    path = tmp_path / small_clip.name
    path.write_bytes(small_clip.read_bytes())
    return path


def test_a_second_clip_goes_into_the_same_folder(copied: Path, small_clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(small_clip.read_bytes())
    assert key_clip(other, copied, frames="1").keyed == 1
    assert (copied / "pha" / "other" / "0001.png").is_file()


def test_a_foreign_folder_is_refused(small_clip: Path, tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(OutputError, match="not Howard's"):
        key_clip(small_clip, tmp_path)
    assert key_clip(small_clip, tmp_path, frames="1", overwrite=True).keyed == 1
    assert (tmp_path / "holiday.txt").is_file()


def test_a_sequence_keeps_its_numbers_and_a_still_is_a_clip_of_one(tmp_path: Path) -> None:
    picture = np.full((60, 90, 3), (60, 190, 60), np.uint8)
    cv2.circle(picture, (45, 35), 16, (60, 60, 200), -1, cv2.LINE_AA)
    (tmp_path / "frames").mkdir()
    for number in (7, 8):
        cv2.imwrite(str(tmp_path / "frames" / f"shot.{number:04d}.png"), picture)
    key_clip(tmp_path / "frames", tmp_path / "out", frames="8")
    assert sorted(contents(tmp_path / "out")) == ["fgr/shot/0008.png", "pha/shot/0008.png"]
    summary = key_clip(tmp_path / "frames" / "shot.0007.png", tmp_path / "still")
    assert summary.keyed == 1


@pytest.mark.parametrize("frames", ["0", "3-9", "3-2", "all"])
def test_frames_that_are_not_there_are_refused(small_clip: Path, tmp_path: Path, frames: str) -> None:
    with pytest.raises(SettingsError, match=r"frames 1-4|frames=2-3|frames=1-4"):
        key_clip(small_clip, tmp_path / "out", frames=frames)
    assert not (tmp_path / "out").exists()


def test_bad_inputs_are_named(tmp_path: Path, small_clip: Path) -> None:
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.full((40, 60, 3), 128, np.uint8))
    with pytest.raises(InputError, match=r"grey\.png: no green or blue screen found"):
        key_clip(grey, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="without pictures"):
        key_clip(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(SettingsError, match="screen=pink is unknown"):
        key_clip(small_clip, tmp_path / "out", screen="pink")
    assert not (tmp_path / "out").exists()
