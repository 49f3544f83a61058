"""The blocks of Python in the documentation are run as they stand, on small clips that bear their names."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.documentation.folders import shots
from tests.documentation.pages import PAGES, documented_python

# Those of docs/extending.md are run by tests/training/test_extensions.py, that of docs/wandb.md by test_wandb_page.py.
BLOCKS = {
    "README.md": 1,
    "docs/settings.md": 1,
    "docs/python-api.md": 5,
    "docs/extending.md": 2,
    "docs/wandb.md": 1,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the clips that the pages name."""
    shots(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def run_blocks(page: str, changes: dict[str, str], names: dict[str, Any], count: slice = slice(None)) -> dict[str, Any]:
    """Run a page's blocks one after the other in one namespace, with parts of the text replaced; returns the names."""
    for block in documented_python(page)[count]:
        for old, new in changes.items():
            block = block.replace(old, new)
        exec(compile(block, page, "exec"), names)
    return names


def test_no_other_block_is_documented() -> None:
    assert {page: len(found) for page in PAGES if (found := documented_python(page))} == BLOCKS


@pytest.mark.slow
def test_the_readme_renders_and_yields_frames(folder: Path) -> None:
    names = run_blocks("README.md", {'"1-100"': '"2-3"'}, {})
    assert len(list((folder / "renders" / "first").glob("shot.*.exr"))) == 4
    assert names["frame"].source.number == 3
    assert names["frame"].rgba.shape == (180, 320, 4)


@pytest.mark.slow
def test_a_render_by_the_api_page_is_summarised(folder: Path) -> None:
    summary = run_blocks("docs/python-api.md", {}, {}, slice(1))["summary"]
    assert summary.rendered == 2
    assert (summary.output / "shot.0002.png").is_file()


@pytest.mark.slow
def test_frames_are_cut_out_by_the_api_page(folder: Path) -> None:
    cut_out = run_blocks("docs/python-api.md", {}, {}, slice(1, 2))["cut_out"]
    assert cut_out.source.number == 2
    assert cut_out.rgba.shape == (180, 320, 4)


@pytest.mark.slow
def test_a_plate_is_aligned_by_the_api_page(folder: Path) -> None:
    aligned = run_blocks("docs/python-api.md", {}, {}, slice(3, 4))["aligned"]
    assert aligned.image.shape == (180, 320, 3)
    assert aligned.status in ("good", "weak")


@pytest.mark.slow
def test_the_network_of_the_api_page_mattes_arrays() -> None:
    source, plate = np.random.default_rng(3).integers(0, 256, (2, 96, 128, 3), dtype=np.uint8)
    matte = run_blocks("docs/python-api.md", {}, {"source": source, "plate": plate}, slice(2, 3))["matte"]
    assert matte.alpha.shape == (1, 1, 96, 128)
    assert matte.foreground.shape == (1, 3, 96, 128)
    assert 0 <= matte.alpha.min() <= matte.alpha.max() <= 1


def test_arrays_are_scored_by_the_api_page(capsys: pytest.CaptureFixture[str]) -> None:
    scores = run_blocks("docs/python-api.md", {}, {}, slice(4, None))["scores"].compute()
    # A quarter of the pixels is too low by 0.2.
    assert scores["mad"].item() == pytest.approx(1e3 / 4 * 0.2, rel=1e-5)
    assert scores["dtssd"].item() == 0
    assert "'conn'" in capsys.readouterr().out


@pytest.mark.slow
def test_options_are_one_object_or_keywords(folder: Path) -> None:
    run_blocks("docs/settings.md", {'quality="best"': 'quality="best", frames="1", report=False'}, {})
    for name in ("first", "second"):
        assert os.listdir(folder / "renders" / name).count("shot.0001.exr") == 1
