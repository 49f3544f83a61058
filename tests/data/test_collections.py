from pathlib import Path

import pytest

from howard.data import find_people, find_places, read_picture
from howard.errors import InputError


def test_splits_do_not_meet(data_root: Path) -> None:
    train, val = (find_people(data_root / "people", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (2, 2)
    assert not {files.alpha for files in train} & {files.alpha for files in val}


def test_licences_are_kept_to(data_root: Path) -> None:
    everything = find_places(data_root / "places", "train")
    narrowed = find_places(data_root / "places", "train", ("open",))
    assert [path.name for path in everything] == ["a.jpg", "b.jpg"]
    assert [path.name for path in narrowed] == ["a.jpg"]


def test_people_decode_to_rgb_and_alpha(data_root: Path) -> None:
    person = find_people(data_root / "people", "train")[0].read()
    assert person.foreground.shape == (90, 50, 3)
    assert person.alpha.shape == (90, 50)
    assert person.alpha.max() == 255


def test_pictures_shrink_to_their_longest_side(data_root: Path) -> None:
    assert read_picture(data_root / "places/open/a.jpg", longest=80).shape == (60, 80, 3)


def test_what_is_missing_or_broken_is_named(data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no train\.txt"):
        find_people(tmp_path, "train")
    with pytest.raises(InputError, match="no pictures of places for val"):
        find_places(tmp_path, "val")
    (tmp_path / "broken.jpg").write_text("not a picture")
    with pytest.raises(InputError, match=r"broken\.jpg"):
        read_picture(tmp_path / "broken.jpg")
    (tmp_path / "train.txt").write_text("")
    with pytest.raises(InputError, match="is empty"):
        find_people(tmp_path, "train")
