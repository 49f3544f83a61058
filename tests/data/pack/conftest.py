"""A small data folder of every kind of collection, and a pack of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.data.pack.writing import PackOptions, write_pack
from howard.data.prepared_pairs import PairImages
from tests.conftest import draw_people, draw_places

OPTIONS = PackOptions(
    people=["people", "clips"], places=["places", "views"], prepared=["prepared"], size=64, quality=90
)


def draw_clip(folder: Path) -> None:
    """A clip of three frames to train on and a still to validate by."""
    for kind in ("fgr", "pha"):
        (folder / kind / "walk").mkdir(parents=True)
    for index in range(3):
        alpha = cv2.circle(np.zeros((60, 80), np.uint8), (20 + 20 * index, 30), 14, 255, -1, cv2.LINE_AA)
        cv2.imwrite(str(folder / "pha" / "walk" / f"{index:04d}.png"), alpha)
        cv2.imwrite(str(folder / "fgr" / "walk" / f"{index:04d}.jpg"), np.full((60, 80, 3), 60 * index, np.uint8))
    cv2.imwrite(str(folder / "pha" / "stand.png"), alpha)
    cv2.imwrite(str(folder / "fgr" / "stand.jpg"), np.full((60, 80, 3), 90, np.uint8))
    (folder / "train.txt").write_text("walk\n")
    (folder / "val.txt").write_text("stand\n")
    (folder / "README.md").write_text("drawn for tests, CC0 1.0\n")


def smooth_picture(seed: int, size: tuple[int, int] = (90, 160)) -> np.ndarray:
    """(H, W, 3) uint8, without detail that compression would lose."""
    low = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(low, size[::-1], interpolation=cv2.INTER_CUBIC)


def draw_pairs(views: Path, prepared: Path) -> None:
    """Two plate pairs, and three pairs prepared from them and from a view that is nowhere else."""
    views.mkdir()
    prepared.mkdir()
    pictures = {name: smooth_picture(seed) for seed, name in enumerate(("hall_00", "hall_01", "yard_00"))}
    for name in ("hall_00", "hall_01"):
        cv2.imwrite(str(views / f"{name}_src.jpg"), pictures[name], [cv2.IMWRITE_JPEG_QUALITY, 92])
        cv2.imwrite(str(views / f"{name}_plate.jpg"), pictures[name])
    (views / "train.txt").write_text("hall_00\n")
    (views / "val.txt").write_text("hall_01\n")
    alpha = cv2.circle(np.zeros((90, 160), np.uint8), (80, 45), 30, 255, -1, cv2.LINE_AA)
    names = ("hall_00_0", "yard_00_0", "yard_00_1")
    for name in names:
        source = pictures[name.rpartition("_")[0]]
        made = PairImages(source, source[:, ::-1], np.full_like(alpha, 255), np.full_like(source, 200), alpha)
        for ending, picture in zip(("src.jpg", "plate.jpg", "coverage.png", "fgr.jpg", "pha.png"), made, strict=True):
            cv2.imwrite(str(prepared / f"{name}_{ending}"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
    (prepared / "train.txt").write_text("".join(f"{name}\n" for name in names))


@pytest.fixture(scope="session")
def full_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder; its files are not to be changed."""
    root = tmp_path_factory.mktemp("full")
    draw_people(root / "people")
    draw_places(root / "places")
    draw_clip(root / "clips")
    draw_pairs(root / "views", root / "prepared")
    return root


@pytest.fixture(scope="session")
def packed(full_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of the data folder; its files are not to be changed."""
    folder = tmp_path_factory.mktemp("packs") / "pack"
    write_pack(full_root, folder, OPTIONS)
    return folder
