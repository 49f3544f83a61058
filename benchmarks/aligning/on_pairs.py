"""Figures on rendered rooms seen from two hand-held cameras: true parallax, and a source that is empty in truth."""

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from benchmarks.aligning.harness import METHODS, Case, Row, plate_aligners, score_case, unknown_errors
from benchmarks.aligning.scoring import Truth, homography_errors
from benchmarks.aligning.tables import Figures, figures, show_figures, show_groups
from benchmarks.scenes import MemoryClip, Size, Stock
from benchmarks.scenes.actor import Actor
from benchmarks.scenes.pictures import read_colour, read_grey
from benchmarks.scenes.surfaces import blend
from howard.media import Frame

LEVELS = ("tiny", "mild", "medium", "strong")
_PAIRS_PER_LEVEL = 4
_HIDDEN = (0.25, 0.45)
_KINDS = ("empty", "with people")


class Pair(NamedTuple):
    """``name`` of the files in ``folder``, and what their .json says."""

    folder: Path
    name: str
    about: dict

    def read(self, view: str) -> np.ndarray:
        """ "src" or "plate": (H, W, 3) uint8 RGB."""
        return read_colour(self.folder / f"{self.name}_{view}.jpg")


class Peopled(NamedTuple):
    """``image`` (H, W, 3) uint8 with people, and the ``alpha`` (H, W) uint8 of theirs."""

    image: np.ndarray
    alpha: np.ndarray


def run(arguments: argparse.Namespace, console: Console) -> Figures | None:
    """Score some pairs of each level, with and without people pasted in; None where there are none."""
    folder = arguments.data / "plate_pairs"
    if not folder.is_dir():
        console.print(f"pairs: left out, {folder} is not there")
        return None
    stock = Stock(arguments.data, held_out=True)
    rows = []
    for number, pair in enumerate(_choose(folder)):
        rows += _score_pair(pair, stock, number)
    found = figures(rows, {kind: [f"{level}, {kind}" for level in LEVELS] for kind in _KINDS})
    for kind in _KINDS:
        show_figures(found, kind, f"{_PAIRS_PER_LEVEL * len(LEVELS)} rendered pairs of rooms, {kind}", console)
    show_groups(found, "wrong", "Wrong %, level by level", console)
    return found


def _choose(folder: Path) -> Iterator[Pair]:
    """Pairs spread evenly over each level's, those with depth first."""
    pairs = [Pair(folder, path.stem, json.loads(path.read_text())) for path in sorted(folder.glob("r*.json"))]
    for level in LEVELS:
        of_level = [pair for pair in pairs if pair.about["level"] == level and "depth" in pair.about]
        for place in np.linspace(0, len(of_level) - 1, _PAIRS_PER_LEVEL).round().astype(int):
            yield of_level[place]


def _score_pair(pair: Pair, stock: Stock, number: int) -> Iterator[Row]:
    clean = pair.read("src")
    plate = MemoryClip.of(pair.name, [pair.read("plate")])
    sources = {"empty": Peopled(clean, np.zeros(clean.shape[:2], np.uint8)),
               "with people": with_people(clean, stock, number)}  # fmt: skip
    with plate_aligners(plate, METHODS) as aligners:
        for kind, (image, alpha) in sources.items():
            truth = Truth(clean, alpha.astype(np.float32) / 255)
            frame = Frame(image, 0, 1, Fraction(0))
            errors = _true_errors(pair, truth)
            yield from score_case(
                Case(f"{pair.about['level']}, {kind}", frame, truth, errors, closest=0), plate, aligners, METHODS
            )


def with_people(clean: np.ndarray, stock: Stock, number: int) -> Peopled:
    """A picture with people before it; the same ``number`` gives the same people in the same place."""
    rng = np.random.default_rng(number)
    size = Size(clean.shape[1], clean.shape[0])
    person = Actor(stock.people(rng), size, float(rng.uniform(*_HIDDEN)), rng).at(0)
    return Peopled(blend(clean, person.colour, person.alpha), person.alpha)


def _true_errors(pair: Pair, truth: Truth):
    """Errors of a homography by the depth of the source, which is given at half size."""
    depth_path = pair.folder / f"{pair.name}_depth.png"
    if not depth_path.exists():
        return unknown_errors
    positions = _positions(pair, read_grey(depth_path))
    height, width = truth.clean.shape[:2]
    inside = (positions >= 0).all(axis=2) & (positions[..., 0] < width) & (positions[..., 1] < height)
    usable = inside & truth.background[::2, ::2]

    def errors(matrix: np.ndarray, plate_index: int) -> np.ndarray:
        # Depth is that of points half a pixel right of and below every second pixel's centre.
        beside = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]]) @ matrix
        return homography_errors(beside, positions, usable, step=2)

    return errors


def _positions(pair: Pair, depth: np.ndarray) -> np.ndarray:
    """Plate pixels (h, w, 2), centres at integers, of the points whose depth in millimetres is given at half size."""
    about = pair.about
    focal, centre = about["K"][0][0], np.array([about["K"][0][2], about["K"][1][2]])
    rows, columns = np.indices(depth.shape)
    # The files count pixel edges, so that the first centre is at 0.5.
    seen = 2 * (np.dstack([columns, rows]) + 0.5)
    metres = depth[..., None] / 1000
    across = (seen - centre) / focal * metres
    points = np.concatenate([across[..., :1], -across[..., 1:], -metres, np.ones_like(metres)], axis=2)
    to_plate = np.linalg.inv(np.array(about["plate_c2w"])) @ np.array(about["src_c2w"])
    there = points @ to_plate.T
    return centre + focal * there[..., :2] * (1, -1) / -there[..., 2:3] - 0.5
