"""Reading an offline W&B run; what a whole run leaves is read in test_loggers.py."""

from pathlib import Path

import pytest
from wandb.proto.wandb_internal_pb2 import Record

from howard.errors import InputError
from howard.training.offline_wandb import read_offline_run, read_records

HEADER = b":W&B\x00\x00\x00"
FIRST, MIDDLE, LAST, WHOLE = 2, 3, 4, 1
BLOCK = 32768


def chunk(data: bytes, kind: int) -> bytes:
    return b"\0\0\0\0" + len(data).to_bytes(2, "little") + bytes([kind]) + data


def record(note: str) -> bytes:
    made = Record()
    made.run.display_name, made.run.notes = "x/y", note
    return made.SerializeToString()


def write(folder: Path, data: bytes) -> Path:
    file = folder / "run-x.wandb"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_record_that_is_being_written_is_left_out(tmp_path: Path, cut: int) -> None:
    whole = HEADER + chunk(record("one"), WHOLE) + chunk(record("two"), WHOLE)
    assert [each.run.notes for each in read_records(write(tmp_path, whole))] == ["one", "two"]
    assert [each.run.notes for each in read_records(write(tmp_path, whole[:-cut]))] == ["one"]


def test_a_record_over_several_blocks_is_joined(tmp_path: Path) -> None:
    """A long record fills the first block to its end; the next one begins behind a gap too small for a chunk."""
    note = "n" * (2 * BLOCK)
    data = record(note)
    first = BLOCK - len(HEADER) - 7
    middle = BLOCK - 7
    parts = chunk(data[:first], FIRST) + chunk(data[first : first + middle], MIDDLE)
    rest = data[first + middle :]
    filler = record("f" * (BLOCK - 7 - len(rest) - 7 - len(record("")) - 8))
    tail = chunk(rest, LAST) + chunk(filler, WHOLE)
    gap = BLOCK - len(tail)
    assert 0 < gap < 7
    file = write(tmp_path, HEADER + parts + tail + bytes(gap) + chunk(record("last"), WHOLE))
    assert [len(each.run.notes) for each in read_records(file)][::2] == [len(note), len("last")]


def test_a_run_that_has_not_ended_is_read(tmp_path: Path) -> None:
    write(tmp_path, HEADER + chunk(record("still going on"), WHOLE))
    run = read_offline_run(tmp_path)
    assert (run.name, run.notes, run.is_finished, run.history, run.artifacts) == (
        "x/y",
        "still going on",
        False,
        [],
        [],
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [(None, "has no .wandb file"), (b"PK something else", "is not a W&B run"), (HEADER, "has no record of a run yet")],
)
def test_what_is_no_run_is_named(tmp_path: Path, data: bytes | None, message: str) -> None:
    if data is not None:
        write(tmp_path, data)
    with pytest.raises(InputError, match=message):
        read_offline_run(tmp_path)
