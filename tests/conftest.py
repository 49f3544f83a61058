"""One thread a process, and a tiny data folder that the tests draw themselves.

Tests run in several processes side by side, and forked workers survive OpenCV only single-threaded.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import settings

# Nothing is left in the home folder of whoever runs the tests.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="howard-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)
cv2.setNumThreads(1)
torch.set_num_threads(1)
# How long an example takes says nothing on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def draw_people(folder: Path) -> None:
    """Two people in each split."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for split, names in (("train", ("a", "b")), ("val", ("c", "d"))):
        (folder / f"{split}.txt").write_text("\n".join(names))
        for name in names:
            alpha = np.zeros((90, 50), np.uint8)
            cv2.ellipse(alpha, (25, 50), (15, 38), 0, 0, 360, 255, -1, cv2.LINE_AA)
            cv2.imwrite(str(folder / f"{name}_pha.png"), alpha)
            cv2.imwrite(str(folder / f"{name}_fgr.jpg"), np.full((90, 50, 3), rng.integers(0, 255, 3), np.uint8))


def draw_places(folder: Path) -> None:
    """Two places for training, under two licences, and one for validation."""
    (folder / "open").mkdir(parents=True)
    (folder / "unclear").mkdir()
    rng = np.random.default_rng(1)
    rows = ["file,split"]
    for name, split in (("open/a.jpg", "train"), ("unclear/b.jpg", "train"), ("open/c.jpg", "val")):
        low = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), cv2.resize(low, (160, 120), interpolation=cv2.INTER_CUBIC))
        rows.append(f"{name},{split}")
    (folder / "manifest.csv").write_text("\n".join(rows))


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    draw_people(root / "people")
    draw_places(root / "places")
    return root
