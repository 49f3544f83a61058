"""Checks of a shot and its plate before anything is aligned."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from howard.media import open_reader
from howard.options import RenderOptions
from howard.pipeline import plate_check
from howard.pipeline.inputs import open_inputs
from howard.pipeline.plate_check import PlateCheck, check_plate_is_empty, find_valid
from howard.pipeline.plate_indexing import SampledPlate
from howard.progress import SilentProgress
from howard.render_record import read_lines

from .conftest import encode
from .difference_key import DifferenceKey, KeyMatte


class Maps:
    """The maps of a prior that takes what is red for people."""

    def __init__(self, picture: np.ndarray) -> None:
        small = cv2.resize(picture, (80, 60), interpolation=cv2.INTER_AREA).astype(float)
        self._found = (small[..., 0] > 180) & (small[..., 1] < 80)

    def person(self) -> torch.Tensor:
        return torch.from_numpy(self._found)[None, None].float()


@pytest.fixture(autouse=True)
def red_is_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nobody_found: None) -> None:
    monkeypatch.setattr(plate_check, "_load_people_finder", lambda device: lambda picture, mask: Maps(picture))
    monkeypatch.setattr(plate_check, "default_cache_folder", lambda: tmp_path / "cache")


def check(shot: Path, plate: Path | str, subject: str = "person", **options: object) -> PlateCheck:
    with open_inputs(shot, plate, RenderOptions(**options), SilentProgress()) as inputs:  # type: ignore[arg-type]
        return check_plate_is_empty(inputs, SampledPlate(inputs.plate, SilentProgress()), DifferenceKey(), subject)


def test_an_empty_plate_is_used_as_it_is(clips):
    assert check(clips.shot, clips.plate) == PlateCheck()


def test_a_person_in_the_plate_is_found(clips):
    found = check(clips.shot, clips.shot, plate_frames="1-3")
    assert found.validity is not None
    assert found.validity.keeps_static
    assert found.remarks == ()


def test_disagreements_in_the_plate_are_found_for_any_subject(clips, tmp_path):
    assert check(clips.shot, clips.plate, "anything") == PlateCheck()
    with open_reader(clips.plate) as reader:
        frames = [reader[index].image.copy() for index in (0, 1, 2, 0, 1, 2)]
    frames[4][60:200, 30:110] = (40, 200, 60)
    found = check(clips.shot, encode(tmp_path / "passer.mp4", frames), "anything")
    assert found.validity is not None
    assert [found.validity.find(frame).all() for frame in (frames[0], frames[4])] == [True, False]


def test_swapped_clips_are_reported(clips):
    found = check(clips.plate, clips.shot)
    assert found.remarks == ("the plate shows a person and the shot none: are input= and plate= swapped?",)
    assert check(clips.shot, clips.plate).remarks == ()


def test_one_clip_in_two_files_is_reported(clips, tmp_path):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clips.shot.read_bytes())
    [remark] = check(clips.shot, copy).remarks
    assert remark.startswith("shot and plate are the same clip")


def test_a_plate_of_the_shot_itself_is_always_searched(clips):
    for subject in ("person", "anything"):
        found = check(clips.shot, "self", subject)
        assert found.validity is not None
        assert not found.validity.keeps_static


def test_the_mask_is_dilated(clips):
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[80:160, 100:200] = (255, 0, 0)
    valid = find_valid(lambda image, mask: Maps(image), picture)
    assert valid.shape == (60, 80)
    found = ~valid
    assert found[20:40, 25:50].all()
    assert found[19, 30]
    assert not found[10].any()
    speck = np.zeros_like(picture)
    speck[100:104, 100:104] = (255, 0, 0)
    assert find_valid(lambda image, mask: Maps(image), speck).all()


def test_a_render_does_not_use_the_person_in_its_plate(render, clips, tmp_path):
    summary = render(plate=clips.shot, plate_frames="4-6", frames="1-2", output=tmp_path / "out")
    lines = [line for line in read_lines(tmp_path / "out") if "number" in line]
    assert all(line["plate_hidden"] > 0.05 for line in lines)
    [remark] = summary.remarks
    assert remark.startswith("people in the plate hide the background of frames 1-2: ")
    assert f"note: {remark}" in summary.lines()


def test_a_shot_is_its_own_plate(render, clips, tmp_path):
    summary = render(plate="self", output=tmp_path / "self")
    assert summary.remarks == ()
    assert summary.rendered == 6
    lines = [line for line in read_lines(tmp_path / "self") if "number" in line]
    assert all(line["plate_indices"] for line in lines)
    again = render(plate="self", output=tmp_path / "again")
    frames = [sorted((tmp_path / name).glob("*.png")) for name in ("self", "again")]
    assert [path.read_bytes() for path in frames[0]] == [path.read_bytes() for path in frames[1]]
    assert again.rendered == 6


class BlindKey(DifferenceKey):
    """Finds nobody."""

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray, person: Any = None) -> KeyMatte:
        matte = super().__call__(source, plate, coverage, person)
        return matte._replace(alpha=np.zeros_like(matte.alpha))


def test_a_shot_in_which_nobody_is_found_is_not_usable(render):
    summary = render(predictor=BlindKey())
    assert summary.reasons["empty"] == (1, 2, 3, 4, 5, 6)
    assert "needs checking, nobody found: frames 1-6" in summary.lines()
    assert not summary.is_usable
    # Of a part of the shot that is no fault: somebody may come later.
    assert render(predictor=BlindKey(), frames="1-2").is_usable
    assert render(predictor=BlindKey()).reasons == summary.reasons
