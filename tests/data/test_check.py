import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.data.check import check_collection, find_collections
from howard.errors import InputError


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


def test_a_folder_of_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        find_collections(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no pictures"):
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


@pytest.mark.slow
def test_foregrounds_are_made_once_and_carry_the_persons_colour(tmp_path: Path) -> None:
    """Slow: the first use of pymatting compiles it."""
    pytest.importorskip("pymatting")
    photos, masks = tmp_path / "original", tmp_path / "mask"
    photos.mkdir()
    masks.mkdir()
    rows, columns = np.mgrid[:60, :80]
    alpha = np.clip((22 - np.hypot(rows - 30, columns - 40)) / 8, 0, 1)[..., None]
    photo = alpha * [40, 60, 220] + (1 - alpha) * [60, 200, 40]
    cv2.imwrite(str(photos / "one.png"), photo.round().astype(np.uint8))
    cv2.imwrite(str(masks / "one.png"), (255 * alpha[..., 0]).round().astype(np.uint8))
    assert "1 foregrounds made" in run(f"foreground={tmp_path}").stdout
    made = cv2.imread(str(tmp_path / "foreground" / "one.png"))
    assert made is not None
    inside = alpha[..., 0] > 0.1
    assert np.abs(made[inside] - np.array([40.0, 60, 220])).mean() < 12
    assert "0 foregrounds made" in run(f"foreground={tmp_path}").stdout
