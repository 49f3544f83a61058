"""Reading an offline W&B run from its folder, without a server.

A ``.wandb`` file has a header of 7 bytes, followed by wandb's protobuf records in LevelDB's log format.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from howard.errors import InputError
from howard.requirements import require

_MAGIC = b":W&B"
_HEADER, _BLOCK = 7, 32768  # bytes
_CHUNK = struct.Struct("<IHB")  # checksum, length, kind
_WHOLE, _END = 1, 4  # types of chunks that end a record
_INTERNAL = "_wandb"  # config entry of wandb itself


@dataclass(frozen=True)
class OfflineArtifact:
    """An artifact that has not been uploaded; ``files`` are the local copies by their paths in the artifact."""

    name: str
    kind: str
    metadata: dict[str, Any]
    files: dict[str, Path]


@dataclass(frozen=True)
class OfflineRun:
    """The content of an offline run.

    Attributes:
        name: of the run.
        project: of the run.
        group: of the run.
        job_type: within the group.
        tags: of the run.
        notes: a remark; empty without one.
        config: plain values.
        history: logged values, a mapping per call of the logger; pictures have keys such as ``panel/filenames``.
        artifacts: in the order of logging.
        is_finished: whether the run has ended.
    """

    name: str
    project: str
    group: str
    job_type: str
    tags: list[str]
    notes: str
    config: dict[str, Any]
    history: list[dict[str, Any]]
    artifacts: list[OfflineArtifact]
    is_finished: bool

    def curve(self, key: str) -> list[tuple[int, float]]:
        """(step, value) pairs of a metric, as logged."""
        return [(row["trainer/global_step"], row[key]) for row in self.history if key in row]


def find_offline_runs(runs: Path) -> list[Path]:
    """The ``offline-run-*`` folders below a folder of runs, by path."""
    return sorted(path for path in runs.glob("**/wandb/offline-run-*") if path.is_dir())


def read_offline_run(folder: Path) -> OfflineRun:
    """Read an ``offline-run-*`` folder, of a finished or a running run.

    Raises:
        InputError: it does not contain the record of a run.
        MissingPackageError: wandb is not installed.
    """
    files = sorted(folder.glob("*.wandb"))
    if not files:
        raise InputError(f"{folder} has no .wandb file; give a folder wandb/offline-run-* of a run")
    by_kind: dict[str, list[Any]] = {}
    for record in read_records(files[0]):
        kind = record.WhichOneof("record_type")
        by_kind.setdefault(kind, []).append(getattr(record, kind))
    if "run" not in by_kind:
        raise InputError(f"{files[0]} has no record of a run yet; wait until it has started")
    run = by_kind["run"][0]
    items = [*run.config.update, *(item for config in by_kind.get("config", []) for item in config.update)]
    config = {item.key: json.loads(item.value_json) for item in items if item.key and item.key != _INTERNAL}
    return OfflineRun(
        name=run.display_name,
        project=run.project,
        group=run.run_group,
        job_type=run.job_type,
        tags=list(run.tags),
        notes=run.notes,
        config=config,
        history=[_values(record.item) for record in by_kind.get("history", [])],
        artifacts=[_artifact(record) for record in by_kind.get("artifact", [])],
        is_finished="exit" in by_kind,
    )


def read_records(file: Path) -> Iterator[Any]:
    """Every complete record of a ``.wandb`` file, in order; a record that is still being written is skipped.

    Raises:
        InputError: it is not a ``.wandb`` file.
        MissingPackageError: wandb is not installed.
    """
    record_type = require("wandb.proto.wandb_internal_pb2", "reading a W&B run").Record
    data = file.read_bytes()
    if data and not data.startswith(_MAGIC):
        raise InputError(f"{file} is not a W&B run")
    position, message = _HEADER, b""
    while position < len(data):
        left = _BLOCK - position % _BLOCK
        if left < _CHUNK.size:  # the rest of a block is too small for a chunk
            position += left
            continue
        if position + _CHUNK.size > len(data):
            return
        _, length, kind = _CHUNK.unpack_from(data, position)
        start, position = position + _CHUNK.size, position + _CHUNK.size + length
        if position > len(data):
            return
        message += data[start:position]
        if kind in (_WHOLE, _END):
            yield record_type.FromString(message)
            message = b""


def _values(items: Any) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def _artifact(record: Any) -> OfflineArtifact:
    files = {entry.path: Path(entry.local_path) for entry in record.manifest.contents}
    return OfflineArtifact(record.name, record.type, json.loads(record.metadata or "{}"), files)
