"""Damaged stills end in a picture or in one line: no traceback, no word of a library, no great memory, no long wait."""

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from howard.errors import HowardError
from howard.media import open_reader
from tests.fuzz.still_files import make_stills, mutate

CASES = 200
LONGEST_SECONDS = 20
MOST_MEGABYTES = 3000


@pytest.fixture(scope="module")
def stills(tmp_path_factory) -> list[Path]:
    return make_stills(tmp_path_factory.mktemp("stills"))


def read(path: Path) -> str:
    """Read a still; the error's text, or nothing."""
    try:
        with open_reader(path) as reader:
            image = reader[0].image
    except HowardError as error:
        return str(error) or "an error without a word"
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert np.isfinite(image).all()
    return ""


def test_whole_stills_are_read(stills):
    assert {path.name: read(path) for path in stills if read(path)} == {}


@pytest.mark.parametrize("block", range(4))
def test_damaged_stills_end_in_a_picture_or_one_line(stills, tmp_path, block, capfd):
    words = []
    for case in range(block, CASES, 4):
        random = np.random.default_rng([2026, case])
        source = stills[case % len(stills)]
        content = mutate(source.read_bytes(), random)
        path = tmp_path / f"case{case:04d}{source.suffix}"
        path.write_bytes(content)
        began = time.process_time()
        said = read(path)
        assert time.process_time() - began < LONGEST_SECONDS, path.name
        assert "\n" not in said
        assert len(said) < 600
        assert path.read_bytes() == content
        written = "".join(capfd.readouterr())
        words += [f"{path.name}: {written}"] if written else []
    # libpng comments on pixels that do not inflate though their checksum is right; everything else is silent.
    assert [line for line in words if ".png: libpng error" not in line] == []
    assert len(words) <= 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 < MOST_MEGABYTES
