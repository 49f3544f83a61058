"""What W&B gets of a run, read back from the folder that ``wandb sync`` would send; no network."""

import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
import wandb
from wandb.proto.wandb_internal_pb2 import Record

import howard.training.__main__ as entry
from tests.training.runs import composed, small_data

STEPS = 6
HEADER, BLOCK = 7, 32768  # bytes
CHUNK = struct.Struct("<IHB")  # checksum, length, kind
WHOLE, END = 1, 4  # kinds of chunks that end a message


def records(file: Path) -> list[Record]:
    """Everything in a ``.wandb`` file: a header, then LevelDB's log format around wandb's own messages."""
    data, place, found, message = file.read_bytes(), HEADER, [], b""
    while place < len(data):
        left = BLOCK - place % BLOCK
        if left < CHUNK.size:  # no chunk begins so late in a block
            place += left
            continue
        _, length, kind = CHUNK.unpack_from(data, place)
        message += data[place + CHUNK.size : place + CHUNK.size + length]
        place += CHUNK.size + length
        if kind in (WHOLE, END):
            found.append(Record.FromString(message))
            message = b""
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_root: Path) -> Path:
    """The W&B folder of a short run."""
    run = tmp_path_factory.mktemp("runs") / "smoke" / "today"
    overrides = [*small_data(data_root), f"trainer.max_steps={STEPS}", "logger=wandb", "callbacks.panel.rows=2"]
    entry.train(composed("smoke", *overrides), run)
    wandb.finish()
    [found] = (run / "wandb").glob("offline-run-*")
    [file] = found.glob("*.wandb")
    deadline = time.monotonic() + 60
    # Another process of wandb's writes it, and may not have begun.
    while not (written := records(file)) or written[-1].WhichOneof("record_type") != "exit":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def history(folder: Path) -> list[dict[str, Any]]:
    [file] = folder.glob("*.wandb")
    rows = [record.history.item for record in records(file) if record.WhichOneof("record_type") == "history"]
    # A picture is nested: its parts have keys like panel/filenames.
    return [{item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row} for row in rows]


def test_the_run_says_what_it_is(folder: Path) -> None:
    [file] = folder.glob("*.wandb")
    [run, *_] = [record.run for record in records(file) if record.WhichOneof("record_type") == "run"]
    assert (run.project, run.run_group, run.job_type) == ("howard", "smoke", "train")
    assert run.display_name == "smoke/today"
    sent = [record.config for record in records(file) if record.WhichOneof("record_type") == "config"]
    items = [*run.config.update, *(item for config in sent for item in config.update)]
    config = {item.key: json.loads(item.value_json) for item in items if item.key}
    assert config["model"]["encoder"] == "efficientnet_lite0"
    assert config["revision"]


def test_curves_are_there(history: list[dict[str, Any]]) -> None:
    losses = [row["train/loss"] for row in history if "train/loss" in row]
    assert len(losses) == STEPS
    assert [row["trainer/global_step"] for row in history if "train/loss" in row] == list(range(STEPS))
    scores = [row for row in history if "val/mad" in row]
    assert scores
    assert {"val/mad", "val/grad", "val/conn", "val/foreground_mad", "val/loss"} <= scores[0].keys()


def test_pictures_are_there_from_step_0_on(history: list[dict[str, Any]], folder: Path) -> None:
    panels = [name for row in history for name in row.get("panel/filenames", [])]
    assert len(panels) >= 3
    assert "panel_0_" in panels[0]
    assert all((folder / "files" / name).stat().st_size > 0 for name in panels)


def test_the_table_has_a_row_of_pictures_and_scores_for_each_sample(
    history: list[dict[str, Any]], folder: Path
) -> None:
    tables = {row["samples/path"] for row in history if "samples/path" in row}
    assert len(tables) == 1
    read = json.loads((folder / "files" / tables.pop()).read_text())
    assert read["columns"] == [
        "sample",
        "source",
        "plate",
        "true alpha",
        "alpha",
        "foreground",
        "composite",
        "mad",
        "grad",
    ]
    assert len(read["data"]) == 2
    assert all(row[-2] > 0 for row in read["data"])


def test_the_tables_pictures_wait_in_the_run_folder(folder: Path) -> None:
    [file] = folder.glob("*.wandb")
    [artifact] = [record.artifact for record in records(file) if record.WhichOneof("record_type") == "artifact"]
    staged = {entry.path: Path(entry.local_path) for entry in artifact.manifest.contents}
    pictures = [path for name, path in staged.items() if name.startswith("media/images")]
    assert len(pictures) == 2 * 6
    assert all(path.is_relative_to(folder.parent) and path.stat().st_size > 0 for path in pictures)
