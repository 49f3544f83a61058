"""How many right plates are refused and how many wrong ones accepted, on scenes that no threshold was chosen on."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from benchmarks.aligning.scene_scores import TEST_SEED, existing
from benchmarks.measuring import PUBLIC_CLIPS, print_table, use_one_thread
from benchmarks.scenes import KINDS, MemoryClip, Scene, Size, Stock
from howard.align import AlignmentStatus, PlateAligner
from howard.media import Frame, open_reader

_SIZE = Size(960, 540)
_SEED_STEP = 100
_SHOT_FRAMES, _PLATE_STEP = 4, 4
_CLIPS = ("rotation", "moderate", "strong")
_CLIP_STEP = 4


class Place(NamedTuple):
    """Shot frames, their plate, and the plate of another place."""

    material: str
    name: str
    sources: list[Frame]
    plate: MemoryClip
    wrong_plate: MemoryClip


def run(arguments: argparse.Namespace, console: Console) -> dict[str, dict[str, int]]:
    """Align shot frames to their own plate and to another place's; print and return counts of statuses."""
    use_one_thread()
    counts: dict[str, Counter[str]] = {}
    faults: list[str] = []
    for place in (*_scenes(arguments.data, arguments.seeds), *_clips()):
        for is_right, plate in ((True, place.plate), (False, place.wrong_plate)):
            aligner = PlateAligner(plate, quality="fast")
            statuses = Counter(aligner.align(source).status for source in place.sources)
            counts.setdefault(f"{place.material}, {'right' if is_right else 'wrong'} plates", Counter()).update(
                statuses
            )
            fault = AlignmentStatus.FAILED if is_right else AlignmentStatus.GOOD
            if statuses[fault]:
                faults.append(f"{place.name}: {statuses[fault]} {'right refused' if is_right else 'wrong accepted'}")
    rows = ([name, count.total(), *(count[status] for status in AlignmentStatus)] for name, count in counts.items())
    print_table("Status of right and wrong plates (quality=fast)", ("", "pairs", *AlignmentStatus), rows, console)
    console.print("\n".join(faults) or "none refused or accepted wrongly")
    return {name: {str(status): count[status] for status in AlignmentStatus} for name, count in counts.items()}


def _scenes(data: Path, seeds: int) -> Iterator[Place]:
    """Rendered scenes at half size, of seeds that the section "scenes" does not use.

    The wrong plate is of the same kind of scene, from the other half of the photographs.
    """
    stock, others = (Stock(existing(data), is_test) for is_test in (True, False))
    for kind in KINDS:
        for seed in range(TEST_SEED + _SEED_STEP, TEST_SEED + _SEED_STEP + seeds):
            scene, other = Scene(kind, seed, stock, _SIZE), Scene(kind, seed + _SEED_STEP, others, _SIZE)
            chosen = np.linspace(0, len(scene.scored) - 1, _SHOT_FRAMES).astype(int)
            sources = [scene.shot[scene.scored[number]] for number in chosen]
            yield Place("scenes", f"{kind.name} {seed}", sources, _every_fourth(scene), _every_fourth(other))


def _every_fourth(scene: Scene) -> MemoryClip:
    return MemoryClip.of("plate", [scene.plate[index].image for index in range(0, len(scene.plate), _PLATE_STEP)])


def _clips() -> Iterator[Place]:
    """The public clips, each with the next one's plate as the wrong one."""
    plates = []
    for name in _CLIPS:
        with open_reader(PUBLIC_CLIPS / name / "plate.mp4") as plate:
            plates.append(MemoryClip.of(name, [frame.image for frame in plate]))
    for number, name in enumerate(_CLIPS):
        with open_reader(PUBLIC_CLIPS / name / "shot.mp4") as shot:
            sources = list(shot)[::_CLIP_STEP]
        yield Place("public clips", name, sources, plates[number], plates[(number + 1) % len(plates)])
