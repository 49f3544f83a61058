"""Whole commands over damaged files and odd settings: what lies in a case's folder, and the arguments."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard.render_record import SIDECAR, find_journals
from tests.fuzz.corpus import Corpus
from tests.fuzz.damage import damage_arguments, damage_bytes, damage_json, damage_lines

OUTPUT = "out"
_FORMATS = ("png", "png16", "exr", "prores", "ffv1", "webm", "matte", "composite")
_QUALITIES = ("fast", "fast", "standard", "best")


class Case(NamedTuple):
    """A command to be run in ``folder``; ``cache`` is where it keeps what it finds out about plates."""

    name: str
    folder: Path
    arguments: list[str]
    cache: Path | None = None


Maker = Callable[[Corpus, Path, np.random.Generator], list[str]]


def make_case(corpus: Corpus, folder: Path, number: int, seed: int) -> Case:
    """Case ``number`` in ``folder``, which is made; kinds take turns."""
    kind = list(KINDS)[number % len(KINDS)]
    folder.mkdir(parents=True)
    arguments = KINDS[kind](corpus, folder, np.random.default_rng([seed, number]))
    # Every fourth with the network that ships.
    if kind not in ("weights", "record", "settings", "sweep") and number % 4:
        arguments.append(f"weights={corpus.weights}")
    cache = folder / "cache" if kind == "cache" else None
    return Case(f"{kind} {number}", folder, arguments, cache)


def _damaged(source: Path, folder: Path, random: np.random.Generator) -> Path:
    """A damaged copy of a file."""
    path = folder / f"damaged{source.suffix}"
    path.write_bytes(damage_bytes(source.read_bytes(), random))
    return path


def _pick(random: np.random.Generator, *choices: str) -> str:
    return choices[random.integers(len(choices))]


def _shot(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    damaged = _damaged(corpus.shot, folder, random)
    return [f"input={damaged}", f"plate={corpus.plate}", f"format={_pick(random, *_FORMATS[:-1])}", "quality=fast"]


def _plate(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    source = corpus.shot if random.random() < 0.5 else corpus.plate
    damaged = _damaged(source, folder, random)
    return [f"input={corpus.shot}", f"plate={damaged}", f"quality={_pick(random, *_QUALITIES)}", "frames=2"]


def _sequence(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    """The render's own frames as a shot, of which one is damaged, missing, foreign or of an odd name."""
    frames = sorted(corpus.render.glob("*.png"))
    target = folder / "frames"
    target.mkdir()
    for frame in frames:
        shutil.copy(frame, target)
    victim = target / frames[random.integers(len(frames))].name
    kind = random.integers(5)
    if kind == 0:
        victim.unlink()
    elif kind == 1:
        victim.rename(target / _pick(random, "shot.0001 (copy).png", "shot.1.png", "shot.99999999999.png", ".png"))
    elif kind == 2:
        (target / _pick(random, ".DS_Store", "Thumbs.db", "notes.txt", "other.0001.png")).write_bytes(b"text")
    else:
        victim.write_bytes(damage_bytes(victim.read_bytes(), random))
    return [
        f"input={_pick(random, str(target), f'{target}/shot.%04d.png', f'{target}/*.png')}",
        f"plate={corpus.plate}",
    ]


