"""Reading the folder of a render, complete or not."""

import math

import pytest

from howard.errors import InputError
from howard.render_record import read_lines
from howard.report.finished_render import number_in, read_render


def test_a_real_render_is_read(finished):
    render = read_render(finished)
    assert [line.number for line in render.lines] == [1, 2, 3, 4]
    has_plate = [not any(reason.startswith("alignment") for reason in line.reasons) for line in render.lines]
    assert has_plate == [True, True, True, False]
    assert [line.concern is None for line in render.lines] == [not line.reasons for line in render.lines]
    assert [sample.line.number for sample in render.samples] == [1, 2, 3, 4]
    assert {"source", "cutout", "alpha", "error", "refined", "explanation"} <= render.samples[0].images.keys()
    records = [facts for facts in read_lines(finished) if "number" in facts]
    assert [line.status for line in render.lines] == [record["status"] for record in records]
    assert [line.coverage for line in render.lines] == [record["coverage"] for record in records]
    assert [line.plate_indices for line in render.lines] == [tuple(record["plate_indices"]) for record in records]


def test_a_folder_without_a_render_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no render.*give the folder"):
        read_render(tmp_path)
    with pytest.raises(InputError, match="holds no render"):
        read_render(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00"])
def test_a_damaged_sidecar_is_refused(tmp_path, content):
    (tmp_path / "howard.json").write_bytes(content)
    with pytest.raises(InputError, match=r"howard\.json is missing or damaged"):
        read_render(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "shot.mov").write_text("")
    with pytest.raises(InputError, match=r"shot\.mov"):
        read_render(tmp_path / "shot.mov")


def test_lines_are_sorted_and_the_last_of_a_frame_counts(written):
    rows = [{"number": 3, "status": "weak"}, {"number": 1}, {"number": 3, "status": "good"}]
    assert [(line.number, line.status) for line in read_render(written(rows)).lines] == [(1, "unknown"), (3, "good")]


@pytest.mark.parametrize("row", ['{"number": 2, "stat', "[]", "7", '{"index": 1}', '{"number": "2"}', ""])
def test_incomplete_lines_are_left_out(written, row):
    assert [line.number for line in read_render(written([{"number": 1}, row])).lines] == [1]


def test_a_render_that_has_not_begun_has_no_frames(written):
    folder = written([])
    assert read_render(folder).lines == []
    (folder / "howard.frames.jsonl").unlink()
    assert read_render(folder).lines == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, "3", True, [1], 10**400])
def test_values_that_are_not_finite_numbers_are_none(written, value):
    (line,) = read_render(written([{"number": 1, "error_px": value, "inliers": 7}])).lines
    assert (line.error_px, line.inliers) == (None, 7)
    assert number_in({"a": value}, "a") is None


def test_incomplete_samples_are_left_out(render):
    (render / "howard.samples" / "0002" / "sample.json").unlink()
    (render / "howard.samples" / "0003" / "sample.json").write_text("{")
    (render / "howard.samples" / "0009").mkdir()
    (render / "howard.samples" / "notes.txt").write_text("")
    assert [sample.line.number for sample in read_render(render).samples] == [1, 4]
