"""Photographs and people for scenes: those of a data folder, or procedural ones."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes import procedural
from benchmarks.scenes.camera import Size
from benchmarks.scenes.pictures import read_colour, read_grey

_PERSON_HEIGHT = 720
_SMALL_WIDTH = 600
_THUMBNAIL = (96, 64)
_BLOCK = 8
# Mean gradient, in grey levels a pixel, from which a block of the thumbnail counts as detail.
_DETAIL_LEVELS = 6.0


class Cutout(NamedTuple):
    """A person: ``colour`` (h, w, 3) uint8 RGB, straight, and ``alpha`` (h, w) uint8."""

    colour: np.ndarray
    alpha: np.ndarray


class Stock:
    """One half of the pictures under ``root``: scenes for tuning use one half, scenes for reported figures the other.

    ``root`` may have ``backgrounds/**/*.jpg`` and ``people_real/ID_fgr.jpg`` with ``ID_pha.png``. What is missing, or
    everything where ``root`` is None, is procedural.
    """

    def __init__(self, root: Path | None, is_test: bool) -> None:
        half = slice(1 if is_test else 0, None, 2)
        self._photographs = _by_detail(root / "backgrounds")[half] if root else []
        people = sorted((root / "people_real").glob("*_fgr.jpg")) if root else []
        # Portraits are few and fill the frame best, so they are split separately.
        portraits = [path for path in people if path.name.startswith("p3m")]
        standing = [path for path in people if not path.name.startswith("p3m")]
        self._portraits, self._standing = portraits[half], standing[half]

    def photograph(self, rng: np.random.Generator, size: Size, detail: tuple[float, float] = (0.4, 1.0)) -> np.ndarray:
        """A picture of ``size``, (h, w, 3) uint8 RGB, cropped from one whose rank by detail is in the given range."""
        first, last = (round(rank * len(self._photographs)) for rank in detail)
        if first >= last:
            return procedural.place(rng, size)
        path = self._photographs[int(rng.integers(first, last))]
        # Small crops do not need the full resolution.
        image = read_colour(path, reduced=size.width < _SMALL_WIDTH)
        if rng.random() < 0.5:
            image = image[:, ::-1]
        scale = max(size.width / image.shape[1], size.height / image.shape[0])
        method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        covering = (max(size.width, round(image.shape[1] * scale)), max(size.height, round(image.shape[0] * scale)))
        image = cv2.resize(image, covering, interpolation=method)
        top = (image.shape[0] - size.height) // 2
        left = (image.shape[1] - size.width) // 2
        return np.ascontiguousarray(image[top : top + size.height, left : left + size.width])

    def people(self, rng: np.random.Generator) -> Cutout:
        """One person close to the camera, or two or three next to each other; they may be cut at the lower edge."""
        if self._portraits and rng.random() < 0.2:
            return _read_cutout(self._portraits[int(rng.integers(len(self._portraits)))])
        people = [self._person(rng) for _ in range(int(rng.integers(2, 4)))]
        return _side_by_side(people, rng)

    def _person(self, rng: np.random.Generator) -> Cutout:
        if self._standing:
            return _read_cutout(self._standing[int(rng.integers(len(self._standing)))])
        figure = procedural.figure(rng)
        return Cutout(np.ascontiguousarray(figure[..., :3]), np.ascontiguousarray(figure[..., 3]))


def _read_cutout(path: Path) -> Cutout:
    alpha = path.with_name(path.name.replace("_fgr.jpg", "_pha.png"))
    return Cutout(read_colour(path), read_grey(alpha, cv2.IMREAD_GRAYSCALE))


def _side_by_side(people: list[Cutout], rng: np.random.Generator) -> Cutout:
    """People of similar height in a row, each overlapping the one to the left."""
    placed, left = [], 0
    for person in people:
        height = round(_PERSON_HEIGHT * rng.uniform(0.92, 1.0))
        width = round(person.alpha.shape[1] * height / person.alpha.shape[0])
        colour, alpha = (cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) for part in person)
        placed.append((left, colour, alpha))
        left += round(width * rng.uniform(0.5, 0.7))
    width = max(left + colour.shape[1] for left, colour, _ in placed)
    total = np.zeros((_PERSON_HEIGHT, width), np.float32)
    mixed = np.zeros((_PERSON_HEIGHT, width, 3), np.float32)
    for left, colour, alpha in placed:
        here = (slice(_PERSON_HEIGHT - alpha.shape[0], None), slice(left, left + alpha.shape[1]))
        # A small weight everywhere, so that colours continue beyond the edges here too.
        weight = np.maximum(alpha.astype(np.float32) / 255, 1e-3)[..., None]
        mixed[here] = mixed[here] * (1 - weight) + weight * colour
        total[here] = total[here] * (1 - weight[..., 0]) + weight[..., 0]
    colour = mixed / np.maximum(total, 1e-3)[..., None]
    return Cutout(np.rint(np.clip(colour, 0, 255)).astype(np.uint8), np.rint(255 * total).astype(np.uint8))


@cache
def _by_detail(folder: Path) -> list[Path]:
    """Photographs below a folder in order of detail; one of each group where ``manifest.csv`` has groups."""
    photographs = sorted(folder.rglob("*.jpg"))
    manifest = folder / "manifest.csv"
    if manifest.exists():
        with manifest.open(encoding="utf-8", newline="") as rows:
            groups = {row["file"]: row["group"] for row in csv.DictReader(rows) if row.get("group")}
        names = [path.relative_to(folder).as_posix() for path in photographs]
        of_group = dict(zip((groups.get(name, name) for name in names), photographs, strict=True))
        photographs = sorted(of_group.values())
    return sorted(photographs, key=_detail)


def _detail(path: Path) -> float:
    """Fraction of blocks of the picture with a strong gradient."""
    small = read_grey(path, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    grey = cv2.resize(small, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
    slope = cv2.magnitude(
        cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)
    )
    blocks = cv2.resize(slope, (_THUMBNAIL[0] // _BLOCK, _THUMBNAIL[1] // _BLOCK), interpolation=cv2.INTER_AREA)
    return float((blocks > _DETAIL_LEVELS).mean())
