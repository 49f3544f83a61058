"""The state of the page, shared by all tabs: the project, the displayed pair and frame, and the images of the views."""

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
from howard.app.ui.display_state import DisplayState
from howard.app.ui.picture_loader import IMMEDIATE_VIEWS, PictureLoader, PictureRequest, PictureStatus
from howard.app.ui.view_source import ProgressText, ViewSource
from howard.errors import HowardError


class Workspace:
    """A project and its display. All methods except :meth:`thumbnail` are called on the event loop.

    The events notify the tabs of changes to the pairs, to the display state and to the images of the views.
    """

    def __init__(self, project: Project) -> None:
        self.pairs_changed: Event[[]] = Event()
        self.display_changed: Event[[]] = Event()
        self.pictures_changed: Event[[]] = Event()
        self.display = DisplayState()
        self.clips = ClipCache()
        # A reader of its own: otherwise a frame to display would wait for the thumbnails that are being read.
        self._thumbnail_clips = ClipCache()
        self.progress = ProgressText(self._progress_changed)
        self._source = ViewSource(self.clips, self.progress)
        # Error of a pair's shot, by the pair's id.
        self._errors: dict[str, str] = {}
        self.pictures = PictureLoader(self._source.compute, self._source.cancel, self._picture_changed)
        # The pair that was requested last, and the hash of everything that its images depend on.
        self._version: tuple[Pair, str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open(project)

    def _open(self, project: Project) -> None:
        self.project = project
        self._unsubscribe = project.on_change(self._project_changed)
        self._source.close()
        self._errors.clear()

    async def start(self) -> None:
        """Display the first pair."""
        self._loop = asyncio.get_running_loop()
        await self._select_first()

    def stop(self) -> None:
        """Cancel all computations."""
        self._unsubscribe()
        self.pictures.close()
        self._source.close()

    async def open_project(self, path: Path) -> None:
        """Switch to another project; raises InputError if the file is not a project file."""
        project = await asyncio.to_thread(Project.open, path)
        self._unsubscribe()
        self._open(project)
        self.pairs_changed.emit()
        await self._select_first()

    @property
    def pair(self) -> Pair | None:
        """The displayed pair."""
        return self.find(self.display.pair_id)

    @property
    def clip(self) -> Clip | None:
        """The shot of the displayed pair; None if it cannot be read."""
        pair = self.pair
        if pair is None or pair.id in self._errors:
            return None
        try:
            return self.clips.open(pair.shot, pair.render_options())
        except HowardError as error:
            self._errors[pair.id] = str(error)
            return None

    def find(self, pair_id: str | None) -> Pair | None:
        """A pair by its id; None if it is not in the project."""
        return next((pair for pair in self.project.pairs if pair.id == pair_id), None)

    async def add_pair(self, shot: Path, plate: Sequence[Path | str]) -> None:
        """Add a pair and display it."""
        pair = await asyncio.to_thread(self.project.add_pair, shot, plate)
        await self.select(pair.id)

    async def remove(self, pair_id: str) -> None:
        """Remove a pair from the project."""
        self.project.remove(pair_id)
        if self.display.pair_id == pair_id:
            await self._select_first()

    async def select(self, pair_id: str | None) -> None:
        """Display a pair; an error of its shot is stored as the pair's message."""
        self.display = replace(self.display, pair_id=pair_id, is_painting=False)
        pair = self.pair
        if pair is not None:
            self._errors.pop(pair.id, None)
            self.pictures.clear_errors(pair.id)
            try:
                clip = await asyncio.to_thread(self.clips.open, pair.shot, pair.render_options())
            except HowardError as error:
                self._errors[pair.id] = str(error)
                self.project.update(pair.id, state="error", message=str(error))
            else:
                number = clip.first_number if pair.first is None else pair.first
                self.display = replace(self.display, number=number)
        self.display_changed.emit()
        self._request_pictures()

    async def _select_first(self) -> None:
        pairs = self.project.pairs
        await self.select(pairs[0].id if pairs else None)

    def seek(self, number: int) -> None:
        """Display a frame; numbers outside the clip are clamped."""
        clip = self.clip
        if clip is not None:
            self.show(number=min(clip.last_number, max(clip.first_number, number)))

    def show(self, **changes: Any) -> None:
        """Change attributes of the `DisplayState`."""
        before, self.display = self.display, replace(self.display, **changes)
        if self.display != before:
            self.display_changed.emit()
            self._request_pictures()

    def update(self, **changes: Any) -> None:
        """Change attributes of the displayed pair; raises SettingsError for invalid values."""
        if self.display.pair_id is not None:
            self.project.update(self.display.pair_id, **changes)

    def set_option(self, name: str, value: Any) -> None:
        """Change one option of the displayed pair; raises SettingsError for an invalid value."""
        if self.pair is not None:
            self.update(options={**self.pair.options, name: value})

    def picture(self, pane: str) -> PictureStatus:
        """Status of the image in pane "a" or "b"."""
        pair = self.pair
        if pair is None:
            return PictureStatus("error")
        if pair.id in self._errors:
            return PictureStatus("error", message=self._errors[pair.id])
        return self.pictures.status(self._make_request(pair, getattr(self.display, pane)))

    def pixel_text(self, pane: str, x: int, y: int) -> str:
        """The values of a pane's image at a pixel of the shot; "" if there is no image."""
        image, clip = self.pictures.image(self.picture(pane).key), self.clip
        if image is None or clip is None:
            return ""
        # An image of another size (a plate frame) is displayed with the width of the shot.
        column, row = (each * image.shape[1] // clip.width for each in (x, y))
        if not (0 <= column < image.shape[1] and 0 <= row < image.shape[0]):
            return ""
        return " ".join(str(value) for value in np.atleast_1d(image[row, column]))

    def previewed(self, pair: Pair) -> dict[int, str]:
        """Alignment status by frame number of a pair's frames previewed under its current settings."""
        return self._source.statuses(pair)

    def thumbnail(self, pair_id: str, number: int, side: int) -> np.ndarray | None:
        """Thumbnail of a pair's shot, (h, w, 3) uint8 RGB; None for an unknown pair. Callable from any thread."""
        pair = self.find(pair_id)
        if pair is None:
            return None
        return self._thumbnail_clips.open(pair.shot, pair.render_options()).thumbnail(number, side)

    def _make_request(self, pair: Pair, view: str) -> PictureRequest:
        if self._version is None or self._version[0] is not pair:
            dependencies = (pair.shot, pair.plate, sorted(pair.options.items()), pair.strokes)
            # Takes many milliseconds with thousands of painted points, and is needed at every pointer movement.
            self._version = pair, hashlib.sha256(repr(dependencies).encode()).hexdigest()
        return PictureRequest(pair.id, view, self.display.number, self._version[1])

    def _request_pictures(self) -> None:
        pair = self.pair
        if pair is None or pair.id in self._errors:
            return
        self._source.open(self.project, pair.id)
        views = {getattr(self.display, pane) for pane in self.display.panes}
        self.pictures.load(pair, [self._make_request(pair, view) for view in sorted(views, key=VIEWS.index)])
        self.pictures_changed.emit()

    def _picture_changed(self, request: PictureRequest) -> None:
        if request.view not in IMMEDIATE_VIEWS:
            self.progress.clear()
        self.pictures_changed.emit()

    def _progress_changed(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.pictures_changed.emit)

    def _project_changed(self, project: Project) -> None:
        # The render queue changes pairs from its own threads.
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._pairs_changed)

    def _pairs_changed(self) -> None:
        self.pairs_changed.emit()
        self._request_pictures()
