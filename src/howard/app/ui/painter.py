"""Painting on the displayed frame: the brush, strokes with undo, and mask files."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from howard.app.core.painted_masks import export_masks, import_mask
from howard.app.core.strokes import Point, Stroke, StrokeHistory
from howard.app.ui.display_state import Brush
from howard.app.ui.workspace import Workspace


class Painter:
    """Edits the strokes of the displayed pair; one object, and one undo history per pair, for all tabs."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._histories: dict[str, StrokeHistory] = {}

    @property
    def brush(self) -> Brush:
        """The current brush settings."""
        return self._workspace.display.brush

    @property
    def history(self) -> StrokeHistory | None:
        """The undo history of the displayed pair; None if no pair is displayed."""
        pair = self._workspace.pair
        if pair is None:
            return None
        history = self._histories.get(pair.id)
        if history is None or history.strokes != pair.strokes:
            history = self._histories[pair.id] = StrokeHistory(pair.strokes)
        return history

    def select_tool(self, kind: str | None) -> None:
        """Paint "keep" or "remove" strokes; None stops painting."""
        if kind is None:
            self._workspace.show(is_painting=False)
        else:
            self._workspace.show(is_painting=True, brush=replace(self.brush, kind=kind, erase=False))

    def change_brush(self, **changes: Any) -> None:
        """Change attributes of the `Brush`."""
        self._workspace.show(brush=replace(self.brush, **changes))

    def toggle(self, name: str) -> None:
        """Toggle the "erase" or "line" attribute of the brush, and start painting."""
        self._workspace.show(is_painting=True, brush=replace(self.brush, **{name: not getattr(self.brush, name)}))

    def paint(self, points: list[list[float]]) -> None:
        """Add a stroke with the current brush; ``points`` are (x, y) in pixels of the shot, centres at integers."""
        display, brush = self._workspace.display, self.brush
        if not display.is_painting or not points:
            return
        stroke = Stroke(
            kind=brush.kind,
            number=None if brush.all_frames else display.number,
            points=tuple(Point(*point) for point in points),
            radius=brush.radius,
            erase=brush.erase,
            line=brush.line,
            anchor=display.number if brush.all_frames else None,
        )
        self._change(lambda history: history.add(stroke))

    def undo(self) -> None:
        """Undo the latest change of the strokes."""
        self._change(StrokeHistory.undo)

    def redo(self) -> None:
        """Redo the latest undone change."""
        self._change(StrokeHistory.redo)

    def clear_frame(self) -> None:
        """Remove the strokes of the displayed frame."""
        number = self._workspace.display.number
        self._change(lambda history: history.clear(number))

    async def export_masks(self, folder: Path) -> None:
        """Write the strokes as mask files into a folder; raises HowardError if they cannot be written."""
        pair = self._workspace.pair
        if pair is not None:
            await asyncio.to_thread(export_masks, self._workspace.project, pair, folder)

    async def import_mask(self, option: str, path: Path) -> None:
        """Set the pair's ``garbage`` or ``holdout`` to a mask file; raises HowardError if it cannot be used."""
        pair = self._workspace.pair
        if pair is not None:
            await asyncio.to_thread(import_mask, self._workspace.project, pair.id, option, path)

    def _change(self, change: Callable[[StrokeHistory], None]) -> None:
        history = self.history
        if history is not None:
            change(history)
            self._workspace.update(strokes=history.strokes)
