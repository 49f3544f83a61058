"""A project: pairs of shot and plate in a JSON file that is saved after every change."""

import contextlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from howard.app.core.pair import DEFAULT_OUTPUT, Pair
from howard.errors import InputError, OutputError
from howard.media.files import make_folder, write_atomically
from howard.media.still import STILL_SUFFIXES
from howard.options import PLATE_SELF

SUFFIX = ".howard.json"
_VERSION = 1
# Length of the list of recent projects.
_MAX_RECENT = 12
# States that describe a finished render, and the attributes that a render depends on.
_RESULT_STATES = ("done", "needs_a_look", "error")
_RENDER_ATTRIBUTES = ("shot", "plate", "options", "first", "last", "output", "strokes")
_PLATE_ENDINGS = ("_plate", "-plate", ".plate", " plate")
_VIDEO_SUFFIXES = frozenset({".mov", ".mp4", ".m4v", ".mkv", ".webm", ".mxf", ".avi", ".mts", ".m2ts", ".ts", ".mpg"})

Listener = Callable[["Project"], None]


class FoundPair(NamedTuple):
    """A shot and the plate with a matching name."""

    shot: Path
    plate: Path


class Project:
    """The pairs of a project file; every change is saved at once. Thread-safe.

    Args:
        path: path of the project file, which need not exist; an existing file is not read, see :meth:`open`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._pairs: dict[str, Pair] = {}
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: str | Path) -> "Project":
        """Read a project file, or start an empty project if it does not exist; adds it to the recent projects.

        Raises InputError if the file is not a project file of this version.
        """
        project = cls(path)
        if project.path.exists():
            project._pairs = {pair.id: pair for pair in _read_pairs(project.path)}
        add_recent_project(project.path)
        return project

    @property
    def folder(self) -> Path:
        """Folder next to the project file for masks and the states of renders; it need not exist."""
        return self.path.with_name(f"{self.name}_files")

    @property
    def name(self) -> str:
        """The file name without its suffix."""
        return self.path.name.removesuffix(SUFFIX).removesuffix(".json")

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs in the order in which they were added."""
        with self._lock:
            return tuple(self._pairs.values())

    def pair(self, pair_id: str) -> Pair:
        """A pair by its id; raises KeyError for an unknown id."""
        with self._lock:
            return self._pairs[pair_id]

    def output_folder(self, pair: Pair) -> Path:
        """Absolute path of a pair's render folder."""
        return self.path.parent / pair.expand_output()

    def add_pair(self, shot: str | Path, plate: str | Path | Sequence[str | Path]) -> Pair:
        """Add a shot with its plate (one or several clips, or "self"); the pair gets an unused render folder."""
        plates = [plate] if isinstance(plate, str | Path) else list(plate)
        is_self = [str(each) for each in plates] == [PLATE_SELF]
        chosen = tuple(Path(each) if is_self else Path(each).absolute() for each in plates)
        with self._lock:
            pair = Pair(id=uuid.uuid4().hex[:12], shot=Path(shot).absolute(), plate=chosen)
            pair = replace(pair, output=self._free_output(pair))
            self._pairs[pair.id] = pair
        self._changed()
        return pair

    def remove(self, pair_id: str) -> None:
        """Remove a pair from the project; its files are kept."""
        with self._lock:
            del self._pairs[pair_id]
        self._changed()

    def update(self, pair_id: str, **changes: Any) -> Pair:
        """Change attributes of a pair; the state of a finished or failed render becomes "previewed".

        Raises SettingsError or ValueError for invalid values, and then changes nothing.
        """
        with self._lock:
            old = self._pairs[pair_id]
            if "state" not in changes and old.state in _RESULT_STATES and _alters_render(old, replace(old, **changes)):
                changes = {"state": "previewed", "message": "", **changes}
            new = replace(old, **changes)
            new.expand_output()
            self._pairs[pair_id] = new
        if new != old:
            self._changed()
        return new

    def save(self) -> None:
        """Write the file atomically; raises OutputError if it cannot be written."""
        with self._lock:
            facts = {"howard_project": _VERSION, "pairs": [pair.to_json() for pair in self._pairs.values()]}
            make_folder(self.path.parent)
            write_atomically(self.path, (json.dumps(facts, indent=1) + "\n").encode())

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every change, in the thread of the change; the returned function unsubscribes it."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def _changed(self) -> None:
        self.save()
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(self)

    def _free_output(self, pair: Pair) -> str:
        taken = {self.output_folder(each) for each in self._pairs.values()}
        output, number = DEFAULT_OUTPUT, 1
        while self.output_folder(replace(pair, output=output)) in taken:
            number += 1
            output = f"{DEFAULT_OUTPUT}_{number}"
        return output


def _alters_render(old: Pair, new: Pair) -> bool:
    """Whether two versions of a pair differ in an attribute that a render depends on."""
    return any(getattr(old, name) != getattr(new, name) for name in _RENDER_ATTRIBUTES)


def _read_pairs(path: Path) -> Iterable[Pair]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version, pairs = facts["howard_project"], list(facts["pairs"])
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is not a project file of Howard; choose a file that ends in {SUFFIX}") from error
    if version != _VERSION:
        raise InputError(f"{path} was written by another version of Howard (format {version}); open it with that one")
    try:
        return [Pair.from_json(each) for each in pairs]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def find_pairs(folder: str | Path) -> list[FoundPair]:
    """Find shots in a folder that have a plate with the same name plus "plate", such as a.mov and a_plate.mov.

    Shots and plates are videos, stills or folders of frames. Raises InputError if the folder cannot be read.
    """
    folder = Path(folder)
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder} cannot be read as a folder ({error.strerror}); check the path") from error
    clips = [entry for entry in entries if entry.suffix.lower() in STILL_SUFFIXES | _VIDEO_SUFFIXES or entry.is_dir()]
    plates = {_shot_name(clip): clip for clip in clips if _shot_name(clip) is not None}
    return [
        FoundPair(clip, plates[_stem(clip)]) for clip in clips if _stem(clip) in plates and _shot_name(clip) is None
    ]


def _stem(clip: Path) -> str:
    """A clip's name without suffix, case-folded because some file systems ignore case."""
    return (clip.name if clip.is_dir() else clip.stem).casefold()


def _shot_name(clip: Path) -> str | None:
    """The shot's name within a plate's name; None for clips without a plate suffix."""
    stem = _stem(clip)
    return next((stem.removesuffix(ending) for ending in _PLATE_ENDINGS if stem.endswith(ending)), None)


def recent_projects() -> list[Path]:
    """Existing files among the recently opened projects, the latest first."""
    try:
        paths = json.loads(_recent_file().read_text(encoding="utf-8"))
        return [Path(path) for path in paths if Path(path).is_file()]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def add_recent_project(path: Path) -> None:
    """Put a project first in the list of recent projects; errors in writing the list are ignored."""
    try:
        known = json.loads(_recent_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        known = []
    others = [each for each in known if each != str(path)] if isinstance(known, list) else []
    with contextlib.suppress(OSError, OutputError):
        make_folder(_recent_file().parent)
        write_atomically(_recent_file(), json.dumps([str(path), *others][:_MAX_RECENT]).encode())


def _recent_file() -> Path:
    """``$XDG_CONFIG_HOME/howard/projects.json``, or ``~/.config/howard/projects.json``."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()) / "howard" / "projects.json"
