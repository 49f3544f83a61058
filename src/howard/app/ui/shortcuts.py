"""Keyboard shortcuts of the page."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from howard.app.core.views import VIEWS
from howard.app.ui.display_state import LAYOUTS, MAX_BRUSH_RADIUS
from howard.app.ui.elements import ErrorLine
from howard.app.ui.painter import Painter
from howard.app.ui.viewer import Viewer
from howard.app.ui.workspace import Workspace

# Frames per step with Shift and an arrow key.
_LONG_STEP = 10
# Factor by which [ and ] change the brush radius.
_BRUSH_FACTOR = 1.25
# Step of the wipe with comma and full stop, as a fraction of the viewer's width.
_WIPE_STEP = 0.05

Actions = dict[str, Callable[[], Any]]


class Shortcuts(ui.element, component="shortcuts.js"):
    """Listens for key presses anywhere on the page except in text fields."""

    def __init__(self, actions: Actions, errors: ErrorLine) -> None:
        super().__init__()
        self._props["keys"] = list(actions)
        handlers = {key: errors.catch(action) for key, action in actions.items()}

        async def run(event: Any) -> None:
            await handlers[event.args["key"]]()

        self.on("shortcut", run)


def view_keys(workspace: Workspace) -> Actions:
    """Digits select the view of the left viewer, and with Shift that of the right one."""
    actions: Actions = {}
    for digit, view in enumerate(VIEWS, start=1):
        actions[str(digit)] = lambda view=view: workspace.show(a=view)
        actions[f"shift+{digit}"] = lambda view=view: workspace.show(b=view)
    return actions


def frame_keys(workspace: Workspace) -> Actions:
    """Arrow keys step; Home and End go to the first and the last frame."""

    def step(frames: float) -> Callable[[], None]:
        return lambda: workspace.seek(int(workspace.display.number + frames))

    def jump(which: str) -> Callable[[], None]:
        return lambda: workspace.seek(getattr(workspace.clip, which)) if workspace.clip is not None else None

    return {
        "arrowleft": step(-1),
        "arrowright": step(1),
        "shift+arrowleft": step(-_LONG_STEP),
        "shift+arrowright": step(_LONG_STEP),
        "home": jump("first_number"),
        "end": jump("last_number"),
    }


def viewer_keys(workspace: Workspace, viewer: Viewer) -> Actions:
    """Layout, zoom and wipe of the viewers."""

    def next_layout() -> None:
        workspace.show(layout=LAYOUTS[(LAYOUTS.index(workspace.display.layout) + 1) % len(LAYOUTS)])

    return {
        "w": next_layout,
        "f": lambda: viewer.run_method("fit"),
        "z": lambda: viewer.run_method("actualSize"),
        "+": lambda: viewer.run_method("zoomIn"),
        "=": lambda: viewer.run_method("zoomIn"),
        "-": lambda: viewer.run_method("zoomOut"),
        ",": lambda: viewer.run_method("moveWipe", -_WIPE_STEP),
        ".": lambda: viewer.run_method("moveWipe", _WIPE_STEP),
    }


def paint_keys(painter: Painter) -> Actions:
    """Tools, brush radius, undo and redo."""

    def scale(factor: float) -> Callable[[], None]:
        return lambda: painter.change_brush(radius=min(MAX_BRUSH_RADIUS, max(1.0, painter.brush.radius * factor)))

    return {
        "v": lambda: painter.select_tool(None),
        "b": lambda: painter.select_tool("keep"),
        "r": lambda: painter.select_tool("remove"),
        "e": lambda: painter.toggle("erase"),
        "l": lambda: painter.toggle("line"),
        "[": scale(1 / _BRUSH_FACTOR),
        "]": scale(_BRUSH_FACTOR),
        "ctrl+z": painter.undo,
        "ctrl+shift+z": painter.redo,
        "ctrl+y": painter.redo,
    }
