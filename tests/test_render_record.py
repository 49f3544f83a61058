"""Journals of a render: what is written is read back, what is damaged is left out."""

import json
import os
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.align import AlignmentStatus
from howard.errors import InputError, OutputError
from howard.render_record import (
    STATUSES,
    FileRecord,
    FrameRecord,
    Journal,
    find_journals,
    is_file_record,
    is_frame_record,
    is_render_file,
    read_lines,
)

FRAME = FrameRecord(
    number=7,
    index=6,
    time="1/4",
    plate_indices=(3, 4),
    status="weak",
    inliers=80,
    error_px=0.25,
    coverage=0.98,
    residual=None,
    recomposition_error=1.5,
    holes=0.0,
    islands=0.01,
    plate_damaged=(9,),
)


def test_statuses_are_those_of_the_alignment():
    assert tuple(AlignmentStatus) == STATUSES


def test_lines_come_back_as_they_were_written(tmp_path):
    journal = Journal(tmp_path)
    assert find_journals(tmp_path) == []
    written = [journal.append(FRAME), journal.append(FileRecord("shot.0007.png", 12))]
    assert find_journals(tmp_path) == [journal.path]
    assert list(read_lines(tmp_path)) == written
    assert is_frame_record(written[0])
    assert is_file_record(written[1])
    assert not is_file_record(written[0])
    assert not is_frame_record(written[1])


def test_journals_are_read_in_the_order_in_which_they_were_written_to(tmp_path):
    for number, age in ((3, 5), (1, 50), (2, 20)):
        journal = Journal(tmp_path)
        journal.append(replace(FRAME, number=number))
        os.utime(journal.path, (1_000_000 - age, 1_000_000 - age))
    assert [facts["number"] for facts in read_lines(tmp_path)] == [1, 2, 3]


def _append_many(folder: Path, first: int) -> None:
    journal = Journal(folder)
    for number in range(first, first + 200):
        journal.append(replace(FRAME, number=number))


def test_processes_that_write_at_once_lose_no_line(tmp_path):
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_append_many, [tmp_path] * 3, (0, 200, 400)))
    assert len(find_journals(tmp_path)) == 3
    assert sorted(facts["number"] for facts in read_lines(tmp_path)) == list(range(600))


def test_a_journal_of_an_earlier_version_is_read(tmp_path):
    (tmp_path / "howard.frames.jsonl").write_text(json.dumps(asdict(FRAME)) + "\n")
    (facts,) = read_lines(tmp_path)
    assert is_frame_record(facts)


@pytest.mark.parametrize("name", ["howard.frames.a b.jsonl", "howard.frames..jsonl", "howard.frames.jsonl.bak", "x"])
def test_files_of_other_names_are_no_journals(tmp_path, name):
    (tmp_path / name).write_text(json.dumps(asdict(FRAME)))
    (tmp_path / "howard.frames.jsonl").mkdir()
    assert list(read_lines(tmp_path)) == []


ODD = (None, True, -1, 10**400, 1e308, float("nan"), "", "\ud800", [], [[[]]], {}, {"a": 1}, [1.5], ["1"], "1/0")
LIKELY = {"number", "index", "inliers", "error_px", "coverage", "residual", "recomposition_error", "holes", "islands"}


@pytest.mark.parametrize("name", [*asdict(FRAME)])
def test_values_of_another_type_make_a_line_no_frame(name):
    facts = json.loads(json.dumps(asdict(FRAME)))
    for value in ODD:
        changed = facts | {name: value}
        if is_frame_record(changed):
            assert name in LIKELY | {"plate_indices", "plate_damaged", "damaged", "reasons", "plate_hidden"}
            assert isinstance(value, type(facts[name]) | int | float | None)
    assert not is_frame_record({key: value for key, value in facts.items() if key != name})
    assert not is_frame_record(facts | {"more": 1})


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_bytes_are_read_without_an_error_and_whole_lines_survive(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("journal")
    junk = data.draw(st.lists(st.binary(max_size=60), max_size=4))
    whole = json.dumps(asdict(FRAME)).encode()
    lines = [*junk, whole, b"[" * 100_000, b"9" * 5000, whole[:-30]]
    random.Random(data.draw(st.integers(0, 99))).shuffle(lines)
    (folder / "howard.frames.1.jsonl").write_bytes(b"\n".join(lines))
    frames = [facts for facts in read_lines(folder) if is_frame_record(facts)]
    assert frames == [json.loads(whole)]


def test_what_cannot_be_written_or_read_is_said(tmp_path):
    with pytest.raises(OutputError, match=r"howard\.frames\..*cannot be written \(No such file"):
        Journal(tmp_path / "nowhere").append(FRAME)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file cannot be read \(Not a directory\)"):
        find_journals(tmp_path / "file")
    assert find_journals(tmp_path / "nowhere") == []


def test_names_that_a_killed_render_may_leave():
    assert all(map(is_render_file, (Journal(Path()).path.name, "howard.frames.jsonl", ".howard.json.12ab.part")))
    assert not any(map(is_render_file, ("thesis.txt", "howard.frames", "howard.json5", "howard.txt")))
