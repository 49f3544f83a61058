"""Files that a render stores beside its frames: names, the line format of its journals, reading and appending.

Every process appends to its own journal, so that several machines on a network disk never write to the same file;
journals are merged when they are read. Standard library only.
"""

import json
import math
import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from howard.errors import InputError, OutputError

SIDECAR = "howard.json"
SAMPLES = "howard.samples"
SAMPLE_FACTS = "sample.json"
REPORT = "report.html"
# The id is missing in the single journal of earlier versions.
_JOURNAL = re.compile(r"howard\.frames(\.[0-9A-Za-z-]{1,64})?\.jsonl")
STATUSES = ("good", "weak", "failed")
# Reasons of a status other than "good", as stored in the journal, with their descriptions.
REASONS = {
    "alignment failed": "no plate frame fits",
    "full": "the matte covers nearly everything",
    "alignment weak": "plate alignment weak",
    "damaged": "damaged in the shot",
    "empty": "nobody found",
    "holes": "holes in the matte",
    "recomposition": "shot and result do not match",
    "plate hidden": "somebody in the plate hides the place",
}
# Reasons that make a frame unusable.
FAILING_REASONS = frozenset({"alignment failed", "full"})
# Seconds, as an integer or a fraction.
_TIME = re.compile(r"[0-9]{1,30}(/0*[1-9][0-9]{0,29})?")


@dataclass(frozen=True)
class FrameRecord:
    """A journal line about one frame; values that cannot be computed, as without a plate, are None.

    ``plate_indices`` are zero-based. ``error_px`` is the median error of the matches in source pixels, ``coverage`` a
    fraction of the image; ``residual`` and ``recomposition_error`` are in 8-bit levels, ``holes`` and ``islands``
    fractions. ``damaged`` is whether the source's data are damaged, ``plate_damaged`` are the plate frames skipped for
    that reason. ``status`` is one of `STATUSES`, ``reasons`` are the `REASONS` for it. ``plate_hidden`` is the fraction
    of the image where the plate frame shows a person and other plate frames may show the background.
    """

    number: int
    index: int
    time: str
    plate_indices: tuple[int, ...]
    status: str
    inliers: int
    error_px: float | None
    coverage: float
    residual: float | None
    recomposition_error: float | None
    holes: float
    islands: float
    damaged: bool = False
    plate_damaged: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    plate_hidden: float = 0.0


@dataclass(frozen=True)
class FileRecord:
    """A journal line about a finished file: its path in the render folder, with slashes, and its size in bytes."""

    file: str
    bytes: int


def _is_int(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    # math.isfinite raises for integers beyond the range of float; NaN compares as false.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


# Checks by the annotations of fields.
_CHECKS: dict[Any, Callable[[Any], bool]] = {
    int: _is_int,
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    float: _is_number,
    float | None: lambda value: value is None or _is_number(value),
    tuple[int, ...]: lambda value: isinstance(value, list) and all(map(_is_int, value)),
    tuple[str, ...]: lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
}


def is_frame_record(facts: dict[str, Any]) -> bool:
    """Whether a line is a complete :class:`FrameRecord` of this version."""
    if not _fits(facts, FrameRecord) or not _TIME.fullmatch(facts["time"]):
        return False
    return facts["status"] in STATUSES and REASONS.keys() >= set(facts["reasons"])


def is_file_record(facts: dict[str, Any]) -> bool:
    """Whether a line is a complete :class:`FileRecord`."""
    return _fits(facts, FileRecord)


def find_journals(folder: Path) -> list[Path]:
    """The journals in a render folder, sorted by the time of the last write.

    Raises InputError if the folder cannot be listed.
    """
    found = []
    try:
        for entry in os.scandir(folder):
            if _JOURNAL.fullmatch(entry.name) and entry.is_file():
                found.append((entry.stat().st_mtime_ns, entry.name))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unreadable(folder, error) from error
    return [folder / name for _, name in sorted(found)]


def read_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """All lines of all journals that are JSON objects; any other content is skipped.

    Of several lines about one frame the last counts. Raises InputError if a journal cannot be read.
    """
    for journal in find_journals(folder):
        try:
            data = journal.read_bytes()
        except OSError as error:
            raise _unreadable(journal, error) from error
        for line in data.split(b"\n"):
            try:
                facts = json.loads(line)
            # ValueError also for numbers of thousands of digits, RecursionError for deeply nested lists.
            except (ValueError, RecursionError):
                continue
            if isinstance(facts, dict):
                yield facts


class Journal:
    """This process's journal in a render folder; the file is created with the first line."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"howard.frames.{uuid.uuid4().hex}.jsonl"

    def append(self, record: FrameRecord | FileRecord) -> dict[str, Any]:
        """Append a line, and return it as it will be read; raises OutputError if it cannot be written."""
        line = json.dumps(asdict(record))
        try:
            # Opened for every line: on network disks, other machines see data once the file is closed.
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written ({error.strerror}); check space and permissions"
            ) from error
        return json.loads(line)


def is_render_file(name: str) -> bool:
    """Whether a file of this name may be left by a render that was killed before its sidecar was written."""
    hidden = name.startswith(f".{SIDECAR}.") or name.startswith(".howard.frames.")
    return hidden or bool(_JOURNAL.fullmatch(name))


def _fits(facts: dict[str, Any], kind: type) -> bool:
    expected = {each.name: _CHECKS[each.type] for each in fields(kind)}
    return facts.keys() == expected.keys() and all(check(facts[name]) for name, check in expected.items())


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions")
