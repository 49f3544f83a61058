"""The panel for painting keep and remove strokes."""

import functools

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.display_state import MAX_BRUSH_RADIUS
from howard.app.ui.elements import ErrorLine, icon_button, label_element, set_pressed, text_button
from howard.app.ui.file_browser import FileBrowser
from howard.app.ui.painter import Painter
from howard.app.ui.workspace import Workspace


class PaintPanel:
    """Controls for the brush, undo and redo, and import and export of masks."""

    def __init__(self, workspace: Workspace, painter: Painter, errors: ErrorLine) -> None:
        self._workspace, self._painter = workspace, painter
        with ui.row().classes("howard-tools"):
            self._tools = {
                None: icon_button("pan_tool_alt", texts.STOP_PAINTING, lambda: painter.select_tool(None)),
                "keep": icon_button("brush", texts.KEEP, lambda: painter.select_tool("keep")),
                "remove": icon_button("format_paint", texts.REMOVE, lambda: painter.select_tool("remove")),
            }
            self._erase = icon_button("auto_fix_normal", texts.ERASE, lambda: painter.toggle("erase"))
            self._line = icon_button("horizontal_rule", texts.LINE, lambda: painter.toggle("line"))
            self._undo = icon_button("undo", texts.UNDO, errors.catch(painter.undo))
            self._redo = icon_button("redo", texts.REDO, errors.catch(painter.redo))
            icon_button("layers_clear", texts.CLEAR_FRAME, errors.catch(painter.clear_frame))
        with ui.row().classes("howard-control"):
            self._radius = label_element(
                ui.slider(min=1, max=MAX_BRUSH_RADIUS, value=painter.brush.radius).props("dense"), texts.BRUSH_SIZE
            )
            self._radius.classes("howard-grow")
            self._radius.on("update:model-value", lambda event: painter.change_brush(radius=event.args), throttle=0.1)
        self._all = ui.checkbox(texts.ALL_FRAMES).props("dense")
        self._all.on("update:model-value", lambda event: painter.change_brush(all_frames=bool(event.args)))
        ui.label(texts.PAINT_HELP).classes("howard-note")
        with ui.row():
            text_button(texts.EXPORT_MASKS, errors.catch(self._export), icon="file_download")
        with ui.row():
            for option, text in texts.IMPORT_MASKS.items():
                text_button(text, errors.catch(functools.partial(self._import, option)), icon="file_upload")
        for event in (workspace.pairs_changed, workspace.display_changed):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the brush settings, and whether undo and redo are possible."""
        display, brush = self._workspace.display, self._painter.brush
        history = self._painter.history
        for kind, button in self._tools.items():
            set_pressed(button, kind == (brush.kind if display.is_painting else None))
        set_pressed(self._erase, display.is_painting and brush.erase)
        set_pressed(self._line, display.is_painting and brush.line)
        self._radius.set_value(brush.radius)
        self._all.set_value(brush.all_frames)
        self._undo.set_enabled(history is not None and history.can_undo)
        self._redo.set_enabled(history is not None and history.can_redo)

    async def _export(self) -> None:
        folder = await FileBrowser(texts.EXPORT_MASKS).choose()
        if folder is not None:
            await self._painter.export_masks(folder)
            ui.notify(texts.MASKS_EXPORTED.format(folder=folder))

    async def _import(self, option: str) -> None:
        mask = await FileBrowser(texts.IMPORT_MASKS[option]).choose()
        if mask is not None:
            await self._painter.import_mask(option, mask)
