"""The canvas with the two linked viewers, as the page's Python side sees it."""

from typing import Any

from nicegui import ui

from howard.app.core.strokes import Stroke
from howard.app.ui import texts
from howard.app.ui.painter import Painter
from howard.app.ui.pictures import QUICK
from howard.app.ui.shown import Brush
from howard.app.ui.workspace import Workspace


class Viewer(ui.element, component="viewer.js"):
    """Shows the workspace's two pictures; zoom, pan and the wipe's place belong to the tab alone."""

    def __init__(self, workspace: Workspace, painter: Painter) -> None:
        super().__init__()
        self._workspace = workspace
        self._values = ui.label().classes("howard-values").props("aria-live=off")
        self._props["texts"] = {"loading": texts.LOADING}
        self.on("pixel", self._show_values)
        self.on("radius", lambda event: painter.change_brush(radius=event.args["radius"]))
        self.on("stroke", lambda event: painter.paint(_from_corners(event.args["points"])))
        for event in (workspace.shown_changed, workspace.pictures_changed, workspace.pairs_changed):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Hand the browser what changed."""
        workspace, shown = self._workspace, self._workspace.shown
        clip = workspace.clip
        changed = {
            "a": self._pane("a"),
            "b": self._pane("b"),
            "size": None if clip is None else {"width": clip.width, "height": clip.height},
            "layout": shown.layout,
            "tool": _brush_facts(shown.brush) if shown.is_painting else None,
            "strokes": self._visible_strokes(),
        }
        if any(self._props.get(name) != value for name, value in changed.items()):
            self._props.update(changed)
            self.update()

    def _pane(self, name: str) -> dict[str, Any]:
        workspace = self._workspace
        picture = workspace.picture(name)
        view = getattr(workspace.shown, name)
        activity = "" if view in QUICK else workspace.activity.text
        status = {"computing": activity or texts.COMPUTING, "ready": texts.READY}.get(picture.state, picture.message)
        if workspace.pair is None:
            status = texts.NO_SHOT
        label = texts.VIEWS[view]
        size = {"width": picture.width, "height": picture.height}
        return {
            "pair": workspace.shown.pair_id,
            "key": picture.key,
            "label": label,
            "state": picture.state,
            "status": status,
            **size,
        }

    def _visible_strokes(self) -> list[dict[str, Any]]:
        """The strokes of the frame shown and of all frames, while painting."""
        pair, shown = self._workspace.pair, self._workspace.shown
        if pair is None or not shown.is_painting:
            return []
        return [_stroke_facts(each) for each in pair.strokes if each.number in (None, shown.number)]

    def _show_values(self, event: Any) -> None:
        x, y = event.args["x"], event.args["y"]
        a, b = (self._workspace.pixel_text(pane, x, y) for pane in ("a", "b"))
        self._values.set_text(texts.PIXEL.format(x=x, y=y, a=a, b=b))


def _brush_facts(brush: Brush) -> dict[str, Any]:
    return {"kind": brush.kind, "erase": brush.erase, "line": brush.line, "radius": brush.radius}


def _stroke_facts(stroke: Stroke) -> dict[str, Any]:
    # The canvas counts from pixels' corners, strokes from their centres.
    points = [[point.x + 0.5, point.y + 0.5] for point in stroke.points]
    if stroke.line:
        points = [points[0], points[-1]]
    return {"kind": stroke.kind, "radius": stroke.radius, "erase": stroke.erase, "points": points}


def _from_corners(points: list[list[float]]) -> list[list[float]]:
    return [[x - 0.5, y - 0.5] for x, y in points]
