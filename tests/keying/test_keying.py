"""The whole key against truth, through a real codec."""

import numpy as np
import pytest

from benchmarks.screens import plain_key, still_take, write_clip
from howard.keying import Keyed, find_key, key_frame
from howard.media import Reader, open_reader, read_still

from .conftest import PEOPLE, Filmed


def key_all(reader: Reader) -> list[Keyed]:
    key = find_key(reader)
    return [key_frame(frame.image, key.screen, key.marks) for frame in reader]


def mad(first: np.ndarray, second: np.ndarray, weight: np.ndarray | None = None) -> float:
    error = np.abs(first - second)
    return 1e3 * float(np.average(error if error.ndim == 2 else error.mean(axis=2), weights=weight))


def test_a_drawn_figure_with_hair_is_keyed(filmed: Filmed) -> None:
    take = filmed.take
    with open_reader(filmed.path) as reader:
        keyed = key_all(reader)
        plain = [plain_key(frame.image / np.float32(255), filmed.screen) for frame in reader]
    ours = np.mean([mad(key.alpha, true) for key, true in zip(keyed, take.alphas, strict=True)])
    theirs = np.mean([mad(alpha * take.stage, true) for alpha, true in zip(plain, take.alphas, strict=True)])
    triples = zip(keyed, take.foregrounds, take.alphas, strict=True)
    assert ours <= 12
    assert ours <= 0.5 * theirs
    assert np.mean([mad(key.foreground, true, alpha) for key, true, alpha in triples]) <= 15
    for key in keyed:
        assert (key.alpha[~take.stage] == 0).all()
        assert (key.alpha[:40, :100] == 0).all()


def test_a_key_is_a_function_of_the_picture_alone(filmed: Filmed) -> None:
    with open_reader(filmed.path) as reader:
        key = find_key(reader)
        image = reader[1].image
    first, again = (key_frame(image, key.screen, key.marks) for _ in range(2))
    assert first.alpha.dtype == first.foreground.dtype == np.float32
    assert first.alpha.shape == image.shape[:2]
    assert first.foreground.shape == image.shape
    assert (first.alpha == again.alpha).all()
    assert (first.foreground == again.foreground).all()


@pytest.mark.parametrize("name", ["ccp_0004", "ccp_0028"])
def test_a_photographed_person_is_keyed(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if not (PEOPLE / f"{name}_fgr.jpg").is_file():
        pytest.skip(f"the photographed person {name} (../shared/data/people_real) is not here")
    colour, alpha = read_still(PEOPLE / f"{name}_fgr.jpg"), read_still(PEOPLE / f"{name}_pha.png")[..., 0]
    take = still_take(3, "green", colour, alpha, count=2)
    with open_reader(write_clip(tmp_path_factory.mktemp("film") / "person.mp4", take.frames)) as reader:
        keyed = key_all(reader)
    assert mad(keyed[1].alpha, take.alphas[1]) <= 12
    assert mad(keyed[1].foreground, take.foregrounds[1], take.alphas[1]) <= 25
