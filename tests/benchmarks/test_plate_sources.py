"""The comparison of plates composites the person as documented, and its command runs."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.plate_sources import SOURCES, add_person_to_plate
from howard.evaluation.true_clip import TrueClip
from howard.media import open_reader
from tests.small_clips import SAMPLE, small_clip

ROOT = Path(__file__).parents[2]
SIZE = (320, 180)
POSES, PLATE_FRAMES = 2, 3


@pytest.fixture
def clip(tmp_path: Path) -> TrueClip:
    """The sample's first frames at a quarter of its size, with their truth."""
    folder = tmp_path / "clip"
    for name, suffix in (("alpha", "png"), ("clean", "jpg"), ("fgr", "jpg")):
        (folder / name).mkdir(parents=True)
        for number in range(POSES):
            file = f"{name}/{number:04d}.{suffix}"
            picture = cv2.imread(str(SAMPLE / file), cv2.IMREAD_UNCHANGED)
            assert picture is not None
            cv2.imwrite(str(folder / file), cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA))
    small_clip(folder / "shot.mp4", 0, POSES)
    small_clip(folder / "plate.mp4", 30, PLATE_FRAMES, clip="plate.mp4")
    return TrueClip(folder)


def test_the_mirrored_person_is_in_every_plate_frame(clip: TrueClip, tmp_path: Path) -> None:
    with open_reader(add_person_to_plate(clip, tmp_path / "plate")) as laid, open_reader(clip.plate) as plate:
        assert len(laid) == len(plate) == PLATE_FRAMES
        for index in range(PLATE_FRAMES):
            difference = np.abs(laid[index].image.astype(int) - plate[index].image).max(axis=2)
            person = clip.alpha(POSES - 1 - index % POSES)[:, ::-1]
            assert (difference[person == 0] <= 1).mean() > 0.999
            assert (difference[person == 1] > 10).mean() > 0.8


@pytest.mark.slow
def test_the_command_scores_every_plate(clip: TrueClip) -> None:
    line = [sys.executable, str(ROOT / "benchmarks" / "plate_sources.py"), str(clip.folder), "--every", "2"]
    result = subprocess.run(line, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    assert all(source in result.stdout for source in SOURCES)
