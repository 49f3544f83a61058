"""What the page shows and edits: one state for all tabs, changed by any of them."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from nicegui import Event

from howard.app.core.clips import Clip, ClipCache
from howard.app.core.pair import Pair
from howard.app.core.project import Project
from howard.app.core.views import VIEWS
from howard.app.ui.activity import Activity
from howard.app.ui.pictures import QUICK, Picture, Pictures, Wish
from howard.app.ui.shown import Shown
from howard.app.ui.view_source import ViewSource
from howard.errors import HowardError


class Workspace:
    """A project and what is shown of it. All methods are called on the event loop, after :meth:`start`.

    The events tell the tabs what changed: the pairs, what is shown, or a picture.
    """

    def __init__(self, project: Project) -> None:
        self.pairs_changed: Event[[]] = Event()
        self.shown_changed: Event[[]] = Event()
        self.pictures_changed: Event[[]] = Event()
        self.shown = Shown()
        self.clips = ClipCache()
        self.activity = Activity(self._activity_changed)
        self._source = ViewSource(self.clips, self.activity)
        # What is wrong with a pair's shot, by the pair's id.
        self._errors: dict[str, str] = {}
        self.pictures = Pictures(self._source.compute, self._source.cancel, self._picture_ready)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open(project)

    def _open(self, project: Project) -> None:
        self.project = project
        self._stop_listening = project.on_change(self._project_changed)
        self._source.close()
        self._errors.clear()

    async def start(self) -> None:
        """Show the first pair."""
        self._loop = asyncio.get_running_loop()
        await self._select_first()

    def stop(self) -> None:
        """End the work in progress."""
        self._stop_listening()
        self.pictures.close()
        self._source.close()

    async def open_project(self, path: Path) -> None:
        """Change to another project; raises InputError where the file is none."""
        project = await asyncio.to_thread(Project.open, path)
        self._stop_listening()
        self._open(project)
        self.pairs_changed.emit()
        await self._select_first()

    @property
    def pair(self) -> Pair | None:
        """The pair that is shown."""
        return self.find(self.shown.pair_id)

    @property
    def clip(self) -> Clip | None:
        """The shot of the pair that is shown; None where it cannot be read."""
        pair = self.pair
        if pair is None or pair.id in self._errors:
            return None
        try:
            return self.clips.open(pair.shot, pair.render_options())
        except HowardError as error:
            self._errors[pair.id] = str(error)
            return None

    def find(self, pair_id: str | None) -> Pair | None:
        """A pair by its id; None where it is not in the project."""
        return next((pair for pair in self.project.pairs if pair.id == pair_id), None)

    async def add_pair(self, shot: Path, plate: Sequence[Path | str]) -> None:
        """Add a pair and show it."""
        pair = await asyncio.to_thread(self.project.add_pair, shot, plate)
        await self.select(pair.id)

    async def remove(self, pair_id: str) -> None:
        """Take a pair out of the project."""
        self.project.remove(pair_id)
        if self.shown.pair_id == pair_id:
            await self._select_first()

    async def select(self, pair_id: str | None) -> None:
        """Show a pair; what is wrong with its shot becomes its message."""
        self.shown = replace(self.shown, pair_id=pair_id, is_painting=False)
        pair = self.pair
        if pair is not None:
            self._errors.pop(pair.id, None)
            self.pictures.forget(pair.id)
            try:
                clip = await asyncio.to_thread(self.clips.open, pair.shot, pair.render_options())
            except HowardError as error:
                self._errors[pair.id] = str(error)
                self.project.update(pair.id, state="error", message=str(error))
            else:
                number = clip.first_number if pair.first is None else pair.first
                self.shown = replace(self.shown, number=number)
        self.shown_changed.emit()
        self._request()

    async def _select_first(self) -> None:
        pairs = self.project.pairs
        await self.select(pairs[0].id if pairs else None)

    def seek(self, number: int) -> None:
        """Show another frame; numbers beyond the clip stand for its ends."""
        clip = self.clip
        if clip is not None:
            self.show(number=min(clip.last_number, max(clip.first_number, number)))

    def show(self, **changes: Any) -> None:
        """Change what is shown; see `Shown`."""
        before, self.shown = self.shown, replace(self.shown, **changes)
        if self.shown != before:
            self.shown_changed.emit()
            self._request()

    def update(self, **changes: Any) -> None:
        """Change the pair that is shown; raises SettingsError where that does not fit."""
        if self.shown.pair_id is not None:
            self.project.update(self.shown.pair_id, **changes)

    def set_option(self, name: str, value: Any) -> None:
        """Change one option of the pair that is shown; raises SettingsError where it does not fit."""
        if self.pair is not None:
            self.update(options={**self.pair.options, name: value})

    def picture(self, pane: str) -> Picture:
        """What is known of the picture in pane "a" or "b"."""
        pair = self.pair
        if pair is None:
            return Picture("error")
        if pair.id in self._errors:
            return Picture("error", message=self._errors[pair.id])
        return self.pictures.find(self._wish(pair, getattr(self.shown, pane)))

    def pixel_text(self, pane: str, x: int, y: int) -> str:
        """The values of a pane's picture at a pixel of the shot; "" where there is no picture."""
        image, clip = self.pictures.image(self.picture(pane).key), self.clip
        if image is None or clip is None:
            return ""
        # A picture of another size, a plate's, is shown as wide as the shot.
        column, row = (each * image.shape[1] // clip.width for each in (x, y))
        if not (0 <= column < image.shape[1] and 0 <= row < image.shape[0]):
            return ""
        return " ".join(str(value) for value in np.atleast_1d(image[row, column]))

    def previewed(self, pair: Pair) -> dict[int, str]:
        """Status by number of the frames of a pair that were previewed under its present settings."""
        return self._source.statuses(pair)

    def thumbnail(self, pair_id: str, number: int, side: int) -> np.ndarray | None:
        """A small picture of a pair's shot, (h, w, 3) uint8 RGB; callable from any thread."""
        pair = self.find(pair_id)
        return None if pair is None else self.clips.open(pair.shot, pair.render_options()).thumbnail(number, side)

    def _wish(self, pair: Pair, view: str) -> Wish:
        changing = (pair.shot, pair.plate, sorted(pair.options.items()), pair.strokes)
        version = hashlib.sha256(repr(changing).encode()).hexdigest()
        return Wish(pair.id, view, self.shown.number, version)

    def _request(self) -> None:
        pair = self.pair
        if pair is None or pair.id in self._errors:
            return
        self._source.open(self.project, pair.id)
        views = {getattr(self.shown, pane) for pane in self.shown.panes}
        self.pictures.want(pair, [self._wish(pair, view) for view in sorted(views, key=VIEWS.index)])
        self.pictures_changed.emit()

    def _picture_ready(self, wish: Wish) -> None:
        if wish.view not in QUICK:
            self.activity.end()
        self.pictures_changed.emit()

    def _activity_changed(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.pictures_changed.emit)

    def _project_changed(self, project: Project) -> None:
        # Renders change their pairs from threads of their own.
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._pairs_changed)

    def _pairs_changed(self) -> None:
        self.pairs_changed.emit()
        self._request()
