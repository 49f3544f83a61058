"""The panel with the project's pairs and their states, and the dialogs for adding pairs and opening projects."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui import ui

from howard.app.core.pair import Pair, clip_name
from howard.app.core.project import SUFFIX, find_pairs, recent_projects
from howard.app.ui import texts
from howard.app.ui.elements import ErrorLine, icon_button, text_button
from howard.app.ui.file_browser import FileBrowser
from howard.app.ui.help_pages import find_topic, show_help
from howard.app.ui.workspace import Workspace
from howard.errors import InputError, SettingsError
from howard.options import PLATE_SELF, list_plates

# Icon and colour for each state; the colours are distinguishable with all types of colour vision.
_ICONS = {
    "new": ("radio_button_unchecked", "grey-5"),
    "previewed": ("visibility", "light-blue-4"),
    "rendering": ("autorenew", "yellow-6"),
    "done": ("check_circle", "teal-5"),
    "needs_a_look": ("error_outline", "orange-5"),
    "error": ("dangerous", "deep-orange-6"),
}
# States with a help button.
_STATES_WITH_HELP = ("error", "needs_a_look")


class ProjectBar:
    """The list of pairs; a click displays one."""

    def __init__(self, workspace: Workspace, errors: ErrorLine) -> None:
        self._workspace, self._errors = workspace, errors
        with ui.row().classes("howard-heading"):
            self._title = ui.label().classes("howard-title").props("role=heading aria-level=1")
            ui.space()
            icon_button("folder_open", texts.OPEN_PROJECT, errors.catch(self._open_project))
            icon_button("add", texts.ADD_PAIR, errors.catch(self._add))
        self._rows = ui.column().classes("howard-pairs").props(f'role=listbox aria-label="{texts.SHOTS}"')
        self._listed: object = None
        for event in (workspace.pairs_changed, workspace.display_changed):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Rebuild the list if it has changed."""
        workspace = self._workspace
        current = (
            workspace.project.path,
            workspace.display.pair_id,
            [(each.id, each.state, each.message) for each in workspace.project.pairs],
        )
        if current == self._listed:
            return
        self._listed = current
        self._title.set_text(f"{texts.PROJECT} {workspace.project.name}")
        self._rows.clear()
        with self._rows:
            if not workspace.project.pairs:
                ui.label(texts.NO_PAIRS).classes("howard-note")
            for pair in workspace.project.pairs:
                self._add_row(pair)

    def _add_row(self, pair: Pair) -> None:
        is_displayed = pair.id == self._workspace.display.pair_id
        icon, colour = _ICONS[pair.state]
        name = f"{clip_name(pair.shot)}: {texts.STATES[pair.state]}"
        with ui.row().classes("howard-pair" + (" howard-chosen" if is_displayed else "")) as row:
            row.props["role"] = "option"
            row.props["tabindex"] = "0"
            row.props["aria-selected"] = str(is_displayed).lower()
            row.props["aria-label"] = name
            ui.icon(icon, color=colour, size="18px")
            with ui.column().classes("howard-grow howard-tight"):
                ui.label(clip_name(pair.shot)).classes("howard-ellipsis")
                ui.label(f"{texts.STATES[pair.state]} · {pair.shot.name}").classes("howard-small howard-ellipsis")
                if pair.message and pair.state != "done":
                    ui.label(pair.message).classes("howard-small howard-message")
                if pair.state in _STATES_WITH_HELP:
                    help_button = text_button(texts.HELP_WITH_MESSAGE, lambda: None).classes("howard-small")
                    help_button.on("click.stop", lambda: show_help(find_topic(pair.message)))
            remove = icon_button("close", texts.REMOVE_PAIR.format(name=clip_name(pair.shot)), lambda: None)
            remove.on("click.stop", self._errors.catch(lambda: self._workspace.remove(pair.id)))
        select = self._errors.catch(lambda: self._workspace.select(pair.id))
        row.on("click", select)
        row.on("keydown.self.enter", select)

    async def _add(self) -> None:
        with ui.dialog() as dialog, ui.card().classes("howard-add"):
            ui.label(texts.ADD_PAIR).classes("howard-title").props("role=heading aria-level=2")
            found = ui.column().classes("howard-found")
            suggest = functools.partial(self._suggest_pairs, found=found, dialog=dialog)
            shot = _path_field(texts.SHOT, texts.SHOT_PATH, texts.CHOOSE_SHOT, suggest)
            plate = _path_field(texts.PLATE, texts.PLATE_PATH, texts.CHOOSE_PLATE)
            with ui.row():
                add = self._errors.catch(lambda: self._add_pair(shot.value or "", plate.value or ""))
                ui.button(texts.ADD, on_click=lambda: dialog.submit(add)).props("no-caps")
                ui.button(texts.CANCEL, on_click=dialog.close).props("flat no-caps")
        handler = await dialog
        dialog.delete()
        if handler is not None:
            await handler()

    def _suggest_pairs(self, path: Path, found: ui.column, dialog: ui.dialog) -> None:
        """Suggest the pairs in the folder of a chosen file."""
        try:
            pairs = find_pairs(path.parent)
        except InputError:
            pairs = []
        known = {each.shot for each in self._workspace.project.pairs}
        new = [each for each in pairs if each.shot not in known]
        found.clear()
        if not new:
            return

        async def add_all() -> None:
            for each in new:
                await self._workspace.add_pair(each.shot, [each.plate])

        with found:
            ui.label(texts.FOUND_PAIRS).classes("howard-small")
            for each in new:
                ui.label(f"{each.shot.name} + {each.plate.name}").classes("howard-small")
            add = self._errors.catch(add_all)
            text_button(texts.ADD_FOUND.format(count=len(new)), lambda: dialog.submit(add), icon="playlist_add")

    async def _add_pair(self, shot: str, plate: str) -> None:
        if not shot or not plate:
            raise SettingsError(f"{'input' if not shot else 'plate'}= is missing; choose a file or folder")
        chosen = [PLATE_SELF] if plate == PLATE_SELF else [Path(each).expanduser() for each in list_plates(plate)]
        await self._workspace.add_pair(Path(shot).expanduser(), chosen)

    async def _open_project(self) -> None:
        with ui.dialog() as dialog, ui.card().classes("howard-add"):
            ui.label(texts.OPEN_PROJECT).classes("howard-title").props("role=heading aria-level=2")
            path = _path_field(texts.PROJECT, f"{texts.PROJECT_NAME} (NAME{SUFFIX})", texts.OPEN_PROJECT)
            ui.label(texts.RECENT_PROJECTS).classes("howard-small")
            for recent in recent_projects():
                choose = ui.button(str(recent), on_click=lambda recent=recent: dialog.submit(str(recent)))
                choose.props("flat dense no-caps align=left").classes("howard-file")
            with ui.row():
                ui.button(texts.CREATE, on_click=lambda: dialog.submit(path.value)).props("no-caps")
                ui.button(texts.CANCEL, on_click=dialog.close).props("flat no-caps")
        chosen = await dialog
        dialog.delete()
        if chosen:
            await self._workspace.open_project(project_path(chosen))


def project_path(text: str) -> Path:
    """The project file for a typed path; adds the suffix if it was left out."""
    path = Path(text).expanduser()
    return path if path.name.endswith(".json") else path.with_name(path.name + SUFFIX)


def _path_field(label: str, name: str, title: str, on_choose: Callable[[Path], Any] | None = None) -> ui.input:
    """A text field for a path, with a button that opens the file browser."""
    with ui.row().classes("howard-fill"):
        field = ui.input(label).props("dense outlined").classes("howard-grow")
        field.props["aria-label"] = name

        async def browse() -> None:
            path = await FileBrowser(title).choose()
            if path is not None:
                field.set_value(str(path))
                if on_choose is not None:
                    on_choose(path)

        icon_button("folder_open", title, browse)
    ui.label(name).classes("howard-small")
    return field
