"""Painting what to keep and what to remove."""

import functools

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.elements import ErrorLine, icon_button, named, text_button
from howard.app.ui.file_browser import FileBrowser
from howard.app.ui.painter import Painter
from howard.app.ui.shown import MOST_RADIUS
from howard.app.ui.workspace import Workspace


class PaintPanel:
    """The brush, undo and redo, and masks from and to files."""

    def __init__(self, workspace: Workspace, painter: Painter, errors: ErrorLine) -> None:
        self._workspace, self._painter = workspace, painter
        with ui.row().classes("howard-tools"):
            self._tools = {
                None: icon_button("pan_tool_alt", texts.STOP_PAINTING, lambda: painter.choose(None)),
                "keep": icon_button("brush", texts.KEEP, lambda: painter.choose("keep")),
                "remove": icon_button("format_paint", texts.REMOVE, lambda: painter.choose("remove")),
            }
            self._erase = icon_button("auto_fix_normal", texts.ERASE, lambda: painter.toggle("erase"))
            self._line = icon_button("horizontal_rule", texts.LINE, lambda: painter.toggle("line"))
            self._undo = icon_button("undo", texts.UNDO, errors.guard(painter.undo))
            self._redo = icon_button("redo", texts.REDO, errors.guard(painter.redo))
            icon_button("layers_clear", texts.CLEAR_FRAME, errors.guard(painter.clear_frame))
        with ui.row().classes("howard-control"):
            self._radius = named(
                ui.slider(min=1, max=MOST_RADIUS, value=painter.brush.radius).props("dense"), texts.BRUSH_SIZE
            )
            self._radius.classes("howard-grow")
            self._radius.on("update:model-value", lambda event: painter.change_brush(radius=event.args), throttle=0.1)
        self._all = ui.checkbox(texts.ALL_FRAMES).props("dense")
        self._all.on("update:model-value", lambda event: painter.change_brush(all_frames=bool(event.args)))
        ui.label(texts.PAINT_HELP).classes("howard-note")
        with ui.row():
            text_button(texts.EXPORT_MASKS, errors.guard(self._export), icon="file_download")
        with ui.row():
            for option, text in texts.IMPORT_MASKS.items():
                text_button(text, errors.guard(functools.partial(self._import, option)), icon="file_upload")
        for event in (workspace.pairs_changed, workspace.shown_changed):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the brush, and what can be undone."""
        shown, brush = self._workspace.shown, self._painter.brush
        strokes = self._painter.strokes
        for kind, button in self._tools.items():
            _press(button, kind == (brush.kind if shown.is_painting else None))
        _press(self._erase, shown.is_painting and brush.erase)
        _press(self._line, shown.is_painting and brush.line)
        self._radius.set_value(brush.radius)
        self._all.set_value(brush.all_frames)
        self._undo.set_enabled(strokes is not None and strokes.can_undo)
        self._redo.set_enabled(strokes is not None and strokes.can_redo)

    async def _export(self) -> None:
        folder = await FileBrowser(texts.EXPORT_MASKS).choose()
        if folder is not None:
            await self._painter.export_masks(folder)
            ui.notify(texts.MASKS_EXPORTED.format(folder=folder))

    async def _import(self, option: str) -> None:
        mask = await FileBrowser(texts.IMPORT_MASKS[option]).choose()
        if mask is not None:
            await self._painter.import_mask(option, mask)


def _press(button: ui.button, is_pressed: bool) -> None:
    button.props["aria-pressed"] = str(is_pressed).lower()
    button.classes(**{"add" if is_pressed else "remove": "howard-pressed"})
