import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.data.check import check_collection, find_collections
from howard.errors import InputError

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def test_a_data_folder_is_counted_and_measured(data_root: Path) -> None:
    people, places = (check_collection(folder) for folder in find_collections(data_root))
    assert (people.name, people.kind, people.clips["train"], people.clips["val"]) == ("people", "people", 2, 2)
    assert dict(people.sizes) == {(50, 90): 4}
    assert (places.kind, places.frames.total(), places.broken) == ("places", 3, [])
    assert dict(places.licences) == {"open": 2, "unclear": 1}


def test_every_broken_file_is_named(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        cv2.imwrite(str(tmp_path / f"{name}_fgr.jpg"), np.zeros((10, 12, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"{name}_pha.png"), np.zeros((10, 12 if name != "c" else 13), np.uint8))
    whole = (tmp_path / "b_fgr.jpg").read_bytes()
    (tmp_path / "b_fgr.jpg").write_bytes(whole[:20])
    seen = []
    report = check_collection(tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert len(report.broken) == 2
    assert any("b_fgr.jpg" in line for line in report.broken)
    assert any("c_fgr.jpg is 12x10 but" in line for line in report.broken)


def test_an_empty_folder_among_collections_is_broken(data_root: Path, tmp_path: Path) -> None:
    shutil.copytree(data_root, tmp_path / "data")
    (tmp_path / "data" / "new").mkdir()
    new, people, _ = find_collections(tmp_path / "data")
    assert check_collection(people).broken == []
    assert [line for line in check_collection(new).broken if "new is empty" in line]


def test_a_person_on_two_lists_breaks_the_collection(data_root: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data_root / "people", tmp_path / "people"))
    with (folder / "val.txt").open("a") as file:
        file.write("\na")
    [line] = check_collection(folder).broken
    assert "val.txt: a is listed in train.txt as well" in line


def test_the_sample_is_a_clip_to_score_with_collections_inside() -> None:
    folders = find_collections(SAMPLE)
    assert folders == [SAMPLE / "people", SAMPLE / "places"]
    assert find_collections(SAMPLE.parent)[:2] == folders
    people, places = map(check_collection, folders)
    assert (people.clips["train"], people.clips["val"], people.broken) == (16, 4, [])
    assert (places.kind, places.clips["train"], places.clips["val"], places.broken) == ("plate pairs", 8, 2, [])


def test_a_folder_of_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        find_collections(tmp_path / "nowhere")
    with pytest.raises(InputError, match="has no images"):
        find_collections(tmp_path)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "howard.data", *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def test_the_command_prints_a_table_and_fails_on_what_is_broken(data_root: Path, tmp_path: Path) -> None:
    good = run(f"check={data_root}")
    assert (good.returncode, good.stderr) == (0, "")
    assert "people" in good.stdout
    assert "2/2/0" in good.stdout
    (tmp_path / "odd name.jpg").write_text("not a picture")
    bad = run(f"check={tmp_path}")
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert "odd name.jpg" in bad.stderr
