"""File signatures distinguish complete files from truncated and zero-filled ones."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from howard.media import ClipInfo, open_writer
from howard.media.movie_formats import MOVIE_FORMATS
from howard.media.signatures import has_signature

CONTAINERS = {"png": "png", "png16": "png", "exr": "exr"} | {
    name: form.container for name, form in MOVIE_FORMATS.items()
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_signatures_of_every_format(tmp_path, name):
    path = Path("shot.mov")
    clip = ClipInfo(path, (path,), "shot", 96, 64, 2, Fraction(24), Fraction(1, 12), "rgb24")
    writer = open_writer(name, tmp_path, clip, range(2))
    writer.begin([1, 2])
    assert not writer.has(1)
    channels = 3 if name == "composite" else 4
    for number in (1, 2):
        writer.write(number, writer.prepare(np.full((64, 96, channels), 90, np.uint8)))
        assert writer.has(number) == (number == 2 or name not in MOVIE_FORMATS)
    assert writer.file(2).exists()
    writer.finish({1: Fraction(0), 2: Fraction(1, 24)})
    assert writer.has(1)
    finished = writer.file(1)
    assert has_signature(finished, CONTAINERS[name])
    others = {container for container in CONTAINERS.values() if container != CONTAINERS[name]}
    alike = ({"mov", "mp4"}, {"matroska", "webm"})
    for other in others:
        assert has_signature(finished, other) == ({other, CONTAINERS[name]} in alike)
    size = finished.stat().st_size
    finished.write_bytes(bytes(size))
    assert not writer.has(1)
    finished.write_bytes(b"")
    assert not writer.has(1)


def test_an_unreadable_file_has_no_signature(tmp_path):
    assert not has_signature(tmp_path / "nowhere.png", "png")
    assert not has_signature(tmp_path, "png")


def test_a_truncated_png_has_no_signature(tmp_path):
    path = Path("shot.mov")
    clip = ClipInfo(path, (path,), "shot", 96, 64, 1, Fraction(24), Fraction(1, 24), "rgb24")
    writer = open_writer("png", tmp_path, clip, range(1))
    writer.begin([1])
    writer.write(1, writer.prepare(np.zeros((64, 96, 4), np.uint8)))
    data = writer.file(1).read_bytes()
    writer.file(1).write_bytes(data[:-1])
    assert not writer.has(1)
