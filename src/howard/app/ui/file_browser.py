"""Choosing clips and folders on disk by path: nothing is uploaded or copied."""

from pathlib import Path

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.elements import icon_button
from howard.app.ui.folder_listing import Entry, list_folder
from howard.errors import InputError

_ICONS = {"folder": "folder", "file": "movie", "sequence": "burst_mode"}
# Rows shown of a folder; a path can be typed for what lies beyond.
_MOST_ROWS = 400


class FileBrowser:
    """A dialog that lists folders; where it was last is where it opens again, in all tabs."""

    _last = Path.cwd()

    def __init__(self, title: str) -> None:
        with ui.dialog() as self._dialog, ui.card().classes("howard-browser"):
            ui.label(title).classes("howard-title").props("role=heading aria-level=2")
            with ui.row().classes("howard-fill"):
                icon_button("arrow_upward", texts.PARENT_FOLDER, lambda: self._open(self._folder.parent))
                self._path = ui.input(texts.FOLDER).props("dense outlined").classes("howard-grow")
                self._path.on("keydown.enter", lambda: self._open(Path(self._path.value or ".").expanduser()))
            self._problem = ui.label().classes("howard-problem").props("role=alert")
            self._rows = ui.column().classes("howard-files").props("role=listbox")
            with ui.row():
                ui.button(texts.USE_FOLDER, on_click=lambda: self._choose(self._folder)).props("outline no-caps")
                ui.button(texts.CANCEL, on_click=self._dialog.close).props("flat no-caps")
        self._open(FileBrowser._last)

    async def choose(self) -> Path | None:
        """Let the user choose; None if they do not."""
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
            self._problem.set_text(str(error))
            return
        self._folder = FileBrowser._last = folder
        self._problem.set_text("")
        self._path.set_value(str(folder))
        self._rows.clear()
        with self._rows:
            for entry in entries[:_MOST_ROWS]:
                self._add_row(entry)

    def _add_row(self, entry: Entry) -> None:
        name = entry.name
        if entry.kind == "sequence":
            name = texts.FRAMES_IN_SEQUENCE.format(name=entry.name, count=entry.count)
        act = self._open if entry.kind == "folder" else self._choose
        row = ui.button(name, icon=_ICONS[entry.kind], on_click=lambda: act(entry.path))
        row.props("flat dense no-caps align=left role=option").classes("howard-file")

    def _choose(self, path: Path) -> None:
        self._dialog.submit(path)
