"""The files that a render keeps beside its frames: their names, the line format of its journals, and reading them.

Each process appends to a journal of its own, so that several machines on a network disk never write to one file. The
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
# Renders of earlier versions have one journal without an id.
_JOURNAL = re.compile(r"howard\.frames(\.[0-9A-Za-z-]{1,64})?\.jsonl")
STATUSES = ("good", "weak", "failed")
# Why a frame is not good, as its line names it, and in words.
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
# A frame with one of these is of no use.
FAILING_REASONS = frozenset({"alignment failed", "full"})
# Seconds as a fraction.
_TIME = re.compile(r"[0-9]{1,30}(/0*[1-9][0-9]{0,29})?")


@dataclass(frozen=True)
class FrameRecord:
    """A journal's line about one frame; None where a value cannot be had, as without a plate.

    ``plate_indices`` count from zero; ``error_px`` is the matches' median error in source pixels, ``coverage`` a share
    of the picture; ``residual`` and ``recomposition_error`` are in 8-bit levels, ``holes`` and ``islands`` shares.
    ``damaged`` says that the source's data were, ``plate_damaged`` which plate frames were left out for that reason.
    ``status`` is one of `STATUSES`, ``reasons`` are those of `REASONS` that hold. ``plate_hidden`` is the share of the
    picture where the plate frame used shows somebody, and other plate frames may show the place.
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
    """A journal's line about a finished file: its name, relative to the render's folder with slashes, and its size."""

    file: str
    bytes: int


def _is_int(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    # Not math.isfinite, which refuses integers that no float can hold; NaN is not less than anything.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


# By the annotation of a field; an annotation without an entry would be a mistake of ours.
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
    """Whether a line is a whole :class:`FrameRecord` as this version writes it."""
    if not _fits(facts, FrameRecord) or not _TIME.fullmatch(facts["time"]):
        return False
    return facts["status"] in STATUSES and REASONS.keys() >= set(facts["reasons"])


def is_file_record(facts: dict[str, Any]) -> bool:
    """Whether a line is a whole :class:`FileRecord`."""
    return _fits(facts, FileRecord)


def find_journals(folder: Path) -> list[Path]:
    """The journals in a render's folder, the one that was written to last at the end.

    Raises InputError where the folder cannot be listed.
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
    """Every line of all journals that is a JSON object; whatever else stands there, of any bytes, is left out.

    Of several lines about one frame the last counts. Raises InputError where a journal cannot be read.
    """
    for journal in find_journals(folder):
        try:
            data = journal.read_bytes()
        except OSError as error:
            raise _unreadable(journal, error) from error
        for line in data.split(b"\n"):
            try:
                facts = json.loads(line)
            # Of numbers of thousands of digits, and of nested lists without an end.
            except (ValueError, RecursionError):
                continue
            if isinstance(facts, dict):
                yield facts


class Journal:
    """This process's journal in a render's folder; the file is made with its first line."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"howard.frames.{uuid.uuid4().hex}.jsonl"

    def append(self, record: FrameRecord | FileRecord) -> dict[str, Any]:
        """Add a line, and return it as it will be read back; raises OutputError where it cannot be written."""
        line = json.dumps(asdict(record))
        try:
            # Opened and closed each time: on network disks others see what was written before a file was closed.
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written ({error.strerror}); check space and permissions"
            ) from error
        return json.loads(line)


def is_render_file(name: str) -> bool:
    """Whether a render that was killed before it had a sidecar may have left a file of this name."""
    hidden = name.startswith(f".{SIDECAR}.") or name.startswith(".howard.frames.")
    return hidden or bool(_JOURNAL.fullmatch(name))


def _fits(facts: dict[str, Any], kind: type) -> bool:
    expected = {each.name: _CHECKS[each.type] for each in fields(kind)}
    return facts.keys() == expected.keys() and all(check(facts[name]) for name, check in expected.items())


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions")