def _mask(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    key = _pick(random, "garbage", "holdout")
    if random.random() < 0.3:
        masks = shutil.copytree(corpus.masks, folder / "masks")
        victim = sorted(masks.iterdir())[1]
        victim.write_bytes(damage_bytes(victim.read_bytes(), random))
        return [f"input={corpus.shot}", f"plate={corpus.plate}", f"{key}={masks}", "quality=fast"]
    source = corpus.shot if random.random() < 0.3 else corpus.mask
    return [
        f"input={corpus.shot}",
        f"plate={corpus.plate}",
        f"{key}={_damaged(source, folder, random)}",
        "quality=fast",
    ]


def _background(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    source = corpus.shot if random.random() < 0.3 else corpus.background
    form = _pick(random, "png", "composite")
    damaged = _damaged(source, folder, random)
    return [f"input={corpus.shot}", f"plate={corpus.plate}", f"background={damaged}", f"format={form}", "quality=fast"]


def _weights(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    source = corpus.weights if random.random() < 0.7 else corpus.published
    damaged = _damaged(source, folder, random)
    return [f"input={corpus.shot}", f"plate={corpus.plate}", f"weights={damaged}", "quality=fast", "frames=1"]


def _record(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    """A finished render of which something is damaged, to be continued or reported on."""
    output = shutil.copytree(corpus.render, folder / OUTPUT)
    sidecar, (lines,) = output / SIDECAR, find_journals(output)
    kind = random.integers(6)
    if kind == 0:
        sidecar.write_text(json.dumps(damage_json(json.loads(sidecar.read_text()), random)))
    elif kind == 1:
        sidecar.write_bytes(damage_bytes(sidecar.read_bytes(), random))
    elif kind in (2, 3):
        lines.write_bytes(damage_lines(lines.read_bytes(), random))
    elif kind == 4:
        files = sorted(path for path in output.rglob("*") if path.is_file())
        victim = files[random.integers(len(files))]
        victim.write_bytes(damage_bytes(victim.read_bytes(), random))
    else:
        facts = sorted(output.glob("howard.samples/*/sample.json"))
        chosen = facts[random.integers(len(facts))]
        chosen.write_text(json.dumps(damage_json(json.loads(chosen.read_text()), random)))
    return [f"input={corpus.shot}", f"plate={corpus.plate}", f"weights={corpus.weights}", "quality=fast"]


def _settings(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    arguments = [
        f"input={corpus.shot}",
        f"plate={corpus.plate}",
        "frames=2",
        f"weights={corpus.weights}",
        "quality=fast",
        "report=false",
    ]
    more = (
        f"format={_pick(random, *_FORMATS)}",
        f"background={_pick(random, 'green', '#204060', str(corpus.background))}",
        f"garbage={corpus.mask}",
        "input_colour=bt709",
        "frame_rate=24",
        "threads=1",
        "preview=1",
        "dry_run=true",
        "progress=json",
        "exr_compression=piz",
        "edges=network",
        "overwrite=true",
        "layer=beauty",
        "interlaced=progressive",
        "format=[png,exr]",
        "layers=[plate,matte]",
        "shadow=true",
        "choke=-2.5",
        "feather=3",
        "black=0.2",
        "despill=1",
    )
    chosen = random.choice(len(more), 2, replace=False)
    return damage_arguments([*arguments, *(more[place] for place in chosen)], random)


def _sweep(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    """Several renders by Hydra, whose grammar the values are then in."""
    shots = f"input={corpus.shot},{_damaged(corpus.shot, folder, random)}"
    arguments = [shots, f"plate={corpus.plate}", "frames=1", f"weights={corpus.weights}", "quality=fast,standard"]
    return ["-m", *(damage_arguments(arguments, random) if random.random() < 0.5 else arguments)]


def _cache(corpus: Corpus, folder: Path, random: np.random.Generator) -> list[str]:
    """What an earlier run found out about the plate, damaged."""
    from howard.align import PlateAligner, default_cache_folder
    from howard.media import open_reader

    kept = folder / "cache" / "howard" / "plates"
    assert kept.relative_to(folder / "cache") == default_cache_folder().relative_to(default_cache_folder().parents[1])
    with open_reader(corpus.plate) as plate, open_reader(corpus.shot) as shot:
        PlateAligner(plate, quality="fast", cache=kept).align(shot[0])
    for path in sorted(kept.iterdir()):
        path.write_bytes(damage_bytes(path.read_bytes(), random))
    return [f"input={corpus.shot}", f"plate={corpus.plate}", "quality=fast", "frames=1"]


KINDS: dict[str, Maker] = {
    "shot": _shot,
    "plate": _plate,
    "sequence": _sequence,
    "mask": _mask,
    "background": _background,
    "weights": _weights,
    "record": _record,
    "settings": _settings,
    "cache": _cache,
    "sweep": _sweep,
}
