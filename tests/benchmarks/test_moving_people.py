"""Clips of moving people: what is written recomposes to what is filmed, and the data sets are asked for by name."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.moving_people import write_moving_clips
from howard.colour import mix
from howard.errors import InputError
from howard.evaluation.true_clip import TrueClip
from howard.media import open_reader, read_still, to_depth

ROOT = Path(__file__).parents[2]
FRAMES = 3
HEIGHT, WIDTH = 96, 160


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A room of colour ramps, and a person who is a red disc with a soft edge and moves to the right."""
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    place = np.dstack([down * 2, right, 255 - right]).astype(np.uint8)
    pairs, people = tmp_path / "plate_pairs", tmp_path / "people_moving"
    pairs.mkdir()
    for kind in ("src", "plate"):
        cv2.imwrite(str(pairs / f"r1_00_{kind}.jpg"), place)
    (pairs / "val.txt").write_text("r1_00\n")
    for kind in ("fgr", "pha"):
        (people / kind / "0001").mkdir(parents=True)
    (people / "val.txt").write_text("0001\n")
    for index in range(FRAMES):
        disc = np.zeros((80, 80), np.uint8)
        cv2.circle(disc, (30 + 6 * index, 40), 22, 255, -1)
        cv2.imwrite(str(people / "pha" / "0001" / f"{index:04d}.png"), cv2.GaussianBlur(disc, (0, 0), 3))
        colour = np.full((80, 80, 3), (30, 40, 200), np.uint8)
        cv2.imwrite(str(people / "fgr" / "0001" / f"{index:04d}.jpg"), colour)
    return tmp_path


def test_source_is_person_over_place_in_linear_light(data: Path) -> None:
    (folder,) = write_moving_clips(data, data / "clips")
    clip = TrueClip(folder)
    with open_reader(clip.shot) as shot, open_reader(clip.plate) as plate:
        assert len(shot) == len(plate) == FRAMES
        for index in range(FRAMES):
            alpha = clip.alpha(index)
            assert alpha.shape == (HEIGHT, WIDTH)
            assert alpha.max() > 0.9
            assert ((alpha > 0.1) & (alpha < 0.9)).any()
            person = to_depth(read_still(folder / "fgr" / f"{index:04d}.jpg"), np.float32)
            mixed = mix(person, to_depth(clip.clean(index), np.float32), alpha[..., None])
            # Noise, both codecs, and colour at half size.
            assert np.abs(mixed - to_depth(shot[index].image, np.float32)).mean() < 0.03


def test_takes_are_seen_by_cameras_that_move(data: Path) -> None:
    (folder,) = write_moving_clips(data, data / "clips")
    first, last = (TrueClip(folder).clean(index).astype(float) for index in (0, FRAMES - 1))
    assert np.abs(first - last).mean() > 0.5


def test_missing_data_sets_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="people_moving and plate_pairs"):
        next(write_moving_clips(tmp_path, tmp_path / "clips"))


def test_the_command_writes_the_clips_of_a_split(data: Path) -> None:
    for name in ("plate_pairs", "people_moving"):
        (data / name / "val.txt").rename(data / name / "train.txt")
    command = [sys.executable, "benchmarks/moving_people.py", str(data / "clips"), "--data", str(data)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "has no people_moving and plate_pairs" in refused.stderr
    assert "Traceback" not in refused.stderr
    done = subprocess.run([*command, "--split", "train"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder,) = (data / "clips").iterdir()
    assert done.stdout == f"{folder}\n"
    assert TrueClip(folder).alpha(0).max() > 0.9
