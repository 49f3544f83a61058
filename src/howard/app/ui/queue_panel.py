"""The panel for renders: start, progress, cancel, resume, report and farm jobs."""

from nicegui import ui

from howard.app.core.pair import clip_name
from howard.app.core.render_status import BUSY_STATES, RenderStatus
from howard.app.ui import texts
from howard.app.ui.elements import ErrorLine, text_button
from howard.app.ui.file_browser import FileBrowser
from howard.app.ui.render_monitor import RenderMonitor
from howard.app.ui.workspace import Workspace

# Two short tones from the browser's audio API, and a system notification if the user has allowed it.
_CHIME = """
const audio = new AudioContext();
for (const [pitch, start] of [[660, 0], [880, 0.18]]) {
  const tone = audio.createOscillator(), volume = audio.createGain();
  tone.frequency.value = pitch;
  volume.gain.value = 0.08;
  tone.connect(volume).connect(audio.destination);
  tone.start(audio.currentTime + start);
  tone.stop(audio.currentTime + start + 0.15);
}
if (window.Notification && Notification.permission === "granted") new Notification("Howard", { body: MESSAGE });
"""
_ASK_PERMISSION = 'if (window.Notification && Notification.permission === "default") Notification.requestPermission();'


class QueuePanel:
    """Controls for the render of the displayed pair, and for rendering all pairs."""

    def __init__(self, workspace: Workspace, monitor: RenderMonitor, errors: ErrorLine) -> None:
        self._workspace, self._monitor = workspace, monitor
        ui.label(texts.RENDER).classes("howard-title").props("role=heading aria-level=2")
        self._bar = ui.linear_progress(value=0, show_value=False, size="8px").props("instant-feedback")
        self._bar.props["aria-label"] = texts.RENDER
        self._line = ui.label().classes("howard-small").props("role=status")
        with ui.row().classes("howard-buttons"):
            self._render = text_button(texts.RENDER, errors.catch(self.render), icon="play_circle")
            self._cancel = text_button(texts.CANCEL_RENDER, errors.catch(self._stop), icon="stop_circle")
            self._report = text_button(texts.REPORT, self._open_report, icon="description")
            self._restart = text_button(texts.START_OVER, errors.catch(self._start_over), icon="restart_alt")
            text_button(texts.RENDER_ALL, errors.catch(self._render_all), icon="playlist_play")
            text_button(texts.FARM_JOB, errors.catch(self._write_job), icon="dns")
        monitor.finished.subscribe(self._notify_finished)
        for event in (workspace.pairs_changed, workspace.display_changed, monitor.changed):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the status of the pair's render."""
        pair = self._workspace.pair
        status = self._monitor.status(pair)
        is_busy = status is not None and status.state in BUSY_STATES
        is_stopped = status is not None and status.state == "stopped"
        self._render.set_text(texts.RESUME if is_stopped else texts.RENDER)
        self._render.set_enabled(pair is not None and not is_busy)
        self._restart.set_enabled(status is not None and not is_busy and bool(status.frame_states))
        self._cancel.set_enabled(is_busy)
        self._report.set_enabled(status is not None and status.report is not None)
        self._bar.set_value(status.done / status.total if status is not None and status.total else 0)
        self._line.set_text(describe_status(status))

    async def render(self) -> None:
        """Render the displayed pair between its marks; finished frames are not rendered again."""
        ui.run_javascript(_ASK_PERMISSION)
        if self._workspace.pair is not None:
            await self._monitor.start([self._workspace.pair])

    async def _start_over(self) -> None:
        with ui.dialog() as dialog, ui.card().classes("howard-add"):
            ui.label(texts.START_OVER_HELP)
            with ui.row():
                ui.button(texts.START_OVER, on_click=lambda: dialog.submit(True)).props("no-caps")
                ui.button(texts.CANCEL, on_click=dialog.close).props("flat no-caps")
        is_confirmed, pair = await dialog, self._workspace.pair
        dialog.delete()
        if is_confirmed and pair is not None:
            await self._monitor.start([pair], restart=True)

    async def _render_all(self) -> None:
        ui.run_javascript(_ASK_PERMISSION)
        await self._monitor.start(self._workspace.project.pairs)

    async def _stop(self) -> None:
        if self._workspace.pair is not None:
            await self._monitor.cancel(self._workspace.pair)

    def _open_report(self) -> None:
        pair = self._workspace.pair
        if pair is None:
            return
        with ui.dialog(value=True).props("maximized") as dialog, ui.card().classes("howard-report"):
            ui.button(texts.CLOSE, icon="close", on_click=dialog.close).props("flat dense no-caps")
            frame = ui.element("iframe").props(f'src="/report/{pair.id}" sandbox="allow-scripts"')
            frame.props["title"] = texts.REPORT
        dialog.on("hide", dialog.delete)

    async def _write_job(self) -> None:
        folder, pair = await FileBrowser(texts.FARM_JOB).choose(), self._workspace.pair
        if folder is not None and pair is not None:
            await self._monitor.write_farm_job(pair, folder)
            ui.notify(texts.FARM_JOB_WRITTEN.format(folder=folder))

    def _notify_finished(self, pair_id: str) -> None:
        pair = self._workspace.find(pair_id)
        status = self._monitor.status(pair)
        if pair is None or status is None:
            return
        state = texts.RENDER_STATES.get(status.state, status.state)
        message = texts.FINISHED.format(name=clip_name(pair.shot), state=state)
        ui.notify(message, timeout=10_000, close_button=texts.CLOSE)
        ui.run_javascript(f"const MESSAGE = {message!r};{_CHIME}")


def describe_status(status: RenderStatus | None) -> str:
    """A render's status as one line."""
    if status is None or status.state == "idle":
        return texts.NOTHING_RENDERED
    if status.state == "queued":
        return texts.QUEUED
    parts = [texts.PROGRESS.format(done=status.done, total=status.total)] if status.total else []
    if status.state in BUSY_STATES:
        parts += _describe_speed(status)
        if not status.done:
            parts.append(status.message)
    else:
        parts.insert(0, texts.RENDER_STATES[status.state])
    return " · ".join(filter(None, parts)) or texts.STARTING


def _describe_speed(status: RenderStatus) -> list[str]:
    """Rate, remaining time and memory, as far as they are known."""
    parts = []
    if status.frames_per_second:
        parts.append(texts.RATE.format(rate=status.frames_per_second))
    if status.seconds_left is not None:
        minutes, seconds = divmod(round(status.seconds_left), 60)
        parts.append(texts.TIME_LEFT.format(minutes=minutes, seconds=seconds))
    if status.memory_bytes:
        parts.append(texts.MEMORY.format(gigabytes=status.memory_bytes / 1e9))
    return parts
