"""What is broken is said before the first step where that can be seen, and by name where it cannot."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from omegaconf import DictConfig

import howard.training.__main__ as entry
from howard.errors import InputError


@pytest.fixture
def data(data_root: Path, tmp_path: Path) -> Path:
    """People and places, to be spoilt."""
    return Path(shutil.copytree(data_root, tmp_path / "data"))


def _no_people(data: Path) -> None:
    shutil.rmtree(data / "people")
    (data / "people").mkdir()


def _a_person_on_two_lists(data: Path) -> None:
    with (data / "people" / "val.txt").open("a") as file:
        file.write("\na\n")


def _a_person_without_colour(data: Path) -> None:
    (data / "people" / "b_fgr.jpg").unlink()


def _a_place_twice(data: Path) -> None:
    with (data / "places" / "manifest.csv").open("a") as file:
        file.write("\nopen/a.jpg,val\n")


def _a_broken_place(data: Path) -> None:
    (data / "places" / "open" / "a.jpg").write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no_people, r"people has no people for train"),
        (_a_person_on_two_lists, r"val\.txt: a is listed in train\.txt as well"),
        (_a_person_without_colour, r"b_pha\.png has no b_fgr next to it"),
        (_a_place_twice, r"open/a\.jpg is listed twice"),
        (_a_broken_place, r"cannot read the image .*a\.jpg"),
    ],
)
def test_what_a_listing_shows_is_said_before_a_run_begins(
    data: Path, configured: Callable[..., DictConfig], tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(data)
    with pytest.raises(InputError, match=message):
        entry.train(configured(data / "people", data / "places"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def _a_cut_off_picture(data: Path) -> None:
    for path in sorted((data / "people").glob("?_fgr.jpg")):
        path.write_bytes(path.read_bytes()[:20])


def _another_size(data: Path) -> None:
    for path in sorted((data / "people").glob("?_fgr.jpg")):
        cv2.imwrite(str(path), np.zeros((91, 50, 3), np.uint8))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_a_cut_off_picture, r"cannot read the image .*_fgr\.jpg"),
        (_another_size, r"_fgr\.jpg is 50x91 but .*_pha\.png is 50x90"),
    ],
)
def test_what_only_decoding_shows_ends_the_run_by_name(
    data: Path,
    configured: Callable[..., DictConfig],
    tmp_path: Path,
    workers: int,
    spoil: Callable[[Path], None],
    message: str,
) -> None:

    spoil(data)
    with pytest.raises(InputError, match=message):
        entry.train(configured(data / "people", data / "places", workers), tmp_path / "run")
