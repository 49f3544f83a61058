"""Runs side by side."""

import csv
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml

from howard.errors import InputError
from howard.media.png_encoding import encode_png
from howard.training.compare import __main__ as command
from howard.training.compare.comparison_page import compare_page, smoothed
from howard.training.compare.run_records import best_of, differing_settings, read_curves, read_run


def write_figures(folder: Path, rows: list[dict[str, float]]) -> Path:
    folder.mkdir(parents=True)
    path = folder / "metrics.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted({key for row in rows for key in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_run(folder: Path, scale: float, encoder: str) -> Path:
    """A run of ten steps with two validations, a panel and a film."""
    rows = [{"epoch": 0, "step": step, "train/loss": scale / (step + 1)} for step in range(10)]
    rows += [{"epoch": 0, "step": step, "val/mad": 100 * scale / step} for step in (5, 10)]
    write_figures(folder / "csv" / "version_0", rows)
    settings = {"name": "x", "seed": 0, "model": {"encoder": encoder, "widths": [1, 2]}, "threads": None}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    (folder / "revision.txt").write_text("abc")
    (folder / "panels").mkdir()
    for step in (0, 10):
        (folder / "panels" / f"panel_{step:07d}.png").write_bytes(encode_png(np.full((4, 6, 3), step, np.uint8)))
    (folder / "timelapse.mp4").write_bytes(b"film")
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [write_run(tmp_path / "old" / "1", 1.0, "resnet50"), write_run(tmp_path / "new" / "2", 0.5, "mobile<net>")]


def test_figures_of_all_sittings_are_joined_and_the_last_counts(tmp_path: Path) -> None:
    first = write_figures(tmp_path / "0", [{"epoch": 0, "step": step, "train/loss": 1.0} for step in range(6)])
    again = write_figures(tmp_path / "1", [{"epoch": 0, "step": step, "train/loss": 2.0} for step in range(4, 8)])
    curve = read_curves([first, again])["train/loss"]
    assert curve == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 2.0), (6, 2.0), (7, 2.0)]


def test_a_run_is_read(runs: list[Path]) -> None:
    run = read_run(runs[0])
    assert (run.label, run.revision, run.is_finished) == ("old/1", "abc", False)
    assert run.last("val/mad") == 10
    assert run.last("val/none") is None
    assert run.settings["model.encoder"] == "resnet50"
    assert run.panel is not None
    assert run.panel.name == "panel_0000010.png"


def test_what_differs_is_named(runs: list[Path]) -> None:
    assert differing_settings([read_run(run) for run in runs]) == {"model.encoder": ["resnet50", "mobile<net>"]}


def test_the_smallest_is_best_and_one_alone_is_not() -> None:
    assert best_of([3.0, None, 2.0]) == 2
    assert best_of([None, 2.0]) is None


def test_smoothing_keeps_a_constant_and_follows_a_step() -> None:
    assert smoothed([2.0] * 5) == pytest.approx([2.0] * 5)
    assert smoothed([0.0] + [1.0] * 60)[-1] == pytest.approx(1, abs=1e-2)
    assert all(math.isfinite(value) for value in smoothed([1.0]))


class Page(HTMLParser):
    """Collects tags, and what the page would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href") and tag != "use"]


def test_the_page_holds_everything_itself(runs: list[Path]) -> None:
    text = compare_page([read_run(run) for run in runs])
    page = Page(text)
    assert page.tags.count("svg") == 2  # val/mad and train/loss
    assert page.tags.count("img") == page.tags.count("video") == 2
    assert page.sources
    assert all(source.startswith("data:") for source in page.sources)
    assert "mobile&lt;net&gt;" in text
    assert '<td class="best">5</td>' in text


def test_the_command_prints_a_table_and_writes_the_page(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "page.html"
    command.main([*map(str, runs), f"output={output}"])
    printed = capsys.readouterr().out
    assert "val/mad" in printed
    assert "old/1" in printed
    assert re.search(r"model.encoder .* resnet50 .* mobile<net>", printed)
    assert output.read_text().startswith("<!doctype html>")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, runs: list[Path]) -> None:
    with pytest.raises(InputError, match="is not a run folder"):
        read_run(tmp_path)
    (runs[0] / "csv" / "version_0" / "metrics.csv").unlink()
    with pytest.raises(InputError, match="has no metrics yet"):
        read_run(runs[0])
