"""Keys of the page and what they do."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from howard.app.core.views import VIEWS
from howard.app.ui.elements import ErrorLine
from howard.app.ui.painter import Painter
from howard.app.ui.shown import LAYOUTS, MOST_RADIUS
from howard.app.ui.viewer import Viewer
from howard.app.ui.workspace import Workspace

# Frames that Shift and an arrow step.
_LONG_STEP = 10
# By which [ and ] change the brush.
_BRUSH_FACTOR = 1.25
# Share of the viewer by which comma and full stop move the wipe.
_WIPE_STEP = 0.05

Actions = dict[str, Callable[[], Any]]


class Shortcuts(ui.element, component="shortcuts.js"):
    """Listens for keys anywhere on the page, other than in fields."""

    def __init__(self, actions: Actions, errors: ErrorLine) -> None:
        super().__init__()
        self._props["keys"] = list(actions)
        guarded = {key: errors.guard(act) for key, act in actions.items()}

        async def run(event: Any) -> None:
            await guarded[event.args["key"]]()

        self.on("shortcut", run)


def view_keys(workspace: Workspace) -> Actions:
    """Digits choose views: of the left viewer, with Shift of the right one."""
    actions: Actions = {}
    for digit, view in enumerate(VIEWS, start=1):
        actions[str(digit)] = lambda view=view: workspace.show(a=view)
        actions[f"shift+{digit}"] = lambda view=view: workspace.show(b=view)
    return actions


def frame_keys(workspace: Workspace) -> Actions:
    """Arrows step; Home and End go to the clip's ends, which is where `Workspace.seek` stops."""

    def step(frames: float) -> Callable[[], None]:
        return lambda: workspace.seek(int(workspace.shown.number + frames))

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
    """How the viewers show their pictures."""

    def next_layout() -> None:
        workspace.show(layout=LAYOUTS[(LAYOUTS.index(workspace.shown.layout) + 1) % len(LAYOUTS)])

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
    """The brush."""

    def scale(factor: float) -> Callable[[], None]:
        return lambda: painter.change_brush(radius=min(MOST_RADIUS, max(1.0, painter.brush.radius * factor)))

    return {
        "v": lambda: painter.choose(None),
        "b": lambda: painter.choose("keep"),
        "r": lambda: painter.choose("remove"),
        "e": lambda: painter.toggle("erase"),
        "l": lambda: painter.toggle("line"),
        "[": scale(1 / _BRUSH_FACTOR),
        "]": scale(_BRUSH_FACTOR),
        "ctrl+z": painter.undo,
        "ctrl+shift+z": painter.redo,
        "ctrl+y": painter.redo,
    }
