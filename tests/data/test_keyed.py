"""What comes off a green screen is a collection of people like any other."""

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

import howard.training.__main__ as entry
from benchmarks.screens import drawn_clip, write_clip
from howard.data import find_people
from howard.data.__main__ import main
from howard.keying import key_clip


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn films, one to train on, keyed into one folder."""
    folder, films = tmp_path_factory.mktemp("keyed"), tmp_path_factory.mktemp("films")
    for seed, split in ((42, "train"), (43, "val")):
        film = write_clip(films / f"dance {seed}.mp4", drawn_clip(seed, "green", count=2, size=(120, 212)).frames)
        key_clip(film, folder)
        (folder / f"{split}.txt").write_text(f"{film.stem}\n")
    return folder


def test_a_keyed_folder_passes_the_check(keyed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([f"check={keyed}"])
    assert capsys.readouterr().out.split()[-5:] == ["people", "1/1/0", "4", "212x120", "0"]


def test_keyed_people_are_read_frame_by_frame(keyed: Path) -> None:
    [clip] = find_people(keyed, "train")
    assert (clip.name, clip.frame_count) == ("dance 42", 2)
    person = clip.read(1)
    assert person.foreground.shape == (120, 212, 3)
    assert 0.02 < (person.alpha > 250).mean() < 0.5


@pytest.mark.slow
def test_a_keyed_folder_trains(
    keyed: Path, data_root: Path, configured: Callable[..., DictConfig], tmp_path: Path
) -> None:
    """Slow: a step of a whole network."""
    assert entry.train(configured(keyed, data_root / "places"), tmp_path / "run") > 0
