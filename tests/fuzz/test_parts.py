"""Two hundred damaged settings, records, weights, masks and backgrounds, each at the function that reads it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from howard import cli
from howard.errors import HowardError
from howard.matting.weights import load_network
from howard.media import Background, open_reader
from howard.options import RenderJob
from howard.pipeline.folder import RenderFolder
from howard.pipeline.masks import Mask
from howard.report import write_report
from tests.fuzz.corpus import FRAMES, SIZE, Corpus, make_corpus
from tests.fuzz.damage import damage_arguments, damage_bytes, damage_json, damage_lines

CASES = 40
SEED = 22
_LONGEST_MESSAGE = 1000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def read_settings(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    arguments = [f"input={corpus.shot}", "plate=b.mov", "frames=1-3", "format=exr", "threads=2", "frame_rate=24"]
    job = cli.read_settings(RenderJob, damage_arguments(arguments, random))
    assert job.rate is None or 0 < job.rate <= 1000
    assert job.threads is None or job.threads >= 1


def read_record(corpus: Corpus, folder: Path, random: np.random.Generator) -> None:
    output = shutil.copytree(corpus.render, folder / "out")
    sidecar, lines = output / "howard.json", output / "howard.frames.jsonl"
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
            assert background.frame(index).shape == (*SIZE[::-1], 3)


@pytest.mark.parametrize("read", [read_settings, read_record, read_weights, read_mask, read_background])
def test_damage_ends_in_a_value_or_in_one_line(
    corpus: Corpus, tmp_path: Path, read: Callable[[Corpus, Path, np.random.Generator], None]
) -> None:
    messages, faults = [], []
    for number in range(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            read(corpus, folder, np.random.default_rng([SEED, number]))
        except HowardError as error:
            messages.append(str(error))
        except Exception as error:
            faults.append(f"case {number}: {error!r}"[:300])
    assert faults == []
    assert all(0 < len(message) < _LONGEST_MESSAGE for message in messages)
    assert len(messages) >= CASES // 8
