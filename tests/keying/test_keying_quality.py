"""The complete key against ground truth, through a real codec."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.screens import cutout_clip, drawn_clip, plain_key, write_clip
from howard.evaluation.metrics import dtssd, edge_band
from howard.keying import KeyedFrame, find_key, key_frame
from howard.media import Reader, open_reader, read_still

from .conftest import PEOPLE, RENDERED, Filmed


def key_all(reader: Reader) -> list[KeyedFrame]:
    key = find_key(reader)
    return [key_frame(frame.image, key.screen, key.markers) for frame in reader]


def mad(first: np.ndarray, second: np.ndarray, weight: np.ndarray | None = None) -> float:
    error = np.abs(first - second)
    return 1e3 * float(np.average(error if error.ndim == 2 else error.mean(axis=2), weights=weight))


def test_a_drawn_figure_with_hair_is_keyed(filmed: Filmed) -> None:
    clip = filmed.clip
    with open_reader(filmed.path) as reader:
        keyed = key_all(reader)
        plain = [plain_key(frame.image / np.float32(255), filmed.screen) for frame in reader]
    ours = np.mean([mad(key.alpha, true) for key, true in zip(keyed, clip.alphas, strict=True)])
    theirs = np.mean([mad(alpha * clip.screen_area, true) for alpha, true in zip(plain, clip.alphas, strict=True)])
    triples = zip(keyed, clip.foregrounds, clip.alphas, strict=True)
    assert ours <= 12
    assert ours <= 0.5 * theirs
    assert np.mean([mad(key.foreground, true, alpha) for key, true, alpha in triples]) <= 15
    for key in keyed:
        assert (key.alpha[~clip.screen_area] == 0).all()
        assert (key.alpha[:40, :100] == 0).all()


def test_a_key_is_a_function_of_the_picture_alone(filmed: Filmed) -> None:
    with open_reader(filmed.path) as reader:
        key = find_key(reader)
        image = reader[1].image
    first, again = (key_frame(image, key.screen, key.markers) for _ in range(2))
    assert first.alpha.dtype == first.foreground.dtype == np.float32
    assert first.alpha.shape == image.shape[:2]
    assert first.foreground.shape == image.shape
    assert (first.alpha == again.alpha).all()
    assert (first.foreground == again.foreground).all()


def test_a_person_who_stands_still_does_not_flicker(tmp_path: Path) -> None:
    clip = drawn_clip(44, "green", count=2, size=(240, 426), speed=0.0)
    with open_reader(write_clip(tmp_path / "still.mp4", clip.frames)) as reader:
        keyed = key_all(reader)
    edge = edge_band(clip.alphas[0])
    now, before = keyed[1].alpha[edge], keyed[0].alpha[edge]
    assert dtssd(now, clip.alphas[1][edge], before, clip.alphas[0][edge]) < 3


@pytest.mark.parametrize(
    "person",
    [RENDERED / "0218", PEOPLE / "ccp_0004"],
    ids=lambda path: path.name,
)
def test_a_real_or_rendered_person_is_keyed(person: Path, tmp_path: Path) -> None:
    files = [person.with_name(f"{person.name}_{ending}") for ending in ("fgr.jpg", "pha.png")]
    if not files[0].is_file():
        pytest.skip(f"{files[0]} is not here")
    colour, alpha = map(read_still, files)
    clip = cutout_clip(3, "green", colour, alpha[..., 0], count=1)
    with open_reader(write_clip(tmp_path / "person.mp4", clip.frames)) as reader:
        keyed = key_all(reader)
    assert mad(keyed[0].alpha, clip.alphas[0]) <= 12
    assert mad(keyed[0].foreground, clip.foregrounds[0], clip.alphas[0]) <= 25
