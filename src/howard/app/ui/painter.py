"""Painting on the frame that is shown: the brush, strokes with undo, and masks in files."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from howard.app.core.painted_masks import export_masks, import_mask
from howard.app.core.strokes import Point, Stroke, StrokeList
from howard.app.ui.shown import Brush
from howard.app.ui.workspace import Workspace


class Painter:
    """One for all tabs: what is undone in one tab is undone in all."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lists: dict[str, StrokeList] = {}

    @property
    def brush(self) -> Brush:
        """What the brush does."""
        return self._workspace.shown.brush

    @property
    def strokes(self) -> StrokeList | None:
        """The strokes of the pair that is shown, with what can be undone."""
        pair = self._workspace.pair
        if pair is None:
            return None
        kept = self._lists.get(pair.id)
        if kept is None or kept.strokes != pair.strokes:
            kept = self._lists[pair.id] = StrokeList(pair.strokes)
        return kept

    def choose(self, kind: str | None) -> None:
        """Paint keep or remove strokes, or with None stop painting."""
        if kind is None:
            self._workspace.show(is_painting=False)
        else:
            self._workspace.show(is_painting=True, brush=replace(self.brush, kind=kind, erase=False))

    def change_brush(self, **changes: Any) -> None:
        """Change what the brush does; see `Brush`."""
        self._workspace.show(brush=replace(self.brush, **changes))

    def toggle(self, name: str) -> None:
        """Turn erasing or straight lines on or off, and paint."""
        self._workspace.show(is_painting=True, brush=replace(self.brush, **{name: not getattr(self.brush, name)}))

    def paint(self, points: list[list[float]]) -> None:
        """Add a stroke of the brush through positions in pixels of the shot."""
        shown, brush = self._workspace.shown, self.brush
        if not shown.is_painting or not points:
            return
        stroke = Stroke(
            kind=brush.kind,
            number=None if brush.all_frames else shown.number,
            points=tuple(Point(*point) for point in points),
            radius=brush.radius,
            erase=brush.erase,
            line=brush.line,
            anchor=shown.number if brush.all_frames else None,
        )
        self._change(lambda strokes: strokes.add(stroke))

    def undo(self) -> None:
        """Take the latest change of the strokes back."""
        self._change(StrokeList.undo)

    def redo(self) -> None:
        """Make the change again that was taken back."""
        self._change(StrokeList.redo)

    def clear_frame(self) -> None:
        """Take the strokes of the frame that is shown away."""
        number = self._workspace.shown.number
        self._change(lambda strokes: strokes.clear(number))

    async def export_masks(self, folder: Path) -> None:
        """Write the strokes as mask files into a folder; raises HowardError where that does not work."""
        pair = self._workspace.pair
        if pair is not None:
            await asyncio.to_thread(export_masks, self._workspace.project, pair, folder)

    async def import_mask(self, option: str, path: Path) -> None:
        """Use mask files as the pair's ``garbage`` or ``holdout``; raises HowardError where they do not fit."""
        pair = self._workspace.pair
        if pair is not None:
            await asyncio.to_thread(import_mask, self._workspace.project, pair.id, option, path)

    def _change(self, change: Callable[[StrokeList], None]) -> None:
        strokes = self.strokes
        if strokes is not None:
            change(strokes)
            self._workspace.update(strokes=strokes.strokes)
