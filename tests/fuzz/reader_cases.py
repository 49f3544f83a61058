"""Damaged files at the functions that read them: stills, sequences, videos, masks, backgrounds, parts of renders."""

import json
import shutil
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from howard import cli
from howard.errors import HowardError
from howard.matting.weights import load_network
from howard.media import Background, open_reader
from howard.options import RenderJob
from howard.pipeline.masks import Mask
from howard.pipeline.render_folder import RenderFolder
from howard.render_record import SIDECAR, find_journals
from howard.report import write_report
from tests.fuzz.corpus import FRAMES, SIZE, Corpus
from tests.fuzz.damage import damage_arguments, damage_bytes, damage_json, damage_lines
from tests.fuzz.still_files import mutate

LONGEST_MESSAGE = 1000
# Processor time; the files are tiny, and a whole one takes well under a second.
LONGEST_SECONDS = 20.0


class ReaderOutcome(NamedTuple):
    """How a reader ended: the ``message`` of its error, empty for a value; what is wrong with it; CPU seconds."""

    message: str
    problem: str
    seconds: float


Reader = Callable[[Corpus, Path, np.random.Generator], None]


def run_reader(read: Reader, corpus: Corpus, folder: Path, number: int, seed: int) -> ReaderOutcome:
    """Run case ``number`` of a reader in ``folder``, which is made."""
    folder.mkdir(parents=True)
    began = time.process_time()
    message, problem = "", ""
    try:
        read(corpus, folder, np.random.default_rng([seed, number]))
    except HowardError as error:
        message = str(error)
        if not 0 < len(message) < LONGEST_MESSAGE:
            problem = f"a message of {len(message)} characters: {message[:200]}"
        elif len(message.splitlines()) > 1:
            problem = f"a message of {len(message.splitlines())} lines: {message[:200]!r}"
    except Exception as error:
        problem = f"raises {error!r}"[:400]
    seconds = time.process_time() - began
    if seconds > LONGEST_SECONDS:
        problem = f"takes {seconds:.0f} s {problem}"
    return ReaderOutcome(message, problem, seconds)


def read_still(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    source = corpus.stills[random.integers(len(corpus.stills))]
    path = folder / source.name
    path.write_bytes(mutate(source.read_bytes(), random))
    _read_frames(path, 1)


def read_sequence(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    """Several frames of one still's format, of which one is damaged, missing or of another name."""
    source = corpus.stills[random.integers(len(corpus.stills))]
    frames = folder / "frames"
    frames.mkdir()
    paths = [frames / f"shot.{number:04d}{source.suffix}" for number in range(1, FRAMES + 1)]
    for path in paths:
        shutil.copy(source, path)
    victim = paths[random.integers(FRAMES)]
    kind = random.integers(4)
    if kind == 0:
        victim.unlink()
    elif kind == 1:
        victim.rename(frames / ("shot.1" + source.suffix, "other.0009" + source.suffix, "x.txt")[random.integers(3)])
    else:
        victim.write_bytes(mutate(victim.read_bytes(), random))
    _read_frames(frames, FRAMES)


def read_video(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    source = corpus.videos[random.integers(len(corpus.videos))]
    path = folder / source.name
    path.write_bytes(damage_bytes(source.read_bytes(), random))
    _read_frames(path, 2 * FRAMES)


def _read_frames(path: Path, most: int) -> None:
    """Read up to ``most`` frames backwards, which needs jumps in videos, and check what they are."""
    with open_reader(path) as reader:
        for index in reversed(range(min(len(reader), most))):
            image = reader[index].image
            assert image.ndim == 3
            assert image.shape[2] == 3
            assert np.isfinite(image).all()


def read_settings(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    arguments = [f"input={corpus.shot}", "plate=b.mov", "frames=1-3", "format=exr", "threads=2", "frame_rate=24"]
    job = cli.read_settings(RenderJob, damage_arguments(arguments, random))
    assert job.rate is None or 0 < job.rate <= 1000
    assert job.threads is None or job.threads >= 1


def read_record(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    output = shutil.copytree(corpus.render, folder / "out")
    sidecar, (lines,) = output / SIDECAR, find_journals(output)
    described = json.loads(sidecar.read_text())
    if random.random() < 0.5:
        sidecar.write_text(json.dumps(damage_json(described, random)))
    else:
        lines.write_bytes(damage_lines(lines.read_bytes(), random))
    render = RenderFolder(output)
    try:
        render.resume(described)
        known = [number for number in range(1, FRAMES + 1) if render.has(number)]
        render.times(known)
        render.numbers_with_status("weak", known)
    finally:
        write_report(output)


def read_weights(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    source = corpus.weights if random.random() < 0.7 else corpus.published
    path = folder / source.name
    path.write_bytes(damage_bytes(source.read_bytes(), random))
    load_network(path)


def read_mask(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    source = corpus.shot if random.random() < 0.3 else corpus.mask
    path = folder / source.name
    path.write_bytes(damage_bytes(source.read_bytes(), random))
    with open_reader(corpus.shot) as shot, Mask(path, shot.info) as mask:
        for index in range(FRAMES):
            values = mask.frame(index)
            assert values.shape == SIZE[::-1]
            assert 0 <= values.min() <= values.max() <= 1


def read_background(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    source = corpus.shot if random.random() < 0.3 else corpus.background
    path = folder / source.name
    path.write_bytes(damage_bytes(source.read_bytes(), random))
    with Background(path, *SIZE) as background:
        for index in range(FRAMES):
            assert background.frame(Fraction(index, 24)).shape == (*SIZE[::-1], 3)


READERS: dict[str, Reader] = {
    "still": read_still,
    "sequence": read_sequence,
    "video": read_video,
    "settings": read_settings,
    "record": read_record,
    "weights": read_weights,
    "mask": read_mask,
    "background": read_background,
}
