"""The folder a render writes into: its name, and what else may be in it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.errors import OutputError
from tests.pipeline.rendered_files import frame_lines


def test_system_files_do_not_make_a_folder_foreign(render, tmp_path):
    (tmp_path / "out" / "@eaDir").mkdir(parents=True)
    for name in (".DS_Store", "Thumbs.db", "._shot.0001.png"):
        (tmp_path / "out" / name).write_text("")
    assert render(frames="1").rendered == 1


def test_leftovers_of_a_killed_render_are_cleared(render, tmp_path):
    render(frames="1", report=True)
    left = [
        tmp_path / "out" / ".shot.0002.png.0a1b2c.part",
        tmp_path / "out" / ".howard.json.0a1b2c.part",
        tmp_path / "out" / "howard.samples" / "0002" / ".source.webp.0a1b2c.part",
    ]
    left[2].parent.mkdir()
    for path in left:
        path.write_text("half")
    render(frames="2", report=True)
    assert [path for path in (tmp_path / "out").rglob("*.part")] == []


def test_a_foreign_folder_is_refused_without_overwrite(render, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"overwrite=true"):
        render()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]
    render(frames="1", overwrite=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_a_file_as_output_is_refused(render, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        render()


def test_without_an_output_the_folder_is_called_after_the_clip(render, tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    for number in (86400, 86401):
        cv2.imwrite(f"A001_C003.{number:07d}.png", np.full((64, 96, 3), 90, np.uint8))
    cv2.imwrite("plate.png", np.full((64, 96, 3), 80, np.uint8))
    shot = {"source": "A001_C003.%07d.png", "plate": "plate.png", "output": None}
    assert render(**shot).output == Path("renders/A001_C003")
    assert Path("renders/A001_C003/A001_C003.0086401.png").is_file()
    assert render(**shot, format="exr").output == Path("renders/A001_C003_exr")
    assert Path("renders/A001_C003_exr/A001_C003.0086400.exr").is_file()
    assert render(**shot).skipped == 2
    assert render(**shot, format="exr").skipped == 2
    assert render(**shot, preview=86401).output == Path("renders/A001_C003_preview")


def test_several_machines_share_a_render(render, tmp_path, key):
    with ThreadPoolExecutor() as pool:
        predictors = [replace(key, plates=[]) for _ in range(3)]
        ranges = [
            pool.submit(render, frames=frames, predictor=predictor)
            for frames, predictor in zip(("1-2", "3-4", "5-6"), predictors, strict=True)
        ]
    assert [each.result().rendered for each in ranges] == [2, 2, 2]
    assert sorted(line["number"] for line in frame_lines(tmp_path / "out")) == [1, 2, 3, 4, 5, 6]
    assert render().rendered == 0
