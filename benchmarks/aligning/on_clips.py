"""Figures on clips: rendered ones whose clean background is known, and real ones whose homographies are."""

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from benchmarks.aligning.harness import METHODS, Case, Row, plate_aligners, score_case, unknown_errors
from benchmarks.aligning.methods import fit_colour
from benchmarks.aligning.scoring import Truth, homography_errors
from benchmarks.aligning.tables import Figures, figures, show_figures, show_groups
from benchmarks.scenes import MemoryClip
from benchmarks.scenes.pictures import read_colour, read_grey
from howard.align import Neighbour
from howard.media import Reader, open_reader

_ROOT = Path(__file__).resolve().parents[2]
_PUBLIC = ("rotation", "moderate", "strong")
_FRAMES = 5
_STEP = 8
# Levels of difference, in the fixed camera's view of the real clips, that only the person makes.
_PERSON_LEVELS = 30
_PERSON_GROWTH = 31


def run(arguments: argparse.Namespace, console: Console) -> Figures | None:
    """Score some frames of every clip that is there; None where there is none."""
    folders = [_ROOT / "data" / "sample", *(arguments.data / "bench_public" / name for name in _PUBLIC)]
    rows = []
    for folder in folders:
        if (folder / "shot.mp4").exists():
            rows += _score_rendered(folder)
        else:
            console.print(f"clips: {folder.name} left out, {folder} is not there")
    real = arguments.data / "clips"
    if (real / "homographies.json").exists():
        rows += _score_real(real)
    else:
        console.print(f"clips: the real clips left out, {real} is not there")
    if not rows:
        return None
    found = figures(rows, {})
    for group in dict.fromkeys(row.group for row in rows):
        show_figures(found, group, f"Clip {group}", console)
    show_groups(found, "wrong", "Wrong %, clip by clip", console)
    return found


def _score_rendered(folder: Path) -> Iterator[Row]:
    with open_reader(folder / "shot.mp4") as shot, open_reader(folder / "plate.mp4") as plate:
        frames = MemoryClip.of("plate", [frame.image for frame in plate])
        with plate_aligners(frames, METHODS) as aligners:
            for index in _spread(len(shot)):
                clean = read_colour(folder / "clean" / f"{index:04d}.jpg")
                alpha = read_grey(folder / "alpha" / f"{index:04d}.png")
                truth = Truth(clean, alpha.astype(np.float32) / 65535)
                case = Case(folder.name, shot[index], truth, unknown_errors, neighbours=_beside(shot, index))
                yield from score_case(case, frames, aligners, METHODS)


def _score_real(folder: Path) -> Iterator[Row]:
    """The clean background is the empty room of the fixed camera, moved by the known homography, its colours fitted."""
    known = json.loads((folder / "homographies.json").read_text())
    to_shot, to_plate = np.array(known["shot"]), np.array(known["plate"])
    with (
        open_reader(folder / "handheld_shot.mp4") as shot,
        open_reader(folder / "handheld_plate.mp4") as plate,
        open_reader(folder / "static_shot.mp4") as fixed_shot,
        open_reader(folder / "static_plate.mp4") as fixed_plate,
    ):
        empty = np.median([frame.image for frame in list(fixed_plate)[::6]], axis=0).astype(np.uint8)
        frames = MemoryClip.of("plate", [frame.image for frame in plate])
        with plate_aligners(frames, METHODS) as aligners:
            for index in _spread(len(shot)):
                truth = _real_truth(shot[index].image, fixed_shot[index].image, empty, to_shot[index])

                def errors(
                    matrix: np.ndarray, plate_index: int, index: int = index, truth: Truth = truth
                ) -> np.ndarray:
                    true = to_plate[plate_index] @ np.linalg.inv(to_shot[index])
                    return _errors_to(true, matrix, truth)

                case = Case("real, hand-held", shot[index], truth, errors, neighbours=_beside(shot, index))
                yield from score_case(case, frames, aligners, METHODS)


def _real_truth(source: np.ndarray, fixed: np.ndarray, empty: np.ndarray, to_shot: np.ndarray) -> Truth:
    difference = cv2.GaussianBlur(cv2.absdiff(fixed, empty).max(axis=2), (0, 0), 2)
    changed = (difference > _PERSON_LEVELS).astype(np.uint8)
    grown = cv2.dilate(changed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_PERSON_GROWTH,) * 2))
    size = (source.shape[1], source.shape[0])
    person = cv2.warpPerspective(grown.astype(np.float32), to_shot, size)
    clean = cv2.warpPerspective(empty, to_shot, size, flags=cv2.INTER_CUBIC)
    return Truth(fit_colour(source, clean, person < 0.5), person)


def _errors_to(true: np.ndarray, matrix: np.ndarray, truth: Truth) -> np.ndarray:
    """Errors of a plate -> source matrix; ``true`` maps source pixels to plate pixels."""
    background = truth.background[::_STEP, ::_STEP]
    rows, columns = np.indices(background.shape) * _STEP
    grid = np.stack([columns, rows], axis=-1).astype(np.float64)
    return homography_errors(matrix, cv2.perspectiveTransform(grid, true), background, _STEP)


def _spread(count: int) -> list[int]:
    """Frames to score, evenly over a clip of ``count``."""
    return np.linspace(1, count - 2, _FRAMES).round().astype(int).tolist()


def _beside(shot: Reader, index: int) -> list[Neighbour]:
    near = [index + step for step in (-1, 1, -2, 2)]
    return [Neighbour(other, partial(shot.__getitem__, other)) for other in near if 0 <= other < len(shot)]
