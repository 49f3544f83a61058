"""Working folders in which the documentation's commands find, under the names it uses, small files to work on."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.screens import drawn_clip, write_clip
from tests.conftest import draw_people, draw_places
from tests.documentation.pages import ROOT
from tests.evaluation.ball_clip import write_ball_clip
from tests.small_clips import small_clip

SAMPLE = ROOT / "data" / "sample"
BENCH_CLIP = ROOT / "data" / "bench_public" / "rotation"
MOVING_CLIP = ROOT / "data" / "bench_v2" / "gestures"
# Of the shots and of the plates.
SHOT_FRAMES, PLATE_FRAMES = 4, 2
SCORED_FRAMES = 3
OTHER_METHOD = """
import pathlib, shutil, sys
shot, output = map(pathlib.Path, sys.argv[1:3])
for matte in sorted((shot.parent / "alpha").glob("*.png")):
    shutil.copy(matte, output)
"""
SHOTS = ("shot.mp4", "my shot.mp4", "shot.mov", "a.mov", "b.mov")
PLATES = ("plate.mp4", "plate.mov", "b_plate.mov")


def shots(folder: Path) -> None:
    """Shots, plates and two masks; and the command ``howard`` on the search path."""
    clip = small_clip(folder / ".shot.mp4", 0, SHOT_FRAMES)
    plate = small_clip(folder / ".plate.mp4", 30, PLATE_FRAMES, clip="plate.mp4")
    for names, source in ((SHOTS, clip), (PLATES, plate)):
        for name in names:
            shutil.copy(source, folder / name)
    mask = np.zeros((180, 320), np.uint8)
    mask[:, :40] = 255
    cv2.imwrite(str(folder / "crew.png"), mask)
    cv2.imwrite(str(folder / "body.png"), mask[:, ::-1])
    program = folder / "bin" / "howard"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m howard "$@"\n')
    program.chmod(0o755)


def collections(folder: Path) -> None:
    """``data`` with small collections: people and places, also under the names of the project's own."""
    data = folder / "data"
    data.mkdir()
    draw_people(data / "people")
    (data / "people" / "val.txt").write_text("c")
    (data / "people" / "test.txt").write_text("d")
    draw_places(data / "places")
    shutil.copy(data / "places" / "open" / "c.jpg", data / "places" / "open" / "d.jpg")
    with (data / "places" / "manifest.csv").open("a") as manifest:
        manifest.write("\nopen/d.jpg,test")
    for name in ("people_real", "people_rendered", "people_moving"):
        shutil.copytree(data / "people", data / name)
    shutil.copytree(data / "places", data / "backgrounds")
    _plate_pairs(data / "plate_pairs")
    screen = drawn_clip(42, "green", count=2, size=(120, 212))
    write_clip(folder / ".screen.mp4", screen.frames).rename(folder / "greenscreen.mov")


def _plate_pairs(folder: Path) -> None:
    """Two of the sample's pairs at a third of their size, one to train on and one for validation."""
    folder.mkdir()
    for side, room in (("train", "r0010_09"), ("val", "r0016_03")):
        for camera in ("src", "plate"):
            picture = cv2.imread(str(SAMPLE / "places" / f"{room}_{camera}.jpg"))
            assert picture is not None
            small = cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / f"{room}_{camera}.jpg"), small)
        (folder / f"{side}.txt").write_text(f"{room}\n")


def samples(folder: Path) -> None:
    """Collections, ``data/sample`` and a clip of each benchmark with the truth that mattes are scored against."""
    collections(folder)
    shutil.copytree(SAMPLE, folder / "data" / "sample")
    for clip in (BENCH_CLIP, MOVING_CLIP):
        shutil.copytree(clip, folder / "data" / clip.parent.name / clip.name)


def scored(folder: Path) -> None:
    """A render of a shot whose truth is in ``data/sample``, of three frames: mattes that are a little too soft."""
    truth = folder / "data" / "sample"
    (folder / "renders" / "shot").mkdir(parents=True)
    small_clip(_made(truth) / "shot.mp4", 0, SCORED_FRAMES, 1280, 720)
    for number in range(SCORED_FRAMES):
        for name in (f"alpha/{number:04d}.png", f"clean/{number:04d}.jpg"):
            shutil.copy(SAMPLE / name, _made((truth / name).parent))
        alpha = cv2.imread(str(SAMPLE / "alpha" / f"{number:04d}.png"), cv2.IMREAD_UNCHANGED)
        assert alpha is not None
        soft = cv2.GaussianBlur(alpha, (0, 0), 2)
        cv2.imwrite(str(folder / "renders" / "shot" / f"shot.{number + 1:04d}.png"), soft)


def other_method(folder: Path) -> None:
    """A clip of the benchmark, mattes of it that are a little too soft, and ``other.py``, which makes the true ones."""
    clip = folder / "data" / "bench_public" / "rotation"
    shutil.copytree(BENCH_CLIP, clip)
    mattes = _made(folder / "mattes" / "other" / "rotation")
    for path in sorted((clip / "alpha").glob("*.png")):
        alpha = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert alpha is not None
        cv2.imwrite(str(mattes / path.name), cv2.GaussianBlur(alpha, (0, 0), 2))
    (folder / "other.py").write_text(OTHER_METHOD)


def rendered(folder: Path) -> None:
    """A clip and a render of it, both of three frames and small."""
    clip = write_ball_clip(folder / "clip")
    render = _made(folder / "renders" / "demo")
    for index in range(SCORED_FRAMES):
        alpha = np.rint(255 * clip.alpha(index)).astype(np.uint8)
        white = np.full((*alpha.shape, 3), 255, np.uint8)
        cv2.imwrite(str(render / f"shot.{index + 1:04d}.png"), np.dstack([white, alpha]))


def rendered_clips(folder: Path) -> None:
    """A folder of two clips and a render of each, like `rendered`."""
    rendered(folder)
    for name in ("first", "second"):
        shutil.copytree(folder / "clip", folder / "clips" / name)
        shutil.copytree(folder / "renders" / "demo", folder / "renders" / name)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def nothing(folder: Path) -> None:
    """An empty folder."""


LayOut = Callable[[Path], None]
