"""The panel with all options of a render in sections, and the button that copies the equivalent command."""

import asyncio
from typing import Any

from nicegui import ui

from howard.app.core.painted_masks import write_masks
from howard.app.core.render_command import command_line
from howard.app.ui import texts
from howard.app.ui.controls import Control
from howard.app.ui.elements import ErrorLine, label_element, text_button
from howard.app.ui.workspace import Workspace
from howard.fields import find_setting
from howard.options import RenderOptions

# Options of each section, in display order.
SECTIONS = {
    "quality": ("quality", "subject", "edges", "window", "weights"),
    "finishing": ("choke", "feather", "black", "white", "despill"),
    "background": ("background", "shadow"),
    "outputs": ("format", "layers", "exr_compression", "output_colour", "alpha_mode", "report"),
    "colour": ("input_colour", "plate_colour", "layer", "plate_layer", "interlaced", "frame_rate", "plate_frames"),
    "masks": ("garbage", "holdout"),
    "machine": ("device", "precision", "threads"),
}
# Sections that are expanded initially.
_OPEN_AT_FIRST = ("quality", "finishing")


class SettingsPanel:
    """Controls for the options of the displayed pair."""

    def __init__(self, workspace: Workspace, errors: ErrorLine) -> None:
        self._workspace, self._errors = workspace, errors
        self._controls: dict[str, Control] = {}
        for section, names in SECTIONS.items():
            with ui.expansion(texts.SECTIONS[section], value=section in _OPEN_AT_FIRST).classes("howard-section"):
                for name in names:
                    self._controls[name] = Control(find_setting(RenderOptions, name), self._apply)
                if section == "outputs":
                    self._add_folder()
        text_button(texts.COPY_COMMAND, errors.catch(self._copy), icon="content_copy")
        for event in (workspace.pairs_changed, workspace.display_changed):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the options of the displayed pair."""
        pair = self._workspace.pair
        options = {} if pair is None else pair.options
        for name, control in self._controls.items():
            control.refresh(options.get(name, control.setting.default))
        folder = "" if pair is None else pair.output
        if self._folder.value != folder and folder != self._sent:
            self._folder.set_value(folder)
        self._sent = folder

    def _add_folder(self) -> None:
        self._sent = ""
        with ui.row().classes("howard-control"):
            ui.label(texts.FOLDER_LABEL).classes("howard-label")
            self._folder = label_element(ui.input().props("dense outlined").classes("howard-grow"), texts.OUTPUT_FOLDER)
        for event in ("blur", "keydown.enter"):
            self._folder.on(event, self._errors.catch(self._set_folder))

    def _set_folder(self) -> None:
        if self._workspace.pair is not None and self._folder.value:
            self._workspace.update(output=self._folder.value)

    async def _apply(self, name: str, value: Any) -> None:
        await self._errors.catch(lambda: self._workspace.set_option(name, value))()

    async def _copy(self) -> None:
        project, pair = self._workspace.project, self._workspace.pair
        if pair is None:
            return
        # The command reads the painted masks from files.
        await asyncio.to_thread(write_masks, project, pair)
        command = await asyncio.to_thread(command_line, project, pair)
        ui.clipboard.write(command)
        with ui.dialog(value=True) as dialog, ui.card().classes("howard-add"):
            ui.label(texts.COMMAND_COPIED)
            ui.code(command, language="bash").classes("howard-wide")
            ui.button(texts.CLOSE, on_click=dialog.close).props("flat no-caps")
        dialog.on("hide", dialog.delete)
