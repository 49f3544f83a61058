"""A dialog for choosing clips and folders on disk by path; nothing is uploaded or copied."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.elements import icon_button
from howard.errors import InputError

_ICONS = {"folder": "folder", "file": "movie", "sequence": "burst_mode"}
# Rows that are shown; the paths of further entries can be typed.
_MAX_ROWS = 400
# Groups of a frame's file name: prefix, frame number, suffix.
_FRAME_NAME = re.compile(r"^(.*?)([0-9]+)(\.[A-Za-z0-9]+)$")
_MIN_SEQUENCE_LENGTH = 3


class Entry(NamedTuple):
    """A row of the dialog; ``kind`` is "folder", "file" or "sequence" (``count`` files, ``path`` is their pattern)."""

    name: str
    path: Path
    kind: str
    count: int = 1


class FileBrowser:
    """A dialog that lists folders; it opens at the folder shown last in any tab."""

    _last_folder = Path.cwd()

    def __init__(self, title: str) -> None:
        with ui.dialog() as self._dialog, ui.card().classes("howard-browser"):
            ui.label(title).classes("howard-title").props("role=heading aria-level=2")
            with ui.row().classes("howard-fill"):
                icon_button("arrow_upward", texts.PARENT_FOLDER, lambda: self._open(self._folder.parent))
                self._path = ui.input(texts.FOLDER).props("dense outlined").classes("howard-grow")
                self._path.on("keydown.enter", lambda: self._open(Path(self._path.value or ".").expanduser()))
            self._error = ui.label().classes("howard-problem").props("role=alert")
            self._rows = ui.column().classes("howard-files").props("role=listbox")
            with ui.row():
                ui.button(texts.USE_FOLDER, on_click=lambda: self._choose(self._folder)).props("outline no-caps")
                ui.button(texts.CANCEL, on_click=self._dialog.close).props("flat no-caps")
        self._open(FileBrowser._last_folder)

    async def choose(self) -> Path | None:
        """Show the dialog and return the chosen path; None if the user cancels."""
        chosen = await self._dialog
        self._dialog.delete()
        return chosen

    def _open(self, folder: Path) -> None:
        if folder.is_file():
            self._choose(folder)
            return
        try:
            entries = list_folder(folder)
        except InputError as error:
            self._error.set_text(str(error))
            return
        self._folder = FileBrowser._last_folder = folder
        self._error.set_text("")
        self._path.set_value(str(folder))
        self._rows.clear()
        with self._rows:
            for entry in entries[:_MAX_ROWS]:
                self._add_row(entry)

    def _add_row(self, entry: Entry) -> None:
        name = entry.name
        if entry.kind == "sequence":
            name = texts.FRAMES_IN_SEQUENCE.format(name=entry.name, count=entry.count)
        handler = self._open if entry.kind == "folder" else self._choose
        row = ui.button(name, icon=_ICONS[entry.kind], on_click=lambda: handler(entry.path))
        row.props("flat dense no-caps align=left role=option").classes("howard-file")

    def _choose(self, path: Path) -> None:
        self._dialog.submit(path)


def list_folder(folder: Path) -> list[Entry]:
    """The entries of a folder, folders first, sorted by name, without hidden ones.

    Raises InputError if the folder cannot be read.
    """
    try:
        found = sorted((each for each in folder.iterdir() if not each.name.startswith(".")), key=lambda each: each.name)
        folders = [Entry(each.name, each, "folder") for each in found if each.is_dir()]
        names = [each.name for each in found if each.is_file()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); choose another folder") from error
    return [*folders, *_group_sequences(folder, names)]


def _group_sequences(folder: Path, names: list[str]) -> list[Entry]:
    """File entries, with files that differ only in their number grouped into sequences."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        match = _FRAME_NAME.match(name)
        if match:
            groups[match[1], match[3]].append(match[2])
    sequences = {key: numbers for key, numbers in groups.items() if len(numbers) >= _MIN_SEQUENCE_LENGTH}
    entries = []
    for (prefix, suffix), numbers in sequences.items():
        pattern = _make_pattern(prefix, suffix, numbers)
        entries.append(Entry(pattern, folder / pattern, "sequence", len(numbers)))
    for name in names:
        match = _FRAME_NAME.match(name)
        if match is None or (match[1], match[3]) not in sequences:
            entries.append(Entry(name, folder / name, "file"))
    return sorted(entries, key=lambda each: each.name)


def _make_pattern(prefix: str, suffix: str, numbers: list[str]) -> str:
    width = min(map(len, numbers))
    is_padded = width > 1 and all(len(each) == width for each in numbers)
    return f"{prefix}%0{width}d{suffix}" if is_padded else f"{prefix}%d{suffix}"
