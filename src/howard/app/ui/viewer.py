"""Server side of the canvas with the two linked viewers."""

from typing import Any

from nicegui import ui

from howard.app.core.strokes import Stroke
from howard.app.ui import texts
from howard.app.ui.display_state import Brush
from howard.app.ui.painter import Painter
from howard.app.ui.picture_loader import IMMEDIATE_VIEWS
from howard.app.ui.workspace import Workspace


class Viewer(ui.element, component="viewer.js"):
    """Displays the images of the workspace's two panes; zoom, pan and wipe are local to each tab."""

    def __init__(self, workspace: Workspace, painter: Painter) -> None:
        super().__init__()
        self._workspace = workspace
        self._values = ui.label().classes("howard-values").props("aria-live=off")
        self._props["texts"] = {"loading": texts.LOADING}
        self.on("pixel", self._show_values)
        self.on("radius", lambda event: painter.change_brush(radius=event.args["radius"]))
        self.on("stroke", lambda event: painter.paint(_from_corners(event.args["points"])))
        for event in (workspace.display_changed, workspace.pictures_changed, workspace.pairs_changed):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Send changed properties to the browser."""
        workspace, display = self._workspace, self._workspace.display
        clip = workspace.clip
        changed = {
            "a": self._pane("a"),
            "b": self._pane("b"),
            "size": None if clip is None else {"width": clip.width, "height": clip.height},
            "layout": display.layout,
            "tool": _brush_facts(display.brush) if display.is_painting else None,
            "strokes": self._visible_strokes(),
        }
        if any(self._props.get(name) != value for name, value in changed.items()):
            self._props.update(changed)
            self.update()

    def _pane(self, name: str) -> dict[str, Any]:
        workspace = self._workspace
        picture = workspace.picture(name)
        view = getattr(workspace.display, name)
        step = "" if view in IMMEDIATE_VIEWS else workspace.progress.text
        status = {"computing": step or texts.COMPUTING, "ready": texts.READY}.get(picture.state, picture.message)
        if workspace.pair is None:
            status = texts.NO_SHOT
        return {
            "pair": workspace.display.pair_id,
            "key": picture.key,
            "label": texts.VIEWS[view],
            "state": picture.state,
            "status": status,
            "width": picture.width,
            "height": picture.height,
        }

    def _visible_strokes(self) -> list[dict[str, Any]]:
        """The strokes on the displayed frame and on all frames while painting, otherwise none."""
        pair, display = self._workspace.pair, self._workspace.display
        if pair is None or not display.is_painting:
            return []
        return [_stroke_facts(each) for each in pair.strokes if each.number in (None, display.number)]

    def _show_values(self, event: Any) -> None:
        x, y = event.args["x"], event.args["y"]
        values = [
            texts.PIXEL_VALUES.format(pane=pane.upper(), values=self._workspace.pixel_text(pane, x, y))
            for pane in self._workspace.display.panes
        ]
        self._values.set_text("   ".join([texts.PIXEL.format(x=x, y=y), *values]))


def _brush_facts(brush: Brush) -> dict[str, Any]:
    return {"kind": brush.kind, "erase": brush.erase, "line": brush.line, "radius": brush.radius}


def _stroke_facts(stroke: Stroke) -> dict[str, Any]:
    # Strokes have pixel centres at integers, the canvas at half-integers.
    points = [[point.x + 0.5, point.y + 0.5] for point in stroke.points]
    if stroke.line:
        points = [points[0], points[-1]]
    return {"kind": stroke.kind, "radius": stroke.radius, "erase": stroke.erase, "points": points}


def _from_corners(points: list[list[float]]) -> list[list[float]]:
    return [[x - 0.5, y - 0.5] for x, y in points]
