"""How many wrong plates pass, and how many right ones are refused, on material that no threshold was fixed on."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.aligning.harness import use_one_thread
from benchmarks.aligning.on_pairs import Pair, with_people
from benchmarks.aligning.on_scenes import HELD_OUT_SEED, existing
from benchmarks.scenes import KINDS, MemoryClip, Scene, Size, Stock
from howard.align import AlignmentStatus, PlateAligner
from howard.media import Frame, open_reader

_SIZE = Size(960, 540)
_SEED_STEP = 100
_SEEDS = 3
_SHOTS, _PLATE_STEP = 4, 4
_CLIPS = ("rotation", "moderate", "strong")
_CLIP_STEP = 4
_ROOM_STEP = 13


class Verdict(NamedTuple):
    """What was said of a pair: ``material`` and ``place`` of the source, whether the plate was ``right``."""

    material: str
    place: str
    right: bool
    status: AlignmentStatus


class Place(NamedTuple):
    """Source frames, frames of their own plate, and those of another place's."""

    name: str
    sources: list[Frame]
    plate: MemoryClip
    wrong_plate: MemoryClip


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, int]]:
    """Try sources on their own plates and on others'; print and return how many came out as what."""
    use_one_thread()
    verdicts = [
        verdict
        for material, places in (
            ("scenes", _scenes(arguments.data)),
            ("rooms", _rooms(arguments.data, console)),
            ("public clips", _clips(arguments.data, console)),
        )
        for place in places
        for verdict in _try(material, place)
    ]
    counts: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        name = f"{verdict.material}, {'right' if verdict.right else 'wrong'} plates"
        counts.setdefault(name, Counter())[verdict.status] += 1
    table = Table(title="Verdicts of the gate (quality fast)", title_justify="left")
    for heading in ("", "pairs", *AlignmentStatus):
        table.add_column(str(heading), justify="right" if heading else "left")
    for name, count in counts.items():
        table.add_row(name, str(count.total()), *(str(count[status]) for status in AlignmentStatus))
    console.print(table)
    _show_faults("right plates refused (at most 2 %)", True, AlignmentStatus.FAILED, verdicts, console)
    _show_faults("wrong plates passed as good (none)", False, AlignmentStatus.GOOD, verdicts, console)
    return {name: {str(status): count[status] for status in AlignmentStatus} for name, count in counts.items()}


def _show_faults(
    title: str, right: bool, status: AlignmentStatus, verdicts: Sequence[Verdict], console: Console
) -> None:
    asked = [verdict for verdict in verdicts if verdict.right is right]
    faults = Counter(verdict.place for verdict in asked if verdict.status is status)
    where = ", ".join(f"{place} {count}" for place, count in faults.items())
    console.print(f"{title}: {faults.total()} of {len(asked)}" + (f" ({where})" if where else ""))


def _try(material: str, place: Place) -> Iterator[Verdict]:
    for right, plate in ((True, place.plate), (False, place.wrong_plate)):
        aligner = PlateAligner(plate, quality="fast")
        for source in place.sources:
            yield Verdict(material, place.name, right, aligner.align(source).status)


def _scenes(data: Path) -> Iterator[Place]:
    """Rendered scenes, half size, of seeds that the figures on scenes do not use.

    The wrong plate is of the same kind of place, built from the other half of the photographs.
    """
    stock, others = (Stock(existing(data), held_out) for held_out in (True, False))
    for kind in KINDS:
        for seed in range(HELD_OUT_SEED + _SEED_STEP, HELD_OUT_SEED + _SEED_STEP + _SEEDS):
            scene, other = Scene(kind, seed, stock, _SIZE), Scene(kind, seed + _SEED_STEP, others, _SIZE)
            indices = [scene.scored[place] for place in np.linspace(0, len(scene.scored) - 1, _SHOTS).astype(int)]
            sources = [scene.shot[index] for index in indices]
            yield Place(f"{kind.name} {seed}", sources, _thinned(scene), _thinned(other))


def _thinned(scene: Scene) -> MemoryClip:
    return MemoryClip.of("plate", [scene.plate[index].image for index in range(0, len(scene.plate), _PLATE_STEP)])


def _rooms(data: Path, console: Console) -> Iterator[Place]:
    """Rendered rooms, seen from up to 40 cm aside, with people pasted in; the wrong plate is of another room that has
    some of the same furniture. One pair of every four: thresholds were fixed on others."""
    folder = data / "plate_pairs"
    if not folder.is_dir():
        console.print(f"gate: the rooms left out, {folder} is not there")
        return
    pairs = [Pair(folder, path.stem, json.loads(path.read_text())) for path in sorted(folder.glob("r*.json"))][3::4]
    stock = Stock(data, held_out=True)
    for number, pair in enumerate(pairs):
        image = with_people(pair.read("src"), stock, number).image
        others = [other for other in pairs if other.about["room"] != pair.about["room"]]
        wrong = others[(number * _ROOM_STEP) % len(others)]
        plates = (MemoryClip.of(each.name, [each.read("plate")]) for each in (pair, wrong))
        yield Place(f"{pair.name} ({pair.about['level']})", [Frame(image, 0, 1, Fraction(0))], *plates)


def _clips(data: Path, console: Console) -> Iterator[Place]:
    """The public clips, each with the next one's plate as the wrong one."""
    folders = [data / "bench_public" / name for name in _CLIPS]
    if not all(folder.is_dir() for folder in folders):
        console.print(f"gate: the public clips left out, {data / 'bench_public'} is not there")
        return
    plates = []
    for folder in folders:
        with open_reader(folder / "plate.mp4") as plate:
            plates.append(MemoryClip.of(folder.name, [frame.image for frame in plate]))
    for number, folder in enumerate(folders):
        with open_reader(folder / "shot.mp4") as shot:
            sources = list(shot)[::_CLIP_STEP]
        yield Place(folder.name, sources, plates[number], plates[(number + 1) % len(plates)])
